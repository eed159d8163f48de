/** A reverse proxy with `location = PATH` for some paths, as many sites of the original have it. Every other path is answered with 404. */
import { once } from 'node:events';
import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scope } from './start-program.ts';

export async function startExactPathsProxy(scope: Scope, target: string, paths: readonly string[]): Promise<string> {
  const server = createServer((request, response) => {
    // As nginx does by default, so WebSockets do not pass.
    const { connection: _, upgrade: __, ...headers } = request.headers;
    const { method, url = '' } = request;
    if (!paths.includes(url.replace(/\?.*$/s, ''))) {
      request.resume();
      response.writeHead(404).end('404 Not Found');
      return;
    }
    const onward = send(new URL(url, target), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.once('close', () => onward.destroy());
    request.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
