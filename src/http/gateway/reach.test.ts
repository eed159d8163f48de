import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOutsideFolder, withinPort } from './reach.ts';

test('headers that change the browser for the whole origin or host are dropped, in any spelling', () => {
  for (const name of [
    ...['Clear-Site-Data', 'SERVICE-WORKER-ALLOWED', 'alt-svc', 'Strict-Transport-Security', 'Public-Key-Pins'],
    ...['Expect-CT', 'NEL', 'Report-To', 'Accept-CH', 'Critical-CH', 'Origin-Agent-Cluster', 'Set-Login'],
    ...['Sec-Session-Registration', 'Use-As-Dictionary', 'X-Accel-Redirect', 'X-Sendfile'],
  ])
    assert.deepEqual(withinPort([name, 'x', 'X-Kept', '1'], '/2000/'), ['X-Kept', '1'], name);
});

test('headers that concern the response alone are kept, in order', () => {
  const headers = [
    'Content-Type',
    'text/html',
    'Content-Security-Policy',
    'x',
    'SourceMap',
    '/a.map',
    'Reporting-Endpoints',
    'x',
  ];
  assert.deepEqual(withinPort(headers, '/2000/'), headers);
});

test('a cookie is kept if it stays below its port', () => {
  for (const cookie of [
    'a=1',
    'a=1; HttpOnly',
    'a=1; Path=/2000',
    'a=1; path=/2000/; Secure',
    'a=1; PATH = /2000/x ',
    'a=1; Path=',
    'a=1; Path',
    'a=1; Path=x',
    'a=1; Domain=; Path=/2000/',
    'a=/; Path=/2000/',
  ])
    assert.deepEqual(withinPort(['Set-Cookie', cookie], '/2000/page'), ['Set-Cookie', cookie], cookie);
});

test('a cookie that reaches beyond its port is dropped', () => {
  for (const cookie of [
    'a=1; Path=/',
    'a=1;path=/',
    'a=1; Path=/200',
    'a=1; Path=/20001',
    'a=1; Path=/3000/',
    'a=1; Path=/%32000/',
    'a=1; Path=/2000/; Path=/',
    'a=1; Path=/; Path=/2000/',
    'a="; Path=/',
    'a=1; Domain=example.org; Path=/2000/',
    'a=1; domain=.example.org',
    'a=1; Path=/2000/\x01; Path=/',
    'session-server-1999=x; Path=/monitor',
  ])
    assert.deepEqual(withinPort(['set-cookie', cookie], '/2000/page'), [], cookie);
});

test('a cookie without a path is dropped where the folder of the request is the whole site', () => {
  for (const target of ['/2000', '/2000?x=/2000/']) {
    assert.deepEqual(withinPort(['Set-Cookie', 'a=1'], target), [], target);
    assert.deepEqual(withinPort(['Set-Cookie', 'a=1; Path=x'], target), [], target);
    assert.deepEqual(withinPort(['Set-Cookie', 'a=1; Path=/2000'], target).length, 2, target);
  }
});

test('a path has a folder of its own from the slash after the port on', () => {
  assert.deepEqual(['/2000', '/2000?a/b', '/2000/', '/2000/x'].map(isOutsideFolder), [true, true, false, false]);
});
