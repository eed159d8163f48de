import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { eventually, inTime } from '../../../test/support/eventually.ts';
import { RawConnection, requestText } from '../../../test/support/raw-http.ts';
import { PerClientCounts } from '../../core/limits/per-client-counts.ts';
import { startHttpServer, type HttpServerOptions } from './server.ts';

/** More than the operating system keeps for two ends of a connection. */
const MUCH = 'x'.repeat(16_777_216);

async function start(t: TestContext, handle: RequestListener, options: Partial<HttpServerOptions> = {}) {
  const server = await startHttpServer({
    ...{ host: '127.0.0.1', port: 0, limits: { headerBytes: 16_384, headerTimeout: 10 }, maxClients: () => 100 },
    addressOf: () => ({ address: '127.0.0.1', limitKey: undefined }),
    places: { peerKey: () => undefined, isPrivileged: () => false, shares: new PerClientCounts() },
    ...{ handle, upgrade: () => undefined, turnedAway: () => undefined, ...options },
  });
  t.after(() => server.close(0));
  const open = (): Socket => {
    const socket = connect(server.port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    return socket;
  };
  return { server, open };
}

test('a client that reads nothing of its answer is disconnected, and one that reads slowly gets it all', async (t) => {
  let requests = 0;
  const handle: RequestListener = (_, response) => {
    requests += 1;
    response.end(MUCH);
  };
  const { server, open } = await start(t, handle, { unreadTimeout: 2 });
  open().pause();
  const slow = open();
  let size = 0;
  const began = performance.now();
  slow.on('data', (chunk: Buffer) => {
    size += chunk.length;
    // So that more than the patience passes between begin and end, and not much more.
    if (performance.now() - began > 3000) return;
    slow.pause();
    setTimeout(() => slow.resume(), 20);
  });
  await eventually('both requests', () => requests === 2);
  await eventually('the silent one is gone', () => server.connections() === 1);
  await eventually('the slow one has all', () => size > MUCH.length);
});

test('a client whose answer is slow is not disconnected', async (t) => {
  const { open } = await start(t, (_, response) => setTimeout(() => response.end('late'), 500), { unreadTimeout: 0.1 });
  const [answer] = (await once(open(), 'data')) as [Buffer];
  assert.match(answer.toString(), /late$/);
});

test('a connection that idles after its answer is closed when its time is over', async (t) => {
  const { server, open } = await start(t, (_, response) => response.end('here'), { keepAlive: 0.1 });
  const socket = open();
  await once(socket, 'data');
  await once(socket.resume(), 'end');
  await eventually('no connection is left', () => server.connections() === 0);
});

test('connections whose requests never end are ended once they hold too much together, and those with answers stay', async (t) => {
  const handle: RequestListener = (request, response) => request.resume().once('end', () => response.end('here'));
  const { server } = await start(t, handle, { incompleteBytes: 30_000 });
  const long = (size: number) => `X-Long: ${'x'.repeat(size)}`;
  const answered = new RawConnection(t, server.port);
  const answers = () => answered.received.split('here').length - 1;
  for (const request of [
    requestText('GET /', long(15_000)),
    requestText('POST /', 'Content-Length: 30000') + 'x'.repeat(30_000),
  ]) {
    const before = answers();
    answered.send(request);
    await eventually('an answer', () => answers() === before + 1);
  }
  const inHeaders = new RawConnection(t, server.port).send(`GET / HTTP/1.1\r\nHost: x\r\n${long(12_000)}`);
  const inBody = new RawConnection(t, server.port).send(requestText('POST /', 'Content-Length: 30000') + 'x'.repeat(20_000));
  await inTime('the end of the larger one', inBody.closed);
  await eventually('the others are left', () => server.connections() === 2);
  answered.send(requestText('GET /'));
  await eventually('another answer', () => answers() === 3);
  assert.equal(inHeaders.received, '');
});

for (const [title, ...headers] of [
  ['a WebSocket', 'Connection: Upgrade', 'Upgrade: websocket'],
  ['another protocol', 'Connection: Upgrade', 'Upgrade: h2c'],
] as const)
  test(`a client that asks for ${title} before its last answer is disconnected, and answers are never mixed`, async (t) => {
    const upgrades: string[] = [];
    const answers: ServerResponse[] = [];
    const { server } = await start(t, (_, response) => answers.push(response), {
      upgrade: ({ url = '' }) => upgrades.push(url),
    });
    const client = new RawConnection(t, server.port).send(requestText('GET /slow') + requestText('GET /next', ...headers));
    await inTime('the end of the connection', client.closed);
    for (const answer of answers) answer.end('late');
    assert.equal(client.received, '');
    assert.deepEqual(upgrades, []);
  });

test('a client that asks for a tunnel before its last answer is disconnected', async (t) => {
  const { server } = await start(t, () => undefined);
  const client = new RawConnection(t, server.port).send(requestText('GET /slow') + requestText('CONNECT x:1'));
  await inTime('the end of the connection', client.closed);
  assert.equal(client.received, '');
});

test('the requests of one connection are handled one after the other', async (t) => {
  const begun: string[] = [];
  const responses: ServerResponse[] = [];
  const { server } = await start(t, ({ url = '' }, response) => {
    begun.push(url);
    responses.push(response);
  });
  const paths = ['/first', '/second', '/third'];
  const client = new RawConnection(t, server.port).send(paths.map((path) => requestText(`GET ${path}`)).join(''));
  for (const [i, path] of paths.entries()) {
    await eventually(`the turn of ${path}`, () => begun.length > i);
    assert.deepEqual(begun, paths.slice(0, i + 1), 'the response before was complete');
    responses[i]?.end(path);
    assert.equal((await client.response()).body, path);
  }
});

test('the end of a connection is reported once to the request that has its turn, and none follows', async (t) => {
  const ends: string[] = [];
  const { server } = await start(t, ({ url = '' }, response) => {
    response.on('close', () => ends.push(url));
    if (url === '/answered') response.end('x');
  });
  const paths = ['/answered', '/first', '/second'];
  const client = new RawConnection(t, server.port).send(paths.map((path) => requestText(`GET ${path}`)).join(''));
  await client.response();
  assert.deepEqual(ends, ['/answered']);
  client.socket.destroy();
  await eventually('no connection is left', () => server.connections() === 0);
  assert.deepEqual(ends, ['/answered', '/first']);
});

test('a request whose connection ends before its turn comes is not handled', async (t) => {
  const handled: string[] = [];
  const { server } = await start(t, ({ url = '', socket }) => {
    handled.push(url);
    socket.destroy();
  });
  const client = new RawConnection(t, server.port).send(requestText('GET /first') + requestText('GET /second'));
  await inTime('the end of the connection', client.closed);
  assert.deepEqual(handled, ['/first']);
});

test('in a flood the reserve answers a health check and turns others away, WebSockets too', async (t) => {
  const turnedAway: string[] = [];
  const { server } = await start(t, (_, response) => response.end('ok'), {
    maxClients: () => 4,
    turnedAway: (why) => turnedAway.push(why),
  });
  const others = [new RawConnection(t, server.port), new RawConnection(t, server.port)];
  for (const other of others) assert.equal((await other.send(requestText('GET /')).response()).body, 'ok');
  const supervisor = new RawConnection(t, server.port);
  assert.equal((await supervisor.send(requestText('GET /livez')).response()).body, 'ok');
  const late = new RawConnection(t, server.port);
  const upgrade = requestText('GET /', 'Connection: Upgrade', 'Upgrade: websocket');
  assert.equal((await late.send(upgrade).response()).status, 503);
  await late.closed;
  const refused = await supervisor.send(requestText('GET /session')).response();
  assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '5']);
  await supervisor.closed;
  assert.deepEqual(turnedAway, ['too-many-clients', 'too-many-clients']);
});

test('a client may send 64 kB in thousands of headers, and the last one arrives', async (t) => {
  const { server } = await start(t, ({ headers }, response) => response.end(headers['x-last']), {
    limits: { headerBytes: 65_536, headerTimeout: 10 },
  });
  const many = Array.from({ length: 5000 }, (_, i) => `a${i}: 1`);
  const cookie = `Cookie: ${'x'.repeat(17_000)}`;
  const connection = new RawConnection(t, server.port);
  assert.equal((await connection.send(requestText('GET /', cookie, 'X-Last: here')).response()).body, 'here');
  assert.equal((await connection.send(requestText('GET /', ...many, 'X-Last: here')).response()).body, 'here');
});

test('nothing is written into a response that is under way when more arrives that is not HTTP', async (t) => {
  const { open } = await start(t, (_, response) => {
    response.writeHead(200, { 'Content-Length': 10 });
    response.write('begin');
  });
  const socket = open();
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  await eventually('the beginning', () => received.endsWith('begin'));
  socket.write('not HTTP at all\r\n\r\n');
  await once(socket, 'close');
  assert.match(received, /\r\n\r\nbegin$/);
});

test('a request that cannot be read is answered with the reason', async (t) => {
  const { server } = await start(t, (_, response) => response.end());
  const twice = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx';
  const answer = await new RawConnection(t, server.port).send(twice).response();
  assert.equal(answer.status, 400);
  assert.match(answer.body, /Content-Length is there twice/);
});
