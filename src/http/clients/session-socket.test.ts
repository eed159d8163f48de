import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { WebSocketServer } from 'ws';
import { FakeAdmission } from '../../../test/support/fake-admission.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { SocketClient } from '../../../test/support/socket-client.ts';
import { createSessionSocket } from './session-socket.ts';

async function start(t: TestContext) {
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
    sockets.handleUpgrade(request, stream, head, (socket) =>
      handle(socket, stream, request, new URL(request.url ?? '', 'http://host')),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { admission, sent, url };
}

test('the gateway expects a client that was sent to a server', async (t) => {
  const { admission, sent, url } = await start(t);
  const client = await new SocketClient(t, `${url}/session`).open();
  assert.equal(await client.message(1), 'queue: 1');
  assert.deepEqual(sent, []);
  const outcome = admission.settle();
  await client.ends();
  assert.ok(outcome?.kind === 'allocated');
  assert.deepEqual(sent, [[outcome.bookingId, '192.0.2.1']]);
});

test('a student beyond the seats of the class is sent the reason with the position', async (t) => {
  const { url } = await start(t);
  const reasonAt = async (path: string) => {
    const client = await new SocketClient(t, `${url}${path}`, { subprotocol: 'session-server.v1' }).open();
    return (JSON.parse(await client.message(1)) as { readonly reason: string | null }).reason;
  };
  assert.equal(await reasonAt('/session'), null);
  assert.match(
    (await reasonAt('/c/ROBO-101/session')) ?? '',
    /^All seats of this class are taken .* you wait like everyone else\.$/,
  );
});
