import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { FakeAdmission } from '../../../test/support/fake-admission.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { SocketClient } from '../../../test/support/socket-client.ts';
import { createSessionSocket } from './session-socket.ts';

test('the gateway expects a client that was sent to a server', async (t) => {
  const admission = new FakeAdmission();
  const sent: [string, string][] = [];
  const handle = createSessionSocket({
    ...{ queue: admission, ready: Promise.resolve(), bufferBytes: () => 65_536 },
    ...{ log: new MemoryLog(), whyClosed: () => undefined },
    addressOf: () => ({ address: '192.0.2.1', limitKey: '192.0.2.1' }),
    sent: ({ bookingId }, address) => sent.push([bookingId, address]),
  });
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer().on('upgrade', (request, stream, head) => {
    sockets.handleUpgrade(request, stream, head, (socket) => handle(socket, stream, request, new URL('http://host/session')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const client = await new SocketClient(t, `ws://127.0.0.1:${(server.address() as AddressInfo).port}/session`).open();
  assert.equal(await client.message(1), 'queue: 1');
  assert.deepEqual(sent, []);
  const outcome = admission.settle();
  await client.ends();
  assert.ok(outcome?.kind === 'allocated');
  assert.deepEqual(sent, [[outcome.bookingId, '192.0.2.1']]);
});
