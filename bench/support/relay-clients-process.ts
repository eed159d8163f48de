/** See `relay-clients.ts`. */
import { connect as connectPlainly, type Socket } from 'node:net';
import { connect as connectByTls } from 'node:tls';
import { obey } from './child.ts';
import type { Destination, Exchange, Exchanged, RelayClientsOrder } from './relay-clients.ts';
import { frameOf, MessageCounter } from './web-socket-frames.ts';

interface Client {
  readonly socket: Socket;
  returned: () => void;
}

/** Maximum number of latencies reported. */
const MAX_KEPT = 200_000;
let clients: readonly Client[] = [];

obey(async (order: RelayClientsOrder): Promise<Exchanged> => {
  if (order.kind === 'exchange') return exchange(order.exchange);
  for (const { socket } of clients) socket.destroy();
  clients = await Promise.all(Array.from({ length: order.count }, () => open(order.to)));
  return { messages: 0, latencies: [] };
});

function open({ port, path, tls }: Destination): Promise<Client> {
  const to = { port, host: '127.0.0.1' };
  const socket = tls ? connectByTls({ ...to, rejectUnauthorized: false }) : connectPlainly(to);
  socket.setNoDelay(true);
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  const client: Client = { socket, returned: () => undefined };
  const messages = new MessageCounter(() => {
    client.returned();
  });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    let head = '';
    socket.on('data', function begin(bytes: Buffer) {
      head += bytes.toString('latin1');
      if (!head.endsWith('\r\n\r\n')) return;
      if (!head.startsWith('HTTP/1.1 101 ')) {
        reject(new Error(`no WebSocket: ${head.slice(0, 200)}`));
        return;
      }
      socket.off('data', begin);
      socket.on('data', (frames: Buffer) => messages.read(frames));
      resolve(client);
    });
  });
}

async function exchange({ size, seconds, pace }: Exchange): Promise<Exchanged> {
  const frame = frameOf(size, 'client');
  const began = performance.now();
  const end = began + seconds * 1000;
  const latencies: number[] = [];
  let messages = 0;
  const keep = (due: number) => {
    messages += 1;
    if (latencies.length < MAX_KEPT) latencies.push(performance.now() - due);
  };
  const asFastAsReturned = (client: Client) =>
    new Promise<void>((resolve) => {
      let sent = performance.now();
      client.returned = () => {
        keep(sent);
        sent = performance.now();
        if (sent < end) client.socket.write(frame);
        else resolve();
      };
      client.socket.write(frame);
    });
  const paced = async (client: Client, index: number, rate: number) => {
    const every = (clients.length * 1000) / rate;
    for (let due = began + (index * 1000) / rate; due < end; due += every) {
      await until(due);
      await new Promise<void>((resolve) => {
        client.returned = resolve;
        client.socket.write(frame);
      });
      keep(due);
    }
  };
  await Promise.all(clients.map((client, index) => (pace === undefined ? asFastAsReturned(client) : paced(client, index, pace))));
  return { messages, latencies };
}

async function until(time: number): Promise<void> {
  const left = time - performance.now();
  // Timers of Node come up to a millisecond early.
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, Math.ceil(left)));
}
