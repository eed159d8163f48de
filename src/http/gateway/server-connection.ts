/** The WebSocket of one client's session to its simulation server. */
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, type RawData } from 'ws';
import type { HeldBytes } from '../../core/gateway/waiting-bytes.ts';
import type { AddressGuard } from '../../ports.ts';
import { valueOf, type MessageHeaders } from './headers.ts';
import { holdIncomplete, holdUnsent } from './relay-memory.ts';
import { ONE_AT_A_TIME } from '../server/one-at-a-time.ts';
import { failureOf } from './upstream-request.ts';
import { connecting, countAllHeaders, parsing } from './upstream-limits.ts';

export interface ClientUrl {
  readonly url: string;
  /** Reached by the gateway's own routes, so the simulation server should see the name by which the client came. */
  readonly inside: boolean;
  /** For a server that registered itself: it may only be reached at addresses that are allowed. */
  readonly guard?: AddressGuard & { readonly host: string };
}

export interface ServerConnectionLimits {
  /** Seconds a simulation server has to open the connection. */
  readonly connectTimeout: number;
  /** Maximum size of all headers of its response together. */
  readonly headerBytes: number;
}

export interface Message {
  readonly data: RawData;
  readonly binary: boolean;
}

export interface ServerConnectionHandlers {
  opened(): void;
  received(message: Message): void;
  /** `problem`: what went wrong, if anything did. */
  closed(code: number, reason: string, problem: string | undefined): void;
}

/** Bytes on their way to one side from which on the other side is not read. */
const HIGH_WATER = 32_768;
/** Maximum size of a simulation server's message, in bytes. */
const MAX_MESSAGE = 8_388_608;
/** Frames of one message, each of which costs memory besides its bytes. Simulation servers use one. */
const MAX_FRAGMENTS = 1024;
/** Packets of one message: enough for the largest message in small packets. */
const MAX_PACKETS = 16_384;
/** Seconds a simulation server has to agree that a connection ends. */
const CLOSE_TIMEOUT = 2;
/** Seconds between two checks by the operating system that a silent server is alive. */
const TCP_KEEP_ALIVE = 30;
const NORMAL = 1000;

/** Why the gateway must not connect to this address, or `undefined`. Names are checked when they are resolved. */
export function refuseAddress({ guard }: ClientUrl): string | undefined {
  return guard !== undefined && isIP(guard.host) !== 0 ? guard.refuse(guard.host) : undefined;
}

export class ServerConnection {
  readonly #socket: WebSocket;
  #stream: Duplex | undefined;
  readonly #held: HeldBytes;
  #dropped = false;

  constructor(
    { url, guard }: ClientUrl,
    headers: Readonly<Record<string, string>>,
    { connectTimeout, headerBytes }: ServerConnectionLimits,
    held: HeldBytes,
    handlers: ServerConnectionHandlers,
  ) {
    this.#held = held;
    this.#socket = new WebSocket(url, {
      handshakeTimeout: connectTimeout * 1000,
      // The types of `ws` do not know these yet.
      ...{ closeTimeout: CLOSE_TIMEOUT * 1000, ...connecting(connectTimeout) },
      ...{ maxPayload: MAX_MESSAGE, maxFragments: MAX_FRAGMENTS, maxBufferedChunks: MAX_PACKETS },
      ...{ perMessageDeflate: false, followRedirects: false, headers, ...parsing(headerBytes), ...ONE_AT_A_TIME },
      finishRequest(request) {
        countAllHeaders(request);
        request.end();
      },
      ...(guard !== undefined && { lookup: guard.lookup }),
    });
    this.#listen(handlers);
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  send({ data, binary }: Message): void {
    this.#socket.send(data, { binary });
  }

  /** Stops reading the client while too much is on its way to the server. */
  holdBackClient(client: WebSocket): void {
    holdBack(client, this.#stream, this.#held, 'for the server');
  }

  /** Stops reading the server while too much is on its way to the client. */
  holdBackServer(client: Duplex): void {
    holdBack(this.#socket, client, this.#held, 'for the client');
  }

  /** Ends the connection. No handler is called afterwards. */
  drop(): void {
    this.#dropped = true;
    if (this.isOpen) this.#socket.close(NORMAL);
    else this.#socket.terminate();
  }

  #listen(handlers: ServerConnectionHandlers): void {
    const socket = this.#socket;
    let problem: string | undefined;
    socket.once('upgrade', (response) => {
      response.socket.setKeepAlive(true, TCP_KEEP_ALIVE * 1000);
      this.#stream = response.socket;
      holdIncomplete(this.#held, 'of the server', socket, response.socket);
    });
    socket.once('open', () => {
      if (!this.#dropped) handlers.opened();
    });
    socket.on('message', (data, binary) => {
      if (!this.#dropped) handlers.received({ data, binary });
    });
    socket.on('error', (error) => {
      problem = failureOf(error).why;
      // After an invalid frame `ws` would wait for the server to agree to the end.
      socket.terminate();
    });
    socket.once('close', (code, reason) => {
      if (!this.#dropped) handlers.closed(code, reason.toString('utf8'), problem);
    });
  }
}

/** Headers of the opening request, in place of the client's own. */
export function openingHeaders(
  request: MessageHeaders,
  {
    address,
    ssl,
    via,
    inside,
  }: { readonly address: string; readonly ssl: boolean; readonly via: string; readonly inside: boolean },
): Record<string, string> {
  const { origin, 'user-agent': agent } = request.headers;
  const host = valueOf(request.rawHeaders, 'host');
  return {
    'X-Forwarded-For': address,
    'X-Forwarded-Proto': ssl ? 'https' : 'http',
    Via: `${request.httpVersion} ${via}`,
    ...(inside && host !== undefined && { Host: host, 'X-Forwarded-Host': host }),
    ...(origin !== undefined && { Origin: origin }),
    ...(agent !== undefined && { 'User-Agent': agent }),
  };
}

function holdBack(from: WebSocket, to: Duplex | undefined, held: HeldBytes, reason: string): void {
  if (to === undefined || to.writableLength <= HIGH_WATER) return;
  holdUnsent(held, reason, to);
  if (from.isPaused) return;
  from.pause();
  to.once('drain', () => {
    held.set(reason, 0);
    from.resume();
  });
}
