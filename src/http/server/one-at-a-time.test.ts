import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { WebSocket } from 'ws';
import { bareServer } from '../../../test/support/bare-server.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { RawConnection, requestText } from '../../../test/support/raw-http.ts';
import { WaitingBytes } from '../../core/gateway/waiting-bytes.ts';
import { ServerConnection } from '../gateway/server-connection.ts';
import { createSockets } from './sockets.ts';

const MESSAGES = 500;
const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
/** Empty messages in one packet. Those of a client have a mask (RFC 6455 § 5.1). */
const OF_SERVER = Buffer.from('8200'.repeat(MESSAGES), 'hex');
const OF_CLIENT = Buffer.from('828000000000'.repeat(MESSAGES), 'hex');

/** Counts messages, and the most that came in one turn of the loop. */
class Turns {
  messages = 0;
  most = 0;
  #now = 0;

  readonly count = (): void => {
    this.messages += 1;
    this.#now += 1;
    this.most = Math.max(this.most, this.#now);
    if (this.#now === 1) setImmediate(() => (this.#now = 0));
  };
}

/** Opens a WebSocket by hand. */
async function upgraded(connection: RawConnection): Promise<RawConnection> {
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
  assert.equal((await connection.send(requestText('GET /', ...UPGRADE, key)).response()).status, 101);
  return connection;
}

for (const isRelayed of [false, true])
  test(`a packet full of empty messages of a ${isRelayed ? 'relayed client' : 'client'} is handled in many turns`, async (t) => {
    const turns = new Turns();
    const handler = (socket: WebSocket) => void socket.on('message', turns.count);
    const sockets = createSockets({
      ...{ clock: new FakeClock(), log: new MemoryLog(), handlers: { '/': handler }, subprotocols: [] },
      ...(isRelayed && { relayOf: () => handler }),
      addressOf: () => ({ address: '127.0.0.1', limitKey: undefined }),
      ...{ maxSockets: () => 10, allowedOrigins: () => undefined, bufferBytes: () => 65_536 },
    });
    const server = createServer().on('upgrade', sockets.upgrade);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(async () => {
      server.close();
      await sockets.close(0);
    });
    const client = await upgraded(new RawConnection(t, (server.address() as AddressInfo).port));
    client.send(OF_CLIENT);
    await eventually('all messages', () => turns.messages === MESSAGES);
    client.socket.destroy();
    await client.closed;
    assert.equal(turns.most, 1);
  });

test('a packet full of empty messages of a simulation server is handled in many turns', async (t) => {
  const port = await bareServer(t, (socket) => {
    socket.once('data', (request: Buffer) => {
      const key = /Sec-WebSocket-Key: (\S+)/i.exec(request.toString())?.[1] ?? '';
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      socket.write(`HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
      socket.write(OF_SERVER);
    });
  });
  const turns = new Turns();
  const held = new WaitingBytes(Infinity).hold(() => undefined);
  const url = { url: `ws://127.0.0.1:${port}/client`, inside: true };
  const connection = new ServerConnection(url, {}, { connectTimeout: 60, headerBytes: 16_384 }, held, {
    ...{ opened: () => undefined, received: turns.count, closed: () => undefined },
  });
  await eventually('all messages', () => turns.messages === MESSAGES);
  connection.drop();
  assert.equal(turns.most, 1);
});
