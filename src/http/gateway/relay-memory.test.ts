import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { getDefaultHighWaterMark } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { schema } from '../../config/schema.ts';
import { MAX_CLIENTS } from '../../core/gateway/expected-clients.ts';
import { WaitingBytes } from '../../core/gateway/waiting-bytes.ts';
import { MAX_INCOMPLETE } from '../server/incomplete-requests.ts';
import { MAX_UNREAD } from '../server/sockets.ts';
import { MAX_WAITING } from './relay-memory.ts';
import { MAX_EARLY_BYTES } from './relay-websocket.ts';
import { MAX_QUEUED_BYTES } from './relayed-client.ts';
import { splice } from './splice.ts';

test('in the worst case, everything that waits for clients and servers fits into 512 MB', () => {
  const { relays } = schema.parse({ simulationServers: [], gateway: { enabled: true } }).gateway.limits;
  /** What Node takes for a connection before it says that it is enough; 64 kB since Node 22. */
  const accepted = Math.max(65_536, getDefaultHighWaterMark(false));
  /** A read of the operating system may exceed the limit that it reaches. */
  const early = MAX_EARLY_BYTES + 65_536;
  const perRelay = Math.max(2 * accepted + MAX_QUEUED_BYTES, early);
  /** A name, an address and two ids, in each of the two lists. */
  const expected = 2 * MAX_CLIENTS * 400;
  const total = MAX_WAITING + relays * perRelay + expected + MAX_INCOMPLETE + MAX_UNREAD;
  assert.ok(total < 512 * 1024 * 1024, `${Math.round(total / 1024 / 1024)} MB`);
});

/** Both ends of a connection. */
async function pair(t: TestContext): Promise<readonly [near: Socket, far: Socket]> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const near = connect((server.address() as { port: number }).port, '127.0.0.1');
  const far = await accepted;
  t.after(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  for (const socket of [near, far]) socket.on('error', () => undefined);
  return [near, far];
}

test('a stream without a reader is counted while it waits, and ended when too much waits', async (t) => {
  for (const max of [Infinity, 50_000]) {
    const [[client, ours], [upstream, server]] = await Promise.all([pair(t), pair(t)]);
    const waiting = new WaitingBytes(max);
    const held = waiting.hold(() => ours.destroy());
    const ended = splice(ours, upstream, 60, held);
    client.pause();
    server.write(Buffer.alloc(20_000_000));
    if (max === Infinity) {
      while (waiting.total === 0) await new Promise((resolve) => setImmediate(resolve));
      client.resume();
      while (waiting.total > 0) await new Promise((resolve) => setImmediate(resolve));
      client.destroy();
    }
    await ended;
  }
});
