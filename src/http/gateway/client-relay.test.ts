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
import { WaitingBytes } from '../../core/gateway/waiting-bytes.ts';
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
  /** Bytes that may wait; unlimited by default. */
  readonly memory?: number;
  /** Whether the class still comes. */
  readonly isEndDue?: boolean;
}

async function relay(
  t: TestContext,
  { sentTo, isFull = false, clientUrl, ready = Promise.resolve(), memory = Infinity, isEndDue = true }: More = {},
) {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const admission = new FakeAdmission();
  /** Bookings of clients that ask for another server. */
  const failed: (string | undefined)[] = [];
  /** Bookings whose clients are on their server. */
  const connected: string[] = [];
  let ids = 0;
  const clients = createClientRelay({
    ...{ clock, log, ssl: false, via: 'test', ready, memory: new WaitingBytes(memory) },
    newId: () => `client-${(ids += 1)}`,
    isEndDue: () => isEndDue,
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
    limits: () => ({ isFull: () => isFull, startTimeout: 10, connectTimeout: 1, headerBytes: 65_536 }),
    clientUrl: () => clientUrl,
    nameOf: (id) => id.replace(':', '/'),
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
    log,
    admission,
    failed,
    connected,
    count: clients.count,
    clients,
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

test('a client that came to a server without being sent there takes no place at the head of the line when it fails', async (t) => {
  const { admission, failed, open } = await relay(t, { sentTo: { server: SENT.server } });
  const client = await open();
  client.socket.send(START);
  await client.message(4);
  assert.deepEqual([failed, admission.line], [[], ['token-1']]);
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
async function oddServer(t: TestContext, frames: readonly Buffer[], more: readonly string[] = []): Promise<ClientUrl> {
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
      ...more,
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

for (const [title, count, length, opens] of [
  ['2,000 short headers', 2000, 20, true],
  ['60 kB of headers', 60, 1000, true],
  ['70 kB of headers', 70, 1000, false],
] as const)
  test(`a server whose answer has ${title} is ${opens ? 'taken' : 'given up, and the log says why'}`, async (t) => {
    const headers = Array.from({ length: count }, (_, i) => `X-${i}: `.padEnd(length, 'x'));
    const { log, open } = await relay(t, { sentTo: SENT, clientUrl: await oddServer(t, [STREAM], headers) });
    const client = await open();
    client.socket.send(START);
    assert.equal(await client.message(1), opens ? 'webots:ws://localhost/2001' : 'loading: Trying another machine');
    assert.match(log.complaints.join('\n'), opens ? /^$/ : /its response headers are too long/);
  });

test('a session with an announced end is shown it, and ends with a sentence', async (t) => {
  const endsAt = 1_700_000_600;
  const clientUrl = await oddServer(t, [STREAM]);
  const { clock, log, open } = await relay(t, { sentTo: { ...SENT, endsAt }, clientUrl });
  const client = await open();
  client.socket.send(START);
  await client.message(4);
  assert.deepEqual(client.messages, [
    'loading: 10 minutes, then a class is here',
    'docker: 10 minutes, then a class is here',
    'webots:ws://localhost/2001',
    'shutdownTimeout: 600',
  ]);
  await clock.advance(599);
  await settled(client);
  assert.equal(client.messages.length, 4);
  await clock.advance(1);
  assert.match(await client.message(5), /^error: The machines are needed for a class now; you may start again\.$/);
  await client.ends();
  assert.ok(log.lines.some(({ message }) => message.includes('ends as announced')));
});

test('a session goes on after its announced end if the class does not come any more', async (t) => {
  const sentTo = { ...SENT, endsAt: 1_700_000_600 };
  const { clock, count, open } = await relay(t, { sentTo, clientUrl: await oddServer(t, [STREAM]), isEndDue: false });
  const client = await open();
  client.socket.send(START);
  await client.message(4);
  await clock.advance(700);
  await settled(client);
  assert.deepEqual([client.messages.length, count().sessions], [4, 1]);
});

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
  for (let i = 0; i < 3; i += 1) client.socket.send('m'.repeat(4000));
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

test('a client that waits has 8 kB for what it says before it has a server, in however many messages', async (t) => {
  for (const [count, length, isCut] of [
    [2, 3000, false],
    [1, 200_000, true],
    [3, 3000, true],
    [40, 1, true],
  ] as const) {
    const { open } = await relay(t);
    const client = await open();
    client.socket.send(START);
    await client.message(2);
    for (let i = 0; i < count; i += 1) client.socket.send('m'.repeat(length));
    if (isCut) assert.equal((await client.ends()).code, 1008);
    else await settled(client);
    assert.equal(client.socket.readyState === client.socket.OPEN, !isCut);
  }
});

test('a client that reads nothing is ended when too much waits in memory', async (t) => {
  const text = Buffer.alloc(100_000, 'x');
  const head = Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 0x01, 0x86, 0xa0]);
  const messages = Array.from({ length: 200 }, () => Buffer.concat([head, text]));
  const { admission, count, open } = await relay(t, {
    // Enough for a message that is arriving, and not for one that also waits.
    ...{ sentTo: SENT, memory: 140_000 },
    clientUrl: await oddServer(t, [STREAM, ...messages]),
  });
  const client = await open();
  client.socket.send(START);
  client.socket.pause();
  await eventually('the booking to be released', () => admission.released.length > 0);
  assert.deepEqual(count(), { waiting: 0, sessions: 0 });
});

test('a client that never completes a message is ended when too much waits in memory', async (t) => {
  const { admission, open } = await relay(t, { sentTo: SENT, memory: 100_000 });
  const client = await open();
  // The first part of a message, and a control frame between parts.
  for (let i = 0; i < 12; i += 1) {
    client.socket.send('x'.repeat(10_000), { fin: false });
    client.socket.ping();
  }
  await client.ends();
  assert.deepEqual(admission.released, [SENT.bookingId]);
});

/** A client that was sent to a server which says these words, and then ends with this code, or does not. */
async function toldBy(t: TestContext, words: readonly string[], code?: number, start = START) {
  const end = code === undefined ? [] : [Buffer.from([0x88, 2, code >> 8, code & 0xff])];
  // In one packet: a reader of the first word knows that all have arrived.
  const frames = Buffer.concat([...words.map(frameOf), ...end]);
  const scene = await relay(t, { sentTo: SENT, clientUrl: await oddServer(t, [frames]) });
  const client = await scene.open();
  client.socket.send(start);
  await eventually('the server', () => scene.connected.length > 0);
  return { ...scene, client };
}

const RETRY = 'loading: Trying another machine';

test('a line of a build that begins with Error does not end a healthy start', async (t) => {
  const { client, failed } = await toldBy(t, [
    'loading: Error: optional package x is missing, going on',
    'loading: Step 3/3',
    'webots:ws://localhost/2001',
  ]);
  await client.message(2);
  assert.deepEqual(client.messages, ['loading: Step 3/3', 'webots:ws://localhost/2001']);
  assert.deepEqual(failed, []);
});

test('a line that looks like a failure is one when the server falls silent, or closes the connection', async (t) => {
  const words = ['loading: Step 1/3', 'loading: Error: no space left'];
  const silent = await toldBy(t, words);
  await silent.client.message(1);
  await silent.clock.advance(59);
  await settled(silent.client);
  assert.deepEqual(silent.client.messages, ['loading: Step 1/3']);
  await silent.clock.advance(1);
  assert.equal(await silent.client.message(2), RETRY);
  const closing = await toldBy(t, words, 1000);
  assert.equal(await closing.client.message(2), RETRY);
});

for (const [title, words, code] of [
  ['says without a prefix that the world does not exist, and stays', ['Error: arm.wbt does not exist.'], undefined],
  ['says that the URL is wrong', ['loading: Error: Wrong Webots simulation URL'], 1005],
  ['closes with 1008', ['loading: Error: never', 'error: never'], 1008],
] as const)
  test(`a client whose server ${title} gets the reason and no other machine`, async (t) => {
    const { client, admission, failed, log } = await toldBy(t, words, code === 1005 ? undefined : code);
    assert.equal((await client.ends()).code, 1000);
    assert.match(client.messages.join(), /^error: (?:arm\.wbt does not exist\.|Wrong Webots simulation URL|never)$/);
    assert.deepEqual([admission.released, failed], [[SENT.bookingId], []], 'its place is free, and no server is charged');
    assert.deepEqual(log.complaints, []);
  });

test('a client whose server closes with 1013 after it refused is sent to another machine', async (t) => {
  const { client, log } = await toldBy(t, ['loading: Error: arm.wbt does not', 'error: full'], 1013);
  assert.equal(await client.message(1), RETRY);
  assert.match(log.complaints.join(), /^sim1\.example\.org\/2000 simulation server failed a client/, 'by its configured name');
});

test('an error that makes clients quit means another machine when no close code follows', async (t) => {
  const { client, clock } = await toldBy(t, ['loading: Step 1/3', 'error: out of luck']);
  await client.message(1);
  await clock.advance(2);
  assert.equal(await client.message(2), RETRY);
});

test('a server that says nothing before the session has ten minutes, and each word gives it ten more', async (t) => {
  const mute = await toldBy(t, []);
  await mute.clock.advance(599);
  await settled(mute.client);
  assert.deepEqual(mute.client.messages, []);
  await mute.clock.advance(1);
  assert.equal(await mute.client.message(1), RETRY);
  const running = await toldBy(t, ['webots:ws://localhost/2001']);
  await running.client.message(1);
  await running.clock.advance(3600);
  await settled(running.client);
  assert.equal(running.client.messages.length, 1, 'a session may be silent');
});

test('a start message of an old client, which servers ignore, is not tried on one machine after the other', async (t) => {
  const { client, clock, failed } = await toldBy(t, [], undefined, '{"init":["https://example.org/x"]}');
  await clock.advance(600);
  assert.match(await client.message(1), /^error: /);
  assert.deepEqual(failed, []);
});

test('a client that waited is notified that its simulation is starting', async (t) => {
  const { admission, open } = await relay(t, { clientUrl: await oddServer(t, []) });
  const client = await open();
  client.socket.send(START);
  await client.message(2);
  admission.settle();
  assert.equal(await client.message(3), 'loading: Your simulation is starting');
  assert.equal(await client.message(4), 'docker: Your simulation is starting');
});

test('an operator ends a session: its client reads the reason, and the booking is free', async (t) => {
  const { clients, admission, open } = await relay(t, { sentTo: SENT, clientUrl: await oddServer(t, [STREAM]) });
  const client = await open();
  client.socket.send(START);
  await client.message(1);
  const [session] = clients.sessions();
  assert.deepEqual([session?.isRunning, session?.server, session?.bookingId], [true, SENT.server, SENT.bookingId]);
  assert.equal(clients.end('nobody', 'Over.'), undefined);
  assert.equal(clients.end(session?.id ?? '', `The lesson is over. ${'ü'.repeat(100)}`), true);
  const { code, reason } = await client.closed;
  assert.deepEqual([code, reason.startsWith('The lesson is over.'), Buffer.byteLength(reason) <= 123], [1000, true, true]);
  assert.match(client.messages.at(-1) ?? '', /^error: The lesson is over\./);
  assert.deepEqual([admission.released, clients.sessions()], [[SENT.bookingId], []]);
});

test('an operator moves a session: before its simulation runs at once, and afterwards by a code that allows to reconnect', async (t) => {
  const starting = await relay(t, { sentTo: SENT, clientUrl: await oddServer(t, []) });
  const first = await starting.open();
  first.socket.send(START);
  await eventually('a session that starts', () => starting.clients.sessions().length === 1);
  assert.equal(starting.clients.move(starting.clients.sessions()[0]?.id ?? ''), 'at-once');
  assert.equal(await first.message(1), RETRY);
  assert.deepEqual([starting.failed, starting.clients.sessions()], [[SENT.bookingId], []]);

  const running = await relay(t, { sentTo: SENT, clientUrl: await oddServer(t, [STREAM]) });
  const second = await running.open();
  second.socket.send(START);
  await second.message(1);
  assert.equal(running.clients.move(running.clients.sessions()[0]?.id ?? ''), 'closed');
  assert.equal((await second.closed).code, 1012);
  assert.deepEqual(running.admission.released, [SENT.bookingId]);
});
