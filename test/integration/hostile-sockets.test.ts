/** WebSocket clients that break the rules: each is closed for what it did, and no other client notices. */
import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { eventually, inTime } from '../support/eventually.ts';
import { RawConnection, requestText } from '../support/raw-http.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startProgram, type Scope } from '../support/start-program.ts';

const scope = { after };
const program = await startProgram(scope, { simulationServers: ['127.0.0.1:9'], limits: { bufferBytes: 4096, clients: 2000 } });
const MEGABYTE = 1024 * 1024;
/** Those who must not notice: one on each path. */
const bystander = await new SocketClient(scope, `${program.socketUrl}/`).open();
const waiting = await new SocketClient(scope, `${program.socketUrl}/session`).open();
await Promise.all([bystander.message(1), waiting.message(1)]);

afterEach(async () => {
  const { messages, socket } = bystander;
  assert.deepEqual([messages, socket.readyState], [['0'], socket.OPEN]);
  assert.deepEqual([waiting.messages[0], waiting.socket.readyState], ['queue: 1', socket.OPEN]);
  assert.equal(await program.get('/'), '0');
  assert.equal(program.stderr, '');
});

/** A WebSocket by hand, opened. */
async function openRaw(t: Scope, path: string): Promise<RawConnection> {
  const connection = new RawConnection(t, program.port).send(
    requestText(
      `GET ${path}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ),
  );
  assert.equal((await connection.response()).status, 101);
  return connection;
}

/** A frame as a client sends it; RFC 6455 § 5.2. The mask is zero, so that the payload is readable. */
function frame(first: number, payload: Buffer | string, { masked = true, length = Buffer.byteLength(payload) } = {}): Buffer {
  const bytes = Buffer.from(payload);
  const bit = masked ? 0x80 : 0;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = first;
  if (length < 126) head[1] = bit | length;
  else if (length < 65_536) {
    head[1] = bit | 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = bit | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, masked ? Buffer.alloc(4) : Buffer.alloc(0), bytes]);
}

/** Code of the close frame that was received last. */
function closeCode({ received }: RawConnection): number | undefined {
  const bytes = Buffer.from(received, 'latin1');
  for (let at = 0; at + 4 <= bytes.length; at += 2 + (bytes[at + 1] ?? 0)) {
    if (bytes[at] === 0x88) return bytes.readUInt16BE(at + 2);
  }
  return undefined;
}

const TEXT = 0x81;
const BINARY = 0x82;
const PING = 0x89;

const bad: readonly (readonly [what: string, code: number, bytes: Buffer])[] = [
  ['a message that is too big', 1009, frame(TEXT, 'x'.repeat(4097))],
  ['a message that is announced as far too big', 1009, frame(BINARY, 'x', { length: 2 ** 40 })],
  [
    'a message in far more frames than it has bytes',
    1008,
    Buffer.concat([frame(0x01, 'x'), ...Array<Buffer>(20).fill(frame(0x00, ''))]),
  ],
  ['a length that no number holds', 1009, Buffer.from('82ff7fffffffffffffff00000000', 'hex')],
  ['a message that grows too big in parts', 1009, Buffer.concat([frame(0x01, 'x'.repeat(4000)), frame(0x80, 'x'.repeat(4000))])],
  ['a frame without a mask', 1002, frame(TEXT, 'x', { masked: false })],
  ['a reserved bit', 1002, frame(0xc1, 'x')],
  ['an operation that does not exist', 1002, frame(0x83, 'x')],
  ['a continuation of nothing', 1002, frame(0x80, 'x')],
  ['a message in the middle of another', 1002, Buffer.concat([frame(0x01, 'x'), frame(TEXT, 'x')])],
  ['a ping in parts', 1002, frame(0x09, 'x')],
  ['a ping that is too long', 1002, frame(PING, 'x'.repeat(126))],
  ['text that is not UTF-8', 1007, frame(TEXT, Buffer.from([0xc3, 0x28]))],
  ['a close with half a code', 1002, frame(0x88, 'x')],
  ['a close with a code that must not be sent', 1002, frame(0x88, Buffer.from([0x03, 0xed]))],
  ['HTTP in the middle of the conversation', 1002, Buffer.from(requestText('GET /session'))],
];

for (const path of ['/', '/session']) {
  describe(`WebSocket ${path}`, () => {
    for (const [what, code, bytes] of bad) {
      test(`${what} is closed with ${code}`, async (t) => {
        const connection = (await openRaw(t, path)).send(bytes);
        await eventually('a close frame', () => closeCode(connection) !== undefined);
        assert.equal(closeCode(connection), code);
        connection.socket.end();
        await inTime('the end of the connection', connection.closed);
      });
    }

    test('a client that causes messages and never reads is disconnected at its buffer limit', async (t) => {
      const before = program.memory;
      const connection = await openRaw(t, path);
      connection.socket.pause();
      const pings = Buffer.concat(Array.from({ length: 500 }, () => frame(PING, 'x'.repeat(125))));
      let sent = 0;
      const pump = () => {
        while (!connection.socket.destroyed && sent < 96 * MEGABYTE) {
          sent += pings.length;
          if (!connection.socket.write(pings)) {
            connection.socket.once('drain', pump);
            return;
          }
        }
      };
      pump();
      await eventually('the client to be dropped', () => connection.socket.destroyed || sent >= 96 * MEGABYTE);
      assert.ok(connection.socket.destroyed, `${sent} bytes of pings were taken`);
      assert.ok(program.memory - before < 60 * MEGABYTE, `${(program.memory - before) / MEGABYTE} MB more`);
    });

    test('a client that ends its side without a close frame is forgotten', async (t) => {
      const connection = await openRaw(t, path);
      connection.socket.end();
      await inTime('the end of the connection', connection.closed);
    });
  });
}

test('a client that is disconnected for bad behaviour loses its place in line', async (t) => {
  const length = async () => /^session_server_waiting_tickets (\d+)$/m.exec(await program.get('/metrics'))?.[1];
  assert.equal(await length(), '1');
  const connection = await openRaw(t, '/session');
  await eventually('its place', async () => (await length()) === '2');
  connection.send(frame(0x83, 'x'));
  await eventually('its place to be given up', async () => (await length()) === '1');
});

test('a few hundred sockets that say nothing stay open, and each receives what changes', async (t) => {
  const clients = await Promise.all(Array.from({ length: 300 }, () => openRaw(t, '/')));
  await eventually('all to be notified', () => clients.every(({ received }) => received === '\x81\x010'));
  assert.match(await program.get('/metrics'), /^session_server_websockets 30\d$/m);
});
