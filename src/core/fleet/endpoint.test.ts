import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { endpointOf } from '../../../test/support/endpoints.ts';
import { hostInUrl, httpUrl, parseEndpoint, webSocketUrl } from './endpoint.ts';

test('both spellings of one machine are one server, and each is handed out as it was written', () => {
  const rewritten = endpointOf(' Sim.Example.org/2000 ');
  const direct = endpointOf('sim.example.org:2000');
  assert.equal(rewritten.id, 'sim.example.org:2000');
  assert.equal(direct.id, rewritten.id);
  assert.equal(webSocketUrl(rewritten, true), 'wss://Sim.Example.org/2000');
  assert.equal(webSocketUrl(direct, false), 'ws://sim.example.org:2000');
  assert.equal(httpUrl(rewritten, '/load', true), 'https://Sim.Example.org/2000/load');
  assert.ok(rewritten.rewritten && !direct.rewritten);
});

test('IPv6 addresses keep their brackets in URLs and lose them in the host', () => {
  const endpoint = endpointOf('[2001:DB8::1]:2000');
  assert.equal(endpoint.host, '2001:DB8::1');
  assert.equal(endpoint.id, '[2001:db8::1]:2000');
  assert.equal(httpUrl(endpoint, '/load', false), 'http://[2001:DB8::1]:2000/load');
  assert.equal(endpointOf('[::1]/2000').rewritten, true);
});

test('other spellings of one host are one server, and each is handed out as it was written', () => {
  for (const [id, ...addresses] of [
    ['[::1]:2000', '[::1]:2000', '[0::1]:2000', '[0:0:0:0:0:0:0:1]/2000', '[0000::0001]:02000'],
    ['[2001:db8::a]:2000', '[2001:DB8::A]:2000', '[2001:0db8:0::0:a]/2000'],
    ['sim.example.org:2000', 'sim.example.org.:2000', 'SIM.example.ORG./2000'],
    ['localhost', 'localhost.', 'LocalHost'],
  ] as const)
    for (const address of addresses) {
      const endpoint = endpointOf(address);
      assert.equal(endpoint.id, id, address);
      assert.equal(webSocketUrl(endpoint, true), `wss://${address}`);
    }
});

test('an IPv6 address has brackets in a URL, and nothing else has', () => {
  for (const [host, inUrl] of [
    ['::1', '[::1]'],
    ['2001:DB8::1', '[2001:DB8::1]'],
    ['[::1]', '[::1]'],
    ['example.org', 'example.org'],
    ['example.org:8443', 'example.org:8443'],
    ['127.0.0.1', '127.0.0.1'],
  ] as const)
    assert.equal(hostInUrl(host), inUrl);
});

test('an entry with a path, or with a port and a path, is polled below it and handed out as it was written', () => {
  for (const [address, id, port] of [
    ['Example.org/webots_simulation_server', 'example.org/webots_simulation_server', undefined],
    ['example.org:8443/2000', 'example.org:8443/2000', 8443],
    ['example.org/a/B.c-d_e~f/2000', 'example.org/a/B.c-d_e~f/2000', undefined],
    ['example.org/2000/client', 'example.org/2000/client', undefined],
    ['example.org/70000', 'example.org/70000', undefined],
    ['[::1]:2000/a', '[::1]:2000/a', 2000],
  ] as const) {
    const endpoint = endpointOf(address);
    assert.deepEqual([endpoint.id, endpoint.port, endpoint.rewritten], [id, port, false], address);
    assert.equal(httpUrl(endpoint, '/load', true), `https://${address}/load`);
    assert.equal(webSocketUrl(endpoint, true), `wss://${address}`);
  }
});

test('a name in letters of another language and its ASCII form are one server, and each is handed out as it was written', () => {
  for (const [host, id, ...addresses] of [
    ['xn--bcher-kva.example', 'xn--bcher-kva.example:2000', 'bücher.example/2000', 'BÜCHER.example:2000'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example:2000', 'bu\u0308cher.example/2000', 'xn--bcher-kva.example/2000'],
    ['xn--ctbjkdxqigq', 'xn--ctbjkdxqigq', 'xn--ctbjkdxqigq'],
    ['xn--r8jz45g.xn--zckzah', 'xn--r8jz45g.xn--zckzah:2000', '例え.テスト/2000'],
  ] as const)
    for (const address of addresses) {
      const endpoint = endpointOf(address);
      assert.deepEqual([endpoint.host, endpoint.id], [host, id], address);
      assert.equal(new URL(httpUrl(endpoint, '/load', true)).hostname, host);
      assert.equal(webSocketUrl(endpoint, true), `wss://${address}`);
    }
});

test('a host alone stands for the port of the scheme', () => {
  assert.equal(endpointOf('localhost').port, undefined);
});

test('an entry that is not an address is rejected with the kind of the problem', () => {
  for (const [text, problem] of [
    ['', 'empty'],
    ['   ', 'empty'],
    ['http://host/2000', 'scheme'],
    ['wss://host:2000', 'scheme'],
    ['host 2000', 'white-space'],
    ['host\u0000:2000', 'white-space'],
    ['host/2000/', 'path'],
    ['host/a//b', 'path'],
    ['host/../2000', 'path'],
    ['host/a/.', 'path'],
    ['host/2000?a', 'path'],
    ['host/2000#a', 'path'],
    ['host/%41', 'path'],
    ['host:2000/é', 'path'],
    ['host:0/2000', 'port'],
    ['b\u200Bc:2000', 'invisible'],
    ['\u00AD:2000', 'invisible'],
    ['xn--\u00fc:2000', 'host'],
    ['xn--ls8h=:2000', 'host'],
    ['\uff11.\uff12.\uff13.\uff14:2000', 'host'],
    ['host:0', 'port'],
    ['host:65536', 'port'],
    ['host:', 'port'],
    ['host/', 'path'],
    ['host:2000:2001', 'port'],
    ['::1:2000', 'host'],
    ['[::1', 'host'],
    ['[host]:2000', 'host'],
    ['-host:2000', 'host'],
    ['ho$st:2000', 'host'],
    ['user@host:2000', 'host'],
    ['host?x:2000', 'host'],
    ['1.2.3:2000', 'host'],
    ['256.1.1.1:2000', 'host'],
    ['A.0', 'host'],
    ['[1:2:3]:2000', 'host'],
    ['[::1::]:2000', 'host'],
    ['[fe80::1%eth0]:2000', 'zone'],
    [`${'a.'.repeat(130)}org:2000`, 'host'],
    ['a'.repeat(1000), 'too-long'],
  ] as const) {
    assert.deepEqual(parseEndpoint(text), { kind: 'invalid', problem }, JSON.stringify(text));
  }
});

test('whatever is accepted gives URLs that name that host and nothing else', () => {
  const likely = fc.stringMatching(/^[a-zA-Z0-9.:/[\]@?#%-]{1,30}$/);
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        likely,
        fc.tuple(likely, fc.nat(70_000)).map(([host, port]) => `${host}:${port}`),
      ),
      (text) => {
        const result = parseEndpoint(text);
        if (result.kind === 'invalid') return;
        const url = new URL(httpUrl(result.endpoint, '/load', false));
        assert.ok(url.pathname.endsWith('/load') && url.username === '' && url.search === '' && url.hash === '');
      },
    ),
    { numRuns: 2000 },
  );
});
