/**
 * The ports of sessions. This server listens there before the simulator starts, relays only what a viewer needs, and closes the port with the session. The
 * simulator behind it may listen anywhere.
 */
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PerClientCounts } from '../../core/limits/per-client-counts.ts';
import { WaitingBytes } from '../../core/gateway/waiting-bytes.ts';
import type { InnerAddress } from '../../core/simulation/launch-plan.ts';
import type { Upstream } from '../../core/gateway/gateway-routes.ts';
import type { AddressOf } from '../../http/server/client-address.ts';
import { relayRequest } from '../../http/gateway/relay-http.ts';
import { relayWebSocket } from '../../http/gateway/relay-websocket.ts';
import { MAX_WAITING } from '../../http/gateway/relay-memory.ts';
import { RelaysInFlight } from '../../http/gateway/relays-in-flight.ts';
import { answerPlainly } from '../../http/server/plain-answers.ts';
import { unsharedPlaces } from '../../http/server/connection-places.ts';
import { startHttpServer, type HttpServer } from '../../http/server/server.ts';
import type { Log } from '../../ports.ts';
import type { StreamPort, StreamPorts } from '../ports.ts';
import { passablePath } from './stream-path.ts';

export interface StreamPortsOptions {
  readonly host: string;
  /** Sessions get the ports above it. */
  readonly port: number;
  readonly maxSessions: () => number;
  readonly server: () => string;
  readonly addressOf: AddressOf;
  readonly log: Log;
  /** A unique name in `Via`. */
  readonly via: string;
}

/** Connections to one stream at a time. */
const MAX_CONNECTIONS = 64;
const HTTP_LIMITS = { headerBytes: 16_384, headerTimeout: 10 };
const RELAY_LIMITS = { isFull: () => false, headerBytes: 65_536, connectTimeout: 5, headerTimeout: 30, idleTimeout: 86_400 };

export function createStreamPorts(options: StreamPortsOptions): StreamPorts {
  const held = new Set<number>();
  const memory = new WaitingBytes(MAX_WAITING, () =>
    options.log.limited('warn', 'stream memory', 'a stream was ended because its viewer does not read'),
  );
  return {
    async hold() {
      for (let port = options.port + 1; port <= options.port + options.maxSessions(); port += 1) {
        if (held.has(port)) continue;
        held.add(port);
        try {
          return await HeldPort.listen({ ...options, memory }, port, () => held.delete(port));
        } catch (error) {
          held.delete(port);
          if (!isTaken(error)) throw error;
          options.log.limited('info', `port ${port}`, `Port ${port} is already in use.`);
        }
      }
      return undefined;
    },
  };
}

interface HeldPortOptions extends StreamPortsOptions {
  /** Bytes that wait for viewers, of all streams together. */
  readonly memory: WaitingBytes;
}

class HeldPort implements StreamPort {
  readonly port: number;
  readonly #relays: RelaysInFlight;
  readonly #freed: () => void;
  readonly #sockets = new Set<Socket>();
  readonly #streams = new Set<Duplex>();
  #server: HttpServer | undefined;
  #upstream: Upstream | undefined;
  #deny: (path: string) => boolean = () => true;
  /** Of connections that are closed. */
  #closedBytes = 0;
  #isEnding = false;

  static async listen(options: HeldPortOptions, port: number, freed: () => void): Promise<HeldPort> {
    const held = new HeldPort(options, port, freed);
    held.#server = await startHttpServer({
      ...{
        host: options.host,
        port,
        limits: HTTP_LIMITS,
        maxClients: () => MAX_CONNECTIONS,
        addressOf: options.addressOf,
        places: unsharedPlaces(),
      },
      handle: (request, response) => {
        held.#handle(request, response);
      },
      upgrade: (request, socket, head) => {
        held.#upgrade(request, socket, head);
      },
      turnedAway: () => {
        options.log.limited('warn', `stream ${port}`, `more than ${MAX_CONNECTIONS} connections to the stream on port ${port}`);
      },
    });
    return held;
  }

  private constructor({ addressOf, log, memory, via, server }: HeldPortOptions, port: number, freed: () => void) {
    this.port = port;
    this.#freed = freed;
    const relaysByClient = new PerClientCounts();
    this.#relays = new RelaysInFlight({
      ...{
        limits: () => RELAY_LIMITS,
        addressOf,
        relaysByClient,
        memory,
        log,
        nameOf: () => 'the simulator',
        ssl: false,
        via,
        host: () => `${server()}:${port}`,
      },
    });
  }

  open(inner: InnerAddress, deny: (path: string) => boolean): void {
    this.#deny = deny;
    this.#upstream =
      inner.kind === 'tcp'
        ? { host: inner.host, port: inner.port }
        : { host: 'localhost', port: this.port, socketPath: inner.path };
  }

  watchers(): number {
    return this.#streams.size;
  }

  bytes(): number {
    let bytes = this.#closedBytes;
    for (const { bytesRead, bytesWritten } of this.#sockets) bytes += bytesRead + bytesWritten;
    return bytes;
  }

  closeStreams(): void {
    this.#isEnding = true;
    this.#upstream = undefined;
    this.#relays.close();
    for (const stream of this.#streams) stream.destroy();
  }

  async close(): Promise<void> {
    this.closeStreams();
    await this.#server?.close(0);
    this.#freed();
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const { method } = request;
    if (method !== 'GET' && method !== 'HEAD') {
      refuse(response, 405, 'Only GET and HEAD are allowed.', { Allow: 'GET, HEAD' });
      return;
    }
    const path = passablePath(request.url ?? '', this.#deny);
    if (this.#upstream === undefined) refuse(response, 503, this.#reason(), { 'Retry-After': '1' });
    else if (path === undefined) refuse(response, 404, 'There is no such file in this simulation.');
    else {
      this.#count(request.socket);
      relayRequest(this.#relays, request, response, { upstream: this.#upstream, path });
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#upstream === undefined) answerPlainly(socket, 503, `${this.#reason()}\n`);
    else if (request.url !== '/') answerPlainly(socket, 404, 'The stream is at the path /.\n');
    else {
      this.#count(request.socket);
      this.#streams.add(socket);
      socket.once('close', () => this.#streams.delete(socket));
      relayWebSocket(this.#relays, request, socket, head, { upstream: this.#upstream, path: '/' });
    }
  }

  #reason(): string {
    return this.#isEnding ? 'This simulation has ended.' : 'The simulation is not ready yet.';
  }

  #count(socket: Socket): void {
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#closedBytes += socket.bytesRead + socket.bytesWritten;
    });
  }
}

function refuse(response: ServerResponse, status: number, text: string, headers: Readonly<Record<string, string>> = {}): void {
  response
    .writeHead(status, { ...headers, 'Content-Type': 'text/plain; charset=utf-8', 'Access-Control-Allow-Origin': '*' })
    .end(`${text}\n`);
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES');
}
