/** WebSocket clients by hand: they ask for the upgrade, then read short text frames and answer pings, so that ten thousand cost little. */
import { connect, type Socket } from 'node:net';
import { obey } from './child.ts';
import type { ClientsOrder, Heard } from './web-socket-clients.ts';

interface Client {
  text: string;
  at: number;
}

/** Connections that are opened at a time. */
const AT_A_TIME = 100;
/** RFC 6455 § 5.5.3: a masked pong without content. */
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);
const PING = 0x89;
const TEXT = 0x81;
const clients = new Set<Client>();

obey(async (order: ClientsOrder): Promise<Heard> => {
  if (order.kind === 'open') {
    let left = order.count;
    const one = async () => {
      while (left > 0) {
        left -= 1;
        await openClient(order.port);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, one));
    return heard('');
  }
  return heard(order.text);
});

function heard(wanted: string): Heard {
  const times = [...clients].filter(({ text }) => text === wanted).map(({ at }) => at);
  return { open: clients.size, clients: times.length, first: Math.min(...times), last: Math.max(...times) };
}

function openClient(port: number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.write(
    `GET / HTTP/1.1\r\nHost: localhost:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    listen(socket, resolve);
  });
}

function listen(socket: Socket, opened: () => void): void {
  const client: Client = { text: '', at: 0 };
  let head = '';
  socket.once('close', () => clients.delete(client));
  socket.on('data', (bytes) => {
    let frames = bytes;
    if (!clients.has(client)) {
      head += bytes.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      // The first frame may come with the head or after it.
      if (end < 0 || head.length === end + 4) return;
      if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`no WebSocket: ${head.slice(0, 60)}`);
      frames = Buffer.from(head.slice(end + 4), 'latin1');
      clients.add(client);
    }
    read(frames, client, socket);
    opened();
  });
}

/** Frames from the server are short here and arrive whole. */
function read(frames: Buffer, client: Client, socket: Socket): void {
  for (let at = 0; at + 2 <= frames.length; at += 2 + (frames[at + 1] ?? 0)) {
    if (frames[at] === PING) socket.write(PONG);
    if (frames[at] !== TEXT) continue;
    client.text = frames.toString('latin1', at + 2, at + 2 + (frames[at + 1] ?? 0));
    client.at = (performance.timeOrigin + performance.now()) / 1000;
  }
}
