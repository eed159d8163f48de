import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, LookupFunction, Socket } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { makeCertificate } from '../../test/support/certificate.ts';
import { endpointOf } from '../../test/support/endpoints.ts';
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { NameLookup, Probe, ProbeResult } from '../ports.ts';
import { startConnectProxy } from '../../test/support/connect-proxy.ts';
import { FakeSimulationServer, replies } from '../../test/support/fake-simulation-server.ts';
import { createGuardedLookup } from './guarded-lookup.ts';
import { createSharedLookup } from './shared-lookup.ts';
import { createLoadProbe, MAX_ANSWER, parseLoad } from './load.ts';
import { probeUpgrade } from './upgrade.ts';

const names = createSharedLookup();
const seconds = () => performance.now() / 1000;

async function probeOnce(server: FakeSimulationServer, timeout = 30): Promise<ProbeResult> {
  const probe = createLoadProbe({ ssl: false, timeout, keepAlive: 10, now: seconds, names });
  try {
    return await probe.probe(endpointOf(server.address));
  } finally {
    await probe.close();
    await server.stop();
  }
}

test('an answer that arrived in time counts, although this process was too busy to read it', async () => {
  const timeout = 0.2;
  const server = await FakeSimulationServer.start((_, response) => {
    response.end('7');
    // The answer is on its way, and nothing can be read until the time is over.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000 * timeout);
  });
  assert.equal((await probeOnce(server, timeout)).kind, 'sample');
});

test('numbers as simulation servers and their reverse proxies write them are loads', () => {
  for (const [text, load] of [
    ['37.4', 37.4],
    ['0', 0],
    ['101', 101],
    [' 12.5\n', 12.5],
    ['1e1', 10],
    ['2.5E+1', 25],
    ['+3', 3],
    ['.5', 0.5],
    ['7.', 7],
    ['-0.0', 0],
  ] as const) {
    assert.equal(parseLoad(text), load, JSON.stringify(text));
  }
});

test('anything else is not a load', () => {
  for (const text of [
    '',
    ' ',
    'NaN',
    '-1',
    '-0.1',
    '-',
    'Infinity',
    '1e309',
    '0x10',
    '1,5',
    '12 34',
    '<html>5</html>',
    '5%',
    '1_000',
    'null',
    '५',
    '--1',
    '1e',
    'e5',
    '.',
  ]) {
    assert.equal(parseLoad(text), undefined, JSON.stringify(text));
  }
});

test('any text is either a finite number not below zero or no load, and never throws', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.double().map(String), fc.float().map(String)), (text) => {
      const load = parseLoad(text);
      assert.ok(load === undefined || (Number.isFinite(load) && load >= 0));
    }),
  );
});

test('a good answer is a sample with its latency', async () => {
  const server = await FakeSimulationServer.start(20.5);
  const began = seconds();
  const result = await probeOnce(server);
  assert.ok(result.kind === 'sample' && result.load === 20.5 && result.latency >= 0 && result.latency <= seconds() - began);
});

test('a length that is sent twice, and compression, are named and not taken for https', async () => {
  const twice: RequestListener = (request) =>
    request.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n12.5');
  const compressed = replies(200, gzipSync('12.5'), { 'content-encoding': 'gzip' });
  for (const [answer, code, reason] of [
    [twice, 'not-http', /Content-Length twice/],
    [compressed, 'compressed', /compressed \("gzip"\)/],
  ] as const) {
    const result = await probeOnce(await FakeSimulationServer.start(answer));
    assert.ok(result.kind === 'failed');
    assert.equal(result.failure.code, code);
    assert.match(result.failure.reason, reason);
    assert.doesNotMatch(result.failure.reason, /https/);
  }
});

const bad: readonly [title: string, code: string, answer: Parameters<typeof FakeSimulationServer.start>[0]][] = [
  ['an HTML page with status 200', 'not-a-number', replies(200, '<html><body>5</body></html>')],
  ['status 500 as just after its start', 'status', replies(500, '12.5')],
  ['NaN', 'not-a-number', replies(200, 'NaN')],
  ['a negative number', 'not-a-number', replies(200, '-1')],
  ['a number beyond all numbers', 'not-a-number', replies(200, '1e309')],
  ['an empty body', 'not-a-number', replies(200, '')],
  ['status 204', 'status', replies(204, '')],
  ['10 MB', 'too-long', replies(200, Buffer.alloc(10_000_000, '1'))],
  ['10 MB with status 500', 'status', replies(500, Buffer.alloc(10_000_000, '1'))],
  ['a redirect to another host', 'redirect', replies(302, '', { location: 'http://localhost.example/load' })],
  ['a redirect to another scheme', 'redirect', replies(302, '', { location: 'file:///etc/passwd' })],
  ['a redirect to nowhere', 'redirect', replies(302, '', { location: 'http://[' })],
  ['redirects in a circle', 'redirects', replies(302, '', { location: '/load' })],
  [
    'half a body, then a reset',
    'reset',
    (_, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('12', () => response.socket?.destroy());
    },
  ],
  ['no HTTP at all', 'not-http', (request) => request.socket.end('+OK ready\r\n\r\n')],
  [
    'headers without end',
    'not-http',
    (request) => {
      request.socket.write(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(100_000)}`);
    },
  ],
];
for (const [title, code, answer] of bad) {
  test(`${title} does not count, and the reason says what came`, async () => {
    const result = await probeOnce(await FakeSimulationServer.start(answer));
    assert.ok(result.kind === 'failed');
    assert.equal(result.failure.code, code, result.failure.reason);
    assert.ok(result.failure.reason.length < 200);
  });
}

test('silence is a failure when the time is up', async () => {
  const server = await FakeSimulationServer.start(() => undefined);
  const result = await probeOnce(server, 0.05);
  assert.deepEqual(result, { kind: 'failed', failure: { code: 'timeout', reason: 'it did not answer within 0.05 s' } });
});

test('a time that is not a whole number of milliseconds is a time', async () => {
  for (const timeout of [1.1, 1.3 + 1e-9, 4 / 3]) {
    const result = await probeOnce(await FakeSimulationServer.start(7), timeout);
    assert.ok(result.kind === 'sample' && result.load === 7, String(timeout));
  }
});

test('an answer that comes byte by byte is a failure when the time is up, however alive it looks', async () => {
  const server = await FakeSimulationServer.start((_, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write('1'), 5);
    response.once('close', () => {
      clearInterval(timer);
    });
  });
  const result = await probeOnce(server, 0.1);
  assert.ok(result.kind === 'failed' && result.failure.code === 'timeout');
});

test('a redirect on the same host is followed', async () => {
  const server = await FakeSimulationServer.start((request, response) => {
    if (request.url === '/load') replies(301, '', { location: '/elsewhere' })(request, response);
    else replies(200, '7')(request, response);
  });
  const result = await probeOnce(server);
  assert.ok(result.kind === 'sample' && result.load === 7);
});

test('a redirect is followed however much is written about it', async () => {
  const server = await FakeSimulationServer.start((request, response) => {
    if (request.url === '/load') replies(302, 'moved '.repeat(10_000), { location: '/elsewhere' })(request, response);
    else replies(200, '7')(request, response);
  });
  const result = await probeOnce(server);
  assert.equal(result.kind === 'sample' ? result.load : result.failure.reason, 7);
});

test('a closed port is a failure that says so', async () => {
  const server = await FakeSimulationServer.start(1);
  const endpoint = endpointOf(server.address);
  await server.stop();
  const probe = createLoadProbe({ ssl: false, timeout: 2, keepAlive: 10, now: seconds, names });
  const result = await probe.probe(endpoint);
  await probe.close();
  assert.ok(result.kind === 'failed' && result.failure.code === 'refused');
});

test('probes of one server share one connection', async () => {
  const server = await FakeSimulationServer.start(1);
  const probe = createLoadProbe({ ssl: false, timeout: 2, keepAlive: 10, now: seconds, names });
  for (let i = 0; i < 3; i += 1) await probe.probe(endpointOf(server.address));
  assert.equal(server.connections, 1);
  await probe.close();
  await server.stop();
});

test('a connection that was closed while idle causes no failed probe', async () => {
  const server = await FakeSimulationServer.start(1);
  const probe = createLoadProbe({ ssl: false, timeout: 2, keepAlive: 10, now: seconds, names });
  await probe.probe(endpointOf(server.address));
  server.answer = (request, response) => {
    // The close crosses the second request on the wire.
    if (server.connections === 1) request.socket.destroy();
    else replies(200, '2')(request, response);
  };
  assert.deepEqual((await probe.probe(endpointOf(server.address))).kind, 'sample');
  await probe.close();
  await server.stop();
});

for (const [title, endHalfway] of [
  ['half a body, then an orderly close', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12')],
  ['half the headers, then an orderly close', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Le')],
] as const) {
  for (const kept of [false, true]) {
    test(`${title}, is a failed probe on a connection that is ${kept ? 'reused' : 'new'}, and is not asked again`, async (t) => {
      const server = await FakeSimulationServer.start(1);
      t.after(() => server.stop());
      const probe = createLoadProbe({ ssl: false, timeout: 2, keepAlive: 10, now: seconds, names });
      t.after(() => probe.close());
      if (kept) await probe.probe(endpointOf(server.address));
      const before = server.requests;
      server.answer = ({ socket }) => {
        endHalfway(socket);
      };
      const result = await probe.probe(endpointOf(server.address));
      assert.equal(result.kind === 'failed' && result.failure.code, 'reset');
      assert.equal(server.requests - before, 1);
      assert.equal(server.connections, 1);
    });
  }
}

test('a new connection that is closed without an answer is a failed probe, and is not tried again', async (t) => {
  const server = await FakeSimulationServer.start(({ socket }) => socket.end());
  t.after(() => server.stop());
  const probe = createLoadProbe({ ssl: false, timeout: 2, keepAlive: 10, now: seconds, names });
  t.after(() => probe.close());
  const result = await probe.probe(endpointOf(server.address));
  assert.equal(result.kind === 'failed' && result.failure.code, 'reset');
  assert.equal(server.requests, 1);
});

for (const [title, end] of [
  ['a probe of a server that leaves the fleet', (probe, id) => probe.forget(id)],
  ['a probe when all are closed', (probe) => void probe.close()],
] as readonly (readonly [string, (probe: Probe, id: ServerId) => void])[]) {
  for (const kept of [false, true]) {
    test(`${title} ends at once on a connection that is ${kept ? 'reused' : 'new'}, and connects no more`, async (t) => {
      const server = await FakeSimulationServer.start(1);
      t.after(() => server.stop());
      const probe = createLoadProbe({ ssl: false, timeout: 60, keepAlive: 10, now: seconds, names });
      t.after(() => probe.close());
      const endpoint = endpointOf(server.address);
      if (kept) await probe.probe(endpoint);
      server.answer = () => setImmediate(end, probe, endpoint.id);
      assert.equal((await probe.probe(endpoint)).kind, 'failed');
      assert.equal(server.connections, 1);
    });
  }
}

test('a closed probe sends no request', async (t) => {
  const server = await FakeSimulationServer.start(1);
  t.after(() => server.stop());
  const probe = createLoadProbe({ ssl: false, timeout: 2, keepAlive: 10, now: seconds, names });
  await probe.close();
  assert.equal((await probe.probe(endpointOf(server.address))).kind, 'failed');
  assert.equal(server.connections, 0);
});

test('a connection is kept while its name has the address, and replaced when the name has another one', async (t) => {
  const before = await FakeSimulationServer.start(10, { host: '127.0.0.1' });
  t.after(() => before.stop());
  const after = await FakeSimulationServer.start(20, { host: '127.0.0.2', port: before.port });
  t.after(() => after.stop());
  let answer: readonly string[] = ['127.0.0.1', '127.0.0.3'];
  const probe = createLoadProbe({ ssl: false, timeout: 30, keepAlive: 100, now: seconds, names: namesOf(() => answer) });
  t.after(() => probe.close());
  const load = async () => {
    const result = await probe.probe(endpointOf(`sim.example:${before.port}`));
    return result.kind === 'sample' ? result.load : result.failure.reason;
  };

  assert.equal(await load(), 10);
  await probe.recheckNames();
  assert.equal(await load(), 10);
  assert.equal(before.connections, 1);

  answer = ['127.0.0.2'];
  assert.equal(await load(), 10, 'the kept connection is used until the name is resolved again');
  await probe.recheckNames();
  assert.equal(await load(), 20);
  assert.equal(before.requests, 3);
});

test('a connection ends with its name, but not while the DNS server is silent, nor before a running request', async (t) => {
  const server = await FakeSimulationServer.start(10);
  t.after(() => server.stop());
  let answer: readonly string[] | string = ['127.0.0.1'];
  const probe = createLoadProbe({ ssl: false, timeout: 30, keepAlive: 100, now: seconds, names: namesOf(() => answer) });
  t.after(() => probe.close());
  const endpoint = endpointOf(`sim.example:${server.port}`);
  await probe.probe(endpoint);

  answer = 'EAI_AGAIN';
  await probe.recheckNames();
  assert.equal((await probe.probe(endpoint)).kind, 'sample');

  answer = 'ENOTFOUND';
  server.answer = (request, response) => {
    void probe.recheckNames().then(() => {
      replies(200, '11')(request, response);
    });
  };
  assert.equal((await probe.probe(endpoint)).kind, 'sample', 'the running request ends first');
  const result = await probe.probe(endpoint);
  assert.equal(result.kind === 'failed' && result.failure.code, 'name');
  assert.equal(server.connections, 1);
});

test('a registered server whose name gets a forbidden address loses its connection', async (t) => {
  const server = await FakeSimulationServer.start(10);
  t.after(() => server.stop());
  let answer: readonly string[] = ['127.0.0.1'];
  const guarded = createGuardedLookup((ip) => (ip === '127.0.0.9' ? 'forbidden' : undefined), namesOf(() => answer).lookup);
  const probe = createLoadProbe({ ssl: false, timeout: 30, keepAlive: 100, now: seconds, names, guard: () => guarded });
  t.after(() => probe.close());
  const endpoint = endpointOf(`sim.example:${server.port}`);
  assert.equal((await probe.probe(endpoint)).kind, 'sample');
  answer = ['127.0.0.1', '127.0.0.9'];
  await probe.recheckNames();
  const result = await probe.probe(endpoint);
  assert.equal(result.kind === 'failed' && result.failure.code, 'address');
});

test('a connection is replaced after ten minutes, and its certificate is checked again', async (t) => {
  let now = 0;
  const server = await FakeSimulationServer.start(10);
  t.after(() => server.stop());
  const probe = createLoadProbe({ ssl: false, timeout: 30, keepAlive: 100, now: () => now, names });
  t.after(() => probe.close());
  const connections: number[] = [];
  for (now of [0, 599, 600, 1199]) {
    await probe.probe(endpointOf(server.address));
    connections.push(server.connections);
  }
  assert.deepEqual(connections, [1, 1, 2, 2]);
});

/** Names with these addresses, or with this error. */
function namesOf(answer: () => readonly string[] | string): NameLookup {
  const lookup: LookupFunction = (_, { all = false }, done) => {
    const found = answer();
    if (typeof found === 'string') done(Object.assign(new Error(found), { code: found }), []);
    else if (all)
      done(
        null,
        found.map((address) => ({ address, family: 4 })),
      );
    else done(null, found[0] ?? '', 4);
  };
  return { lookup, isPending: () => false };
}

test('a listed server is polled through the proxy, over one tunnel while it stays open', async (t) => {
  const proxy = await startConnectProxy(t);
  const server = await FakeSimulationServer.start(10);
  t.after(() => server.stop());
  const proxies = { http: proxy.url, except: 'direct.example' };
  const probe = createLoadProbe({ ssl: false, timeout: 30, keepAlive: 100, now: seconds, names, proxies });
  t.after(() => probe.close());
  const endpoint = endpointOf(`sim.example:${server.port}`);
  for (let polls = 0; polls < 2; polls += 1) {
    const result = await probe.probe(endpoint);
    assert.equal(result.kind === 'sample' && result.load, 10);
  }
  assert.deepEqual(proxy.tunnels, [`sim.example:${server.port}`]);

  server.closeIdleConnections();
  assert.equal((await probe.probe(endpoint)).kind, 'sample', 'a tunnel that ended while it was idle is opened again');
  assert.equal(proxy.tunnels.length, 2);

  const upgrade = await probeUpgrade(`ws://sim.example:${server.port}/client`, { timeout: 30, proxies });
  assert.deepEqual(upgrade, { kind: 'opened' });
  server.opensClient = false;
  const refused = await probeUpgrade(`ws://sim.example:${server.port}/client`, { timeout: 30, proxies });
  assert.match(refused.kind === 'failed' ? refused.reason : '', /\(through a proxy\)$/);
  assert.equal(server.clientRequests, 2);
});

test('excluded hosts and registered servers are polled directly', async (t) => {
  const proxy = await startConnectProxy(t);
  const server = await FakeSimulationServer.start(10);
  t.after(() => server.stop());
  const loopback = namesOf(() => ['127.0.0.1']);
  for (const [except, guard] of [
    ['.example', undefined],
    ['', () => createGuardedLookup(() => undefined, loopback.lookup)],
  ] as const) {
    const proxies = { http: proxy.url, except };
    const common = { ssl: false, timeout: 30, keepAlive: 100, now: seconds, names: loopback, proxies };
    const probe = createLoadProbe({ ...common, ...(guard !== undefined && { guard }) });
    t.after(() => probe.close());
    assert.equal((await probe.probe(endpointOf(`sim.example:${server.port}`))).kind, 'sample');
  }
  assert.deepEqual(proxy.tunnels, []);
});

test('a proxy that refuses is named as the cause, with the variable to set', async (t) => {
  const proxy = await startConnectProxy(t);
  proxy.status = 403;
  const proxies = { http: proxy.url, except: '' };
  const probe = createLoadProbe({ ssl: false, timeout: 30, keepAlive: 100, now: seconds, names, proxies });
  t.after(() => probe.close());
  const result = await probe.probe(endpointOf('sim.example:2000'));
  const { code, reason } = result.kind === 'failed' ? result.failure : { code: '', reason: '' };
  assert.equal(code, 'proxy');
  assert.match(reason, /^the proxy does not connect to it \(it answers CONNECT with status 403\)\. .* NO_PROXY/);
});

test('a quotation from a long answer is short and on one line', async () => {
  const server = await FakeSimulationServer.start(replies(200, `\r\n\u0007${'x'.repeat(MAX_ANSWER - 10)}`));
  const result = await probeOnce(server);
  assert.ok(result.kind === 'failed' && !/[\r\n\u0007]/.test(result.failure.reason) && result.failure.reason.length < 120);
});

test('a server whose name cannot be resolved in time is distinguished from one that does not answer', async (t) => {
  const silent = { lookup: () => undefined, isPending: (host: string) => host === 'lab.example' };
  const probe = createLoadProbe({ ssl: false, timeout: 0.05, keepAlive: 10, now: seconds, names: silent });
  t.after(() => probe.close());
  const result = await probe.probe(endpointOf('lab.example:2000'));
  assert.deepEqual(result.kind === 'failed' && result.failure, {
    code: 'name',
    reason: 'DNS lookup timed out after 0.05 s',
  });
});

for (const [title, ssl, secure, reason] of [
  [
    'plain http where https is asked for',
    true,
    false,
    /^it does not speak https\. If it speaks http, set "pollSsl" \(or "ssl"\) to false$/,
  ],
  ['https where plain http is asked for', false, true, /If it speaks https, set "pollSsl" \(or "ssl"\) to true$/],
  [
    'a certificate that no known authority signed',
    ...[true, true],
    /^its certificate is not accepted \(DEPTH_ZERO_SELF_SIGNED_CERT\): .*; if your own authority signed it, name that authority in NODE_EXTRA_CA_CERTS, or set "pollSsl"/,
  ],
] as const) {
  test(`${title} is a failure that says what to change`, async (t) => {
    const answer: RequestListener = (_, response) => response.end('20');
    const server = secure ? createTlsServer(makeCertificate({ names: ['localhost'] }), answer) : createServer(answer);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const probe = createLoadProbe({ ssl, timeout: 2, keepAlive: 10, now: seconds, names });
    t.after(() => probe.close());
    const result = await probe.probe(endpointOf(`localhost:${port}`));
    assert.match(result.kind === 'failed' ? result.failure.reason : 'a load', reason);
  });
}

test('a server that does not send its certificate chain is reported as such, with what to install', async (t) => {
  const { key } = makeCertificate({ names: ['Intermediate'] });
  const certificate = makeCertificate({ names: ['localhost'], issuer: { name: 'Intermediate', key } });
  const server = createTlsServer(certificate, (_, response) => response.end('20'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const probe = createLoadProbe({ ssl: true, timeout: 2, keepAlive: 10, now: seconds, names });
  t.after(() => probe.close());
  const result = await probe.probe(endpointOf(`localhost:${port}`));
  assert.match(
    result.kind === 'failed' ? result.failure.reason : 'a load',
    /^it does not send its certificate chain \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\); install fullchain\.pem there/,
  );
});

test('a server that has spoken http gets no advice about https when it fails', async (t) => {
  const failures: readonly [answer: RequestListener, reason: string][] = [
    [(request) => request.socket.destroy(), 'it closed the connection without an answer'],
    [(request) => request.socket.end('+OK ready\r\n\r\n'), 'its answer is not HTTP'],
  ];
  for (const [failure, reason] of failures) {
    const server = await FakeSimulationServer.start(20);
    t.after(() => server.stop());
    const probe = createLoadProbe({ ssl: false, timeout: 2, keepAlive: 10, now: seconds, names });
    t.after(() => probe.close());
    const endpoint = endpointOf(server.address);
    const told = async () => {
      const result = await probe.probe(endpoint);
      return result.kind === 'failed' ? result.failure.reason : result.load;
    };
    assert.equal(await told(), 20);
    server.answer = failure;
    // The first of two connections was open since before, and its answer proves nothing.
    await told();
    assert.ok(String(await told()).startsWith(reason));
    assert.doesNotMatch(String(await told()), /https/);
    probe.forget(endpoint.id);
    assert.match(String(await told()), /If it speaks https/, 'another server may have its address');
  }
});
