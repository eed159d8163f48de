import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer } from 'ws';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A simulation server on a real socket whose `/load` answers whatever a test wants, decent or not. Its `/client` opens and says nothing. */
export class FakeSimulationServer {
  /** Times of `/load` requests so far. */
  requests = 0;
  /** Without those of `/client`. */
  connections = 0;
  /** Opens `/client`; `false`: answers 404, as a load agent does. */
  opensClient = true;
  /** Times `/client` was asked for. */
  clientRequests = 0;
  answer: Answer;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(answer: Answer) {
    this.answer = answer;
    this.#server = createServer((request, response) => {
      this.requests += 1;
      this.answer(request, response);
    });
    const webSockets = new WebSocketServer({ noServer: true });
    this.#server.on('upgrade', (request, socket, head) => {
      this.connections -= 1;
      this.clientRequests += 1;
      if (this.opensClient) webSockets.handleUpgrade(request, socket, head, (client) => client.on('error', () => undefined));
      else socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    });
    this.#server.on('connection', (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(load: number | Answer = 0, { host = '127.0.0.1', port = 0 } = {}): Promise<FakeSimulationServer> {
    const server = new FakeSimulationServer(typeof load === 'number' ? reports(load) : load);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject).listen(port, host, resolve);
    });
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** As written in `simulationServers`. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  report(load: number): void {
    this.answer = reports(load);
  }

  /** Takes requests and never answers them. */
  hang(): void {
    this.answer = () => undefined;
  }

  /** Closes idle connections, as servers and reverse proxies do. */
  closeIdleConnections(): void {
    this.#server.closeIdleConnections();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function reports(load: number): Answer {
  return replies(200, String(load));
}

export function replies(status: number, body: string | Buffer, headers: Record<string, string> = {}): Answer {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(body);
  };
}
