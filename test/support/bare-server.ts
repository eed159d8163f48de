/** A server on a free port that speaks no protocol by itself: a test writes its bytes. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** Answers the first bytes of each connection with this text and closes it, or does with the connection what the test says. Returns its port. */
export async function bareServer(t: TestContext, answer: string | ((socket: Socket) => void)): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    if (typeof answer === 'string') socket.once('data', () => socket.end(Buffer.from(answer, 'latin1')));
    else answer(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}
