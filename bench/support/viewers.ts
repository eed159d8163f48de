/** Open monitor pages without a browser: connections that read the live events and throw them away. */
import { connect, type Socket } from 'node:net';

export interface Viewers {
  /** Bytes all of them read so far. */
  readonly bytes: () => number;
  leave(): void;
}

export async function openViewers(port: number, count: number): Promise<Viewers> {
  let bytes = 0;
  const open = () =>
    new Promise<Socket>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('error', reject);
      socket.on('data', (piece: Buffer) => {
        bytes += piece.length;
      });
      socket.once('data', () => resolve(socket));
      socket.write('GET /monitor/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    });
  const sockets = await Promise.all(Array.from({ length: count }, open));
  return {
    bytes: () => bytes,
    leave() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
