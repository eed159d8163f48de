/**
 * Live and dead clients on real WebSockets: a quiet one is never disconnected, a dead one is found by ping
 * (docs/design/protocol.md, "WebSocket"). Only the clock is not real.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createSockets } from '../../src/http/server/sockets.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { RawConnection, requestText } from '../support/raw-http.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startProgram } from '../support/start-program.ts';

const UPGRADE = requestText(
  'GET /',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
);

async function start(t: TestContext) {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const sockets = createSockets({
    ...{ clock, log, subprotocols: [], allowedOrigins: () => undefined, bufferBytes: () => 65_536 },
    addressOf: () => ({ address: '127.0.0.1', limitKey: '127.0.0.1' }),
    maxSockets: () => 100,
    handlers: { '/': () => undefined },
  });
  const server = createServer().on('upgrade', sockets.upgrade);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    await sockets.close(0);
    server.close();
  });
  return { clock, sockets, port: (server.address() as AddressInfo).port };
}

test('a client that says nothing and answers pings stays for hours; one that does not answer is gone after two rounds', async (t) => {
  const { clock, sockets, port } = await start(t);
  const quiet = await Promise.all(Array.from({ length: 20 }, () => new SocketClient(t, `ws://127.0.0.1:${port}/`).open()));
  const pings = new Map<SocketClient, number>(quiet.map((client) => [client, 0]));
  for (const client of quiet) client.socket.on('ping', () => pings.set(client, (pings.get(client) ?? 0) + 1));
  const dead = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const connection = new RawConnection(t, port).send(UPGRADE);
      assert.equal((await connection.response()).status, 101);
      return connection;
    }),
  );
  assert.equal(sockets.count(), 25);

  for (let round = 1; round <= 120; round += 1) {
    await clock.advance(30);
    // Its answers have arrived before time goes on.
    await eventually(`ping ${round} of every quiet client`, () => [...pings.values()].every((count) => count >= round));
    const gone = new Promise<void>((resolve) => quiet[0]?.socket.once('pong', () => resolve()));
    quiet[0]?.socket.ping();
    await gone;
    if (round === 3) await eventually('the dead to be gone', () => sockets.count() === 20);
  }
  for (const connection of dead) await connection.closed;
  assert.equal(sockets.count(), 20);
  for (const { socket } of quiet) assert.equal(socket.readyState, socket.OPEN);
});

test('a single client whose pong comes seconds late is asked every thirty seconds and stays', async (t) => {
  const { clock, sockets, port } = await start(t);
  const slow = await new SocketClient(t, `ws://127.0.0.1:${port}/`, { autoPong: false }).open();
  let pings = 0;
  slow.socket.on('ping', () => (pings += 1));
  for (let round = 1; round <= 3; round += 1) {
    await clock.advance(round === 1 ? 30 : 25);
    await eventually(`ping ${round}`, () => pings === round);
    await clock.advance(5);
    // It answers now; that this has arrived is seen by the answer to a ping of its own.
    slow.socket.pong();
    const heard = new Promise<void>((resolve) => slow.socket.once('pong', () => resolve()));
    slow.socket.ping();
    await heard;
  }
  assert.equal(pings, 3);
  assert.equal(sockets.count(), 1);
});

test('time limits of HTTP are none for a WebSocket', async (t) => {
  const program = await startProgram(t, { simulationServers: ['127.0.0.1:9'], limits: { headerTimeout: 1 } });
  const sockets = await Promise.all(['/', '/session'].map((path) => new SocketClient(t, program.socketUrl + path).open()));
  await Promise.all(sockets.map((socket) => socket.message(1)));
  // Two of these one after the other are disconnected: so much time has passed then.
  for (let i = 0; i < 2; i += 1) assert.equal((await new RawConnection(t, program.port).response()).status, 408);
  for (const { socket } of sockets) assert.equal(socket.readyState, socket.OPEN);
});

test('a client that closes leaves the line, though the end of its connection never comes', async (t) => {
  const program = await startProgram(t, { simulationServers: ['127.0.0.1:9'] });
  const waiting = async () =>
    (JSON.parse(await program.get('/api/v1/availability')) as { waiting: { length: number } }).waiting.length;
  const client = new SocketClient(t, `${program.socketUrl}/session`);
  await client.message(1);
  assert.equal(await waiting(), 1);
  // Its machine falls asleep after the last word.
  client.socket.pause();
  client.socket.close();
  await eventually('it to be gone', async () => (await waiting()) === 0);
  assert.notEqual(client.socket.readyState, client.socket.CLOSED);
});

test('one address gets half of the WebSockets, and as many again when they are gone', async (t) => {
  const { port, sockets } = await start(t);
  const url = `ws://127.0.0.1:${port}/`;
  const half = await Promise.all(Array.from({ length: 50 }, () => new SocketClient(t, url).open()));
  await assert.rejects(new SocketClient(t, url).open(), /503/);
  half[0]?.socket.terminate();
  await eventually('one is gone', () => sockets.count() === 49);
  await new SocketClient(t, url).open();
});
