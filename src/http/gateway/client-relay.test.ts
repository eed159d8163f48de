import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { WebSocketServer } from 'ws';
import { eventually } from '../../../test/support/eventually.ts';
import { FakeAdmission } from '../../../test/support/fake-admission.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { SocketClient } from '../../../test/support/socket-client.ts';
import { PerClientCounts } from '../../core/limits/per-client-counts.ts';
import { createClientRelay } from './client-relay.ts';
import type { Arrival } from './relayed-client.ts';
import type { ClientUrl } from './server-connection.ts';

const START = JSON.stringify({ start: { url: 'https://github.com/school/robots/blob/main/worlds/arm.wbt' } });

/** What differs from a client that comes to wait, and a server that is not in the fleet. */
interface More {
  readonly sentTo?: Arrival['sentTo'];
  readonly isFull?: boolean;
  readonly clientUrl?: ClientUrl;
  readonly ready?: Promise<unknown>;
}

async function relay(t: TestContext, { sentTo, isFull = false, clientUrl, ready = Promise.resolve() }: More = {}) {
  const clock = new FakeClock();
  const admission = new FakeAdmission();
  /** Bookings of clients that ask for another server. */
  const failed: (string | undefined)[] = [];
  /** Bookings whose clients are on their server. */
  const connected: string[] = [];
  const clients = createClientRelay({
    ...{ clock, log: new MemoryLog(), ssl: false, via: 'test', ready },
    queue: {
      wait: (request, waiter) => admission.wait(request, waiter),
      requeue: (request, { bookingId }, waiter) => {
        failed.push(bookingId);
        return admission.wait(request, waiter);
      },
      release: (bookingId) => admission.release(bookingId),
      connected(bookingId) {
        connected.push(bookingId);
        return Promise.resolve();
      },
    },
    relaysByClient: new PerClientCounts(),
    limits: () => ({ isFull: () => isFull, startTimeout: 10, connectTimeout: 1 }),
    clientUrl: () => clientUrl,
  });
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  const handle = clients.handler(() => ({
    address: { address: '192.0.2.1', limitKey: '192.0.2.1' },
    counted: true,
    ...(sentTo && { sentTo }),
  }));
  server.on('upgrade', (request, stream, head) => {
    sockets.handleUpgrade(request, stream, head, (socket) =>
      handle(socket, stream, request, new URL('http://host/relay/client')),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return {
    clock,
    admission,
    failed,
    connected,
    count: clients.count,
    open: () => new SocketClient(t, `ws://127.0.0.1:${port}/`).open(),
  };
}

/** What was sent before this was answered has arrived. */
async function settled({ socket }: SocketClient): Promise<void> {
  const answered = new Promise((resolve) => socket.once('pong', resolve));
  socket.ping();
  await answered;
}

test('a client whose place does not change is sent it again every 20 s, in both spellings', async (t) => {
  const { clock, open } = await relay(t);
  const client = await open();
  client.socket.send(START);
  await client.message(2);
  const updates = [...client.messages];
  assert.equal(updates.length, 2);
  for (let times = 1; times <= 3; times += 1) {
    await clock.advance(19);
    await settled(client);
    assert.equal(client.messages.length, 2 * times);
    await clock.advance(1);
    await client.message(2 * times + 2);
    assert.deepEqual(client.messages.slice(-2), updates);
  }
});

test('a client that says nothing is refused when its time is over, and not before', async (t) => {
  const { clock, open } = await relay(t);
  const client = await open();
  await clock.advance(9);
  await settled(client);
  assert.deepEqual(client.messages, []);
  await clock.advance(1);
  assert.match(await client.message(1), /^error: The client did not say/);
});

test('a start message that arrives after the client was rejected is ignored', async (t) => {
  const { clock, admission, open } = await relay(t);
  const client = await open();
  client.socket.once('message', () => client.socket.send(START));
  await clock.advance(10);
  await client.ends();
  assert.equal(client.messages.length, 1);
  assert.deepEqual(admission.line, []);
});

test('a server that has left the fleet is a failure, and the client waits again', async (t) => {
  const { admission, open } = await relay(t);
  const client = await open();
  client.socket.send(START);
  await client.message(2);
  admission.settle();
  await client.message(4);
  assert.ok(client.messages.includes('loading: Trying another machine'));
  assert.deepEqual(admission.line, ['token-3']);
});

const SENT = { server: 'sim1.example.org:2000', bookingId: 'its booking' };

test('a client that leaves before it requests a project leaves no booking behind', async (t) => {
  const { admission, open } = await relay(t, { sentTo: SENT });
  const client = await open();
  client.socket.close();
  await eventually('the booking to be released', () => admission.released.length > 0);
  assert.deepEqual(admission.released, [SENT.bookingId]);
});

test('a client whose start message is refused, or never comes, leaves no booking behind', async (t) => {
  const { admission, clock, open } = await relay(t, { sentTo: SENT });
  const odd = await open();
  odd.socket.send('rubbish');
  await odd.ends();
  const silent = await open();
  await clock.advance(10);
  await silent.ends();
  assert.deepEqual(admission.released, [SENT.bookingId, SENT.bookingId]);
});

test('a client for which the gateway has no place leaves no booking behind', async (t) => {
  const { admission, open } = await relay(t, { sentTo: SENT, isFull: true });
  assert.match(await (await open()).message(1), /^error: Too many clients/);
  assert.deepEqual(admission.released, [SENT.bookingId]);
});

test('the booking of a client whose server failed is released once, when it is sent to the next one', async (t) => {
  const { admission, failed, open } = await relay(t, { sentTo: SENT });
  const client = await open();
  client.socket.send(START);
  await client.message(4);
  assert.deepEqual(failed, [SENT.bookingId]);
  client.socket.close();
  await client.ends();
  assert.deepEqual(admission.released, []);
});

test('a client whose server failed, and that leaves before it can be sent to another one, leaves no booking behind', async (t) => {
  let begin = (): void => assert.fail('no test waits for it');
  const ready = new Promise<void>((resolve) => (begin = resolve));
  const { admission, failed, open } = await relay(t, { sentTo: SENT, ready });
  const client = await open();
  client.socket.send(START);
  await client.message(2);
  client.socket.close();
  await client.ends();
  begin();
  await ready;
  assert.deepEqual([admission.released, failed], [[SENT.bookingId], []]);
});

/** A simulation server that opens a connection, sends these bytes as its first frames, and never ends the connection by itself. */
async function oddServer(t: TestContext, frames: readonly Buffer[]): Promise<ClientUrl> {
  const sockets = new Set<Duplex>();
  const server = createServer();
  server.on('upgrade', ({ headers }: IncomingMessage, socket: Duplex) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    const accept = createHash('sha1')
      .update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    const head = [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${accept}`,
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    for (const frame of frames) socket.write(frame);
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/client`, inside: false };
}

const STREAM = frameOf('webots:ws://localhost/2001');
const OVER = Buffer.from([0x88, 2, 3, 0xf3]);

function frameOf(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);
}

test('a session that its server ends leaves no booking behind, though its client never agrees to the end', async (t) => {
  const { admission, connected, count, open } = await relay(t, { sentTo: SENT, clientUrl: await oddServer(t, [STREAM, OVER]) });
  const client = await open();
  client.socket.send(START);
  client.socket.pause();
  await eventually('the booking to be released', () => admission.released.length > 0);
  assert.deepEqual(connected, [SENT.bookingId], 'it was known to have begun');
  assert.deepEqual(admission.released, [SENT.bookingId]);
  assert.deepEqual(count(), { waiting: 0, sessions: 0 });
});

test('a client that is disconnected because it floods keeps no place in line, though it never agrees to the end', async (t) => {
  const { admission, open } = await relay(t);
  const client = await open();
  client.socket.send(START);
  await client.message(2);
  client.socket.pause();
  for (let i = 0; i < 17; i += 1) client.socket.send('more');
  await eventually('its place to be given up', () => admission.line[0] === 'token-1 away');
});

for (const [title, frame] of [
  ['says that it is over', OVER],
  ['sends bytes that are not a frame', Buffer.from([0xff, 0xff, 0xff])],
  ['announces a message that is too large', Buffer.from([0x81, 127, 0, 0, 0, 0, 1, 0, 0, 0])],
] as const) {
  test(`a client whose server ${title} is sent to another one, though its connection stays`, async (t) => {
    const { open } = await relay(t, { sentTo: SENT, clientUrl: await oddServer(t, [frame]) });
    const client = await open();
    client.socket.send(START);
    assert.equal(await client.message(1), 'loading: Trying another machine');
  });

  test(`a session whose server ${title} ends, though its connection stays`, async (t) => {
    const { open } = await relay(t, { sentTo: SENT, clientUrl: await oddServer(t, [STREAM, frame]) });
    const client = await open();
    client.socket.send(START);
    assert.equal((await client.ends()).code, 1011);
    assert.deepEqual(client.messages, ['webots:ws://localhost/2001']);
  });
}
