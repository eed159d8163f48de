/**
 * A simulation server as clients of it know it
 * (docs/design/protocol.md, "Simulation servers" and "URLs in gateway mode"): `/load`, and a `/client` that does what
 * a test wants. Every other path answers with what
 * was asked, so that a test sees what came through.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { eventually } from './eventually.ts';
import type { Scope } from './start-program.ts';

/** One client on `/client`. */
export interface ScriptedClient {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  readonly messages: string[];
  closed: boolean;
}

export type ClientScript = (client: ScriptedClient, server: ScriptedSimulationServer) => void;

export interface ScriptedOptions {
  readonly load?: number;
  readonly host?: string;
  readonly port?: number;
  readonly script?: ClientScript;
  readonly page?: (request: IncomingMessage, response: ServerResponse) => void;
}

export class ScriptedSimulationServer {
  readonly clients: ScriptedClient[] = [];
  readonly requests: IncomingMessage[] = [];
  load: number;
  script: ClientScript;
  /** How often its load was asked for. */
  loadsAsked = 0;
  /** Refuses every upgrade of a client with 503. */
  refusing = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor({ load = 10, script = streams, page = echoes }: ScriptedOptions) {
    this.load = load;
    this.script = script;
    this.#server = createServer((request, response) => {
      if (request.url === '/load') {
        this.loadsAsked += 1;
        response.writeHead(200, { 'Content-Type': 'text/html' }).end(String(this.load));
        return;
      }
      this.requests.push(request);
      page(request, response);
    });
    const webSockets = new WebSocketServer({ noServer: true });
    this.#server.on('upgrade', (request, socket, head) => {
      // The session server looks whether clients could connect. That is not a client.
      if (request.headers['user-agent'] === 'session-server') {
        webSockets.handleUpgrade(request, socket, head, (check) => check.on('error', () => undefined));
        return;
      }
      if (this.refusing) {
        socket.end('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
        return;
      }
      webSockets.handleUpgrade(request, socket, head, (webSocket) => this.#accept(webSocket, request));
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(scope: Scope, options: ScriptedOptions = {}): Promise<ScriptedSimulationServer> {
    const server = new ScriptedSimulationServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject).listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
    });
    scope.after(() => server.stop());
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get openClients(): number {
    return this.clients.filter(({ closed }) => !closed).length;
  }

  /** The client with this number; 1 is the first. */
  async client(number: number): Promise<ScriptedClient> {
    await eventually(`client ${number} of a simulation server`, () => this.clients.length >= number);
    const client = this.clients[number - 1];
    if (client === undefined) throw new Error('no such client');
    return client;
  }

  /** As a machine that loses its power, but for the silence. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: WebSocket, request: IncomingMessage): void {
    const client: ScriptedClient = { socket, request, messages: [], closed: false };
    this.clients.push(client);
    socket.on('error', () => undefined);
    socket.once('close', () => (client.closed = true));
    socket.on('message', (data: Buffer) => {
      client.messages.push(data.toString('utf8'));
      if (client.messages.length === 1) this.script(client, this);
    });
  }
}

/** Loads for a moment and then streams. */
export const streams: ClientScript = ({ socket }, { port }) => {
  socket.send('loading: Cloning');
  socket.send(`webots:ws://localhost/${port + 1}`);
};

/** Loads without an end. */
export const loads: ClientScript = ({ socket }) => socket.send('loading: Step 1/5');

/** Gives up as the original does. */
export const givesUp: ClientScript = ({ socket }) => {
  socket.send('loading: Error: no Docker image');
  socket.close();
};

/** Dies while it loads. */
export const dies: ClientScript = ({ socket }) => socket.terminate();

function echoes(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { method, url, rawHeaders } = request;
    response.writeHead(200, { 'Content-Type': 'application/json', 'X-Upstream': 'yes' });
    response.end(JSON.stringify({ method, url, rawHeaders, body: Buffer.concat(chunks).toString('latin1') }));
  });
}
