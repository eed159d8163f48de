/** A simulation server as a reverse proxy or a check sees it: `/load`, `/monitor`, a WebSocket `/client` that says what it was asked with, and an echo at any other path. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { Scope } from './start-program.ts';

export class ClientSocketServer {
  load: number | string = 10;
  /** Opens WebSockets. */
  opens = true;
  /** WebSockets that were opened. */
  clients = 0;
  /** Of answers that are not `/load`. */
  headers: Readonly<Record<string, string>> = {};
  readonly requests: { readonly url: string; readonly headers: IncomingHttpHeaders }[] = [];
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });

  private constructor() {
    this.#server = createServer((request, response) => {
      const { url = '', headers } = request;
      this.requests.push({ url, headers });
      if (url === '/load') response.writeHead(200, { 'content-type': 'text/html' }).end(String(this.load));
      else {
        const { method = '' } = request;
        const echo = () => response.writeHead(200, { 'content-type': 'text/plain', ...this.headers }).end(`${method} ${url}`);
        // Not before it was sent: Apache takes an answer that comes earlier for a fault.
        if (method === 'POST') request.resume().once('end', echo);
        else echo();
      }
    });
    this.#server.on('upgrade', (request, socket, head) => {
      const { url = '', headers } = request;
      this.requests.push({ url, headers });
      if (!this.opens) {
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (client) => {
        this.clients += 1;
        client.on('message', (data: Buffer, isBinary) => client.send(data, { binary: isBinary }));
        client.on('error', () => undefined);
        client.send(`loading: ${url}`);
      });
    });
  }

  static async start(scope: Scope, { port = 0, host = '127.0.0.1' } = {}): Promise<ClientSocketServer> {
    const server = new ClientSocketServer();
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject).listen(port, host, resolve);
    });
    scope.after(() => server.stop());
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** As written in `simulationServers`. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate();
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }
}
