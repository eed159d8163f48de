/** A real HTTP proxy on a port of its own that opens tunnels. Every name resolves to the loopback there. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Scope } from './start-program.ts';

export interface ConnectProxy {
  readonly url: string;
  /** `host:port` of each tunnel that was asked for. */
  readonly tunnels: string[];
  /** The answer to the next requests; 200 opens a tunnel. */
  status: number;
}

export async function startConnectProxy(scope: Scope): Promise<ConnectProxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket.on('error', () => undefined).once('close', () => sockets.delete(socket)));
    return socket;
  };
  const server = createServer((_, response) => response.writeHead(405).end());
  server.on('connection', keep);
  server.on('connect', ({ url = '' }, socket: Socket) => {
    proxy.tunnels.push(url);
    if (proxy.status !== 200) {
      socket.end(`HTTP/1.1 ${proxy.status} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    const target = keep(connect(Number(url.split(':')[1]), '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n')));
    target.pipe(socket).pipe(target);
    target.once('close', () => socket.destroy());
    socket.once('close', () => target.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const proxy: ConnectProxy = { url: `http://127.0.0.1:${port}`, tunnels: [], status: 200 };
  return proxy;
}
