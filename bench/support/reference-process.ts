import { createServer } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { Client } from 'undici';
import { WebSocketServer } from 'ws';
import { obey } from './child.ts';
import type { ReferenceOrder } from './reference.ts';

const server = createServer((_, response) => {
  response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' }).end('ws://127.1.0.1:2000');
});
const sockets = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false });
server.on('upgrade', (request, stream, head) => {
  sockets.handleUpgrade(request, stream, head, (socket) => {
    socket.send('1');
  });
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  obey((order: ReferenceOrder) => {
    if (order.kind === 'forward') return forwardTo(order.port);
    if (order.kind === 'poll') for (const address of order.addresses) startPolling(address, order.interval * 1000);
    return (server.address() as AddressInfo).port;
  });
});

/** The least that a relay in Node can do: two sockets, piped into each other. */
async function forwardTo(port: number): Promise<number> {
  const forward = createTcpServer({ noDelay: true }, (socket) => {
    const upstream = connect({ port, host: '127.0.0.1', noDelay: true });
    for (const end of [socket, upstream]) end.on('error', () => undefined);
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => forward.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  return (forward.address() as AddressInfo).port;
}

function startPolling(address: string, intervalMs: number): void {
  const client = new Client(`http://${address}`, { keepAliveTimeout: 60_000, keepAliveMaxTimeout: 60_000 });
  const poll = async () => {
    const { body } = await client.request({ method: 'GET', path: '/load' });
    await body.text();
    setTimeout(() => void poll(), intervalMs);
  };
  setTimeout(() => void poll(), Math.random() * intervalMs);
}
