import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOutgoingProxies } from './outgoing-proxies.ts';

test('without a proxy in the environment, connections are direct', () => {
  assert.deepEqual(readOutgoingProxies({ NO_PROXY: 'a', HTTP_PROXY: ' ' }), { problems: [] });
});

test('small letters come first, and a scheme may be absent', () => {
  const env = { HTTP_PROXY: 'http://a:1', http_proxy: 'b:2', https_proxy: 'https://c', NO_PROXY: 'x', no_proxy: 'y' };
  const proxies = { http: 'http://b:2', https: 'https://c', except: 'y' };
  assert.deepEqual(readOutgoingProxies(env), { proxies, problems: [] });
});

test('a value that is not an HTTP proxy is ignored, and not repeated, because it may contain a password', () => {
  for (const value of ['http://user:secret@', 'ftp://user:secret@proxy', 'a b'])
    assert.deepEqual(readOutgoingProxies({ HTTPS_PROXY: value }), {
      problems: [
        'the variable HTTPS_PROXY is ignored, because it is not the URL of an HTTP proxy such as http://proxy.example.org:3128',
      ],
    });
});
