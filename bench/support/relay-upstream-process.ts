/** See `relay-upstream.ts`. It speaks as much HTTP and WebSocket as the relays need, so that it leaves the machine to what is measured. */
import { createHash } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { obey } from './child.ts';
import { PAGE_BYTES } from './relay-upstream.ts';
import { frameOf, MessageCounter } from './web-socket-frames.ts';

/** RFC 6455 § 1.3. */
const KEY_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const PAGE = `HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: ${PAGE_BYTES}\r\nConnection: close\r\n\r\n${'x'.repeat(PAGE_BYTES)}`;

const listener = createServer({ noDelay: true }, serve);
listener.listen(0, '127.0.0.1', () => {
  obey(() => (listener.address() as AddressInfo).port);
});

function serve(socket: Socket): void {
  let head = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', function begin(bytes) {
    head += bytes.toString('latin1');
    if (!head.includes('\r\n\r\n')) return;
    socket.off('data', begin);
    const key = /\r\nsec-websocket-key: *(\S+)/i.exec(head)?.[1];
    if (key === undefined) {
      socket.end(PAGE);
      return;
    }
    const accept = createHash('sha1')
      .update(key + KEY_SUFFIX)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    const messages = new MessageCounter((size) => socket.write(frameOf(size, 'server')));
    socket.on('data', (frames) => messages.read(frames));
  });
}
