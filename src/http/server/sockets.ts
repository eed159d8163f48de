/**
 * WebSockets: which paths have one, who may open it, and how long it lives.
 *
 * A silent but living socket is never closed (docs/design/protocol.md, "WebSocket"). Clients are pinged, which browsers answer by themselves,
 * and only those that do not answer are disconnected. Text from clients is ignored unless the path's handler reads it.
 *
 * A client that closes its connection, or whose machine does, is gone at once, and so is its place in line. A client
 * that vanishes silently (a cable, a laptop lid) looks like one that is merely slow until a ping stays unanswered: it is
 * gone after 30 to 60 seconds. A shorter time would disconnect living clients on bad networks, which is worse than a
 * place in line that is kept a minute too long.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { withoutCode } from '../../core/reservations/code.ts';
import { PingTurns } from '../../core/limits/ping-turns.ts';
import { excessOf } from '../../core/limits/excess.ts';
import { PerClientCounts } from '../../core/limits/per-client-counts.ts';
import { startLoop, type Loop } from '../../engine/loop.ts';
import type { Clock, Log } from '../../ports.ts';
import type { AddressOf } from './client-address.ts';
import { ONE_AT_A_TIME } from './one-at-a-time.ts';
import { answerPlainly, refusePlainly } from './plain-answers.ts';
import type { UpgradeHandler } from './server.ts';

/** Serves one path. Called when the socket is open; `stream` is the connection under it. */
export type SocketHandler = (socket: WebSocket, stream: Duplex, request: IncomingMessage, url: URL) => void;

export interface SocketsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly handlers: Readonly<Record<string, SocketHandler>>;
  /** The relay to simulation servers, by the path as the client spelled it: it accepts no other spelling. */
  readonly relayOf?: (path: string) => SocketHandler | undefined;
  /** Subprotocols of every path. */
  readonly subprotocols: readonly string[];
  readonly addressOf: AddressOf;
  /** Connections in total; one address gets half of them as WebSockets, also through a reverse proxy. */
  readonly maxSockets: () => number;
  readonly allowedOrigins: () => readonly string[] | undefined;
  /** Bytes waiting for a client that does not read; above it the client is disconnected. */
  readonly bufferBytes: () => number;
}

export interface Sockets {
  readonly upgrade: UpgradeHandler;
  readonly count: () => number;
  /** Closes all with code 1001 (going away) and waits at most `grace` seconds for the clients to agree. */
  close(grace: number): Promise<void>;
}

/** Maximum size of a client's message, in bytes. */
const MAX_MESSAGE = 4096;
/** The same for relayed clients: they send the text of a controller. */
const MAX_RELAYED_MESSAGE = 262_144;
/**
 * Parts of one message, frames and packets, each of which costs memory besides its bytes. A client's own message has no reason for more than a few; a
 * relayed one of the maximum size comes in a few frames, and in about 190 packets of a usual network.
 */
const PARTS = { maxFragments: 16, maxBufferedChunks: 512 };
const RELAYED_PARTS = { maxFragments: 256, maxBufferedChunks: 4096 };
/** Bytes that clients have not read, of all together: `limits.bufferBytes` is for each of them, and there may be ten thousands. */
export const MAX_UNREAD = 33_554_432;
/** Seconds between two pings of one client. A client that has not answered when the next is due is disconnected. */
const PING_INTERVAL = 30;
/** Seconds between two slices of all clients, so that ten thousand pings do not block the loop. */
const PING_SLICE = 0.5;
const GOING_AWAY = 1001;
/** Seconds. */
const RETRY_AFTER = 15;

export function createSockets(options: SocketsOptions): Sockets {
  const { handlers, subprotocols } = options;
  const common = {
    ...{ noServer: true, clientTracking: false, perMessageDeflate: false, ...ONE_AT_A_TIME },
    handleProtocols: (offered: Set<string>) => subprotocols.find((name) => offered.has(name)) ?? false,
  };
  const own = new WebSocketServer({ ...common, maxPayload: MAX_MESSAGE, ...PARTS });
  const relayed = new WebSocketServer({ ...common, maxPayload: MAX_RELAYED_MESSAGE, ...RELAYED_PARTS });
  const open = new OpenSockets(options);
  const byAddress = new PerClientCounts();
  return {
    upgrade(request, stream, head) {
      const url = requestUrl(request);
      const relay = options.relayOf?.(request.url?.replace(/[?#].*$/s, '') ?? '');
      const handler = relay ?? (url && handlers[withoutCode(url.pathname).path]);
      if (url === undefined || handler === undefined) {
        const refusal = { status: 404, code: 'not-found', reason: 'There is no WebSocket at this path.' };
        refusePlainly(stream, url?.pathname ?? '', refusal);
        return;
      }
      if (!isAllowed(request.headers.origin, options.allowedOrigins())) {
        answerPlainly(stream, 403, 'Pages of this origin may not connect.\n');
        return;
      }
      const { limitKey } = options.addressOf(request);
      if (limitKey !== undefined && byAddress.of(limitKey) >= options.maxSockets() / 2) {
        answerPlainly(stream, 503, 'Error: there are too many WebSockets from your address.\n', { 'Retry-After': RETRY_AFTER });
        return;
      }
      byAddress.take(limitKey);
      stream.once('close', () => byAddress.giveBack(limitKey));
      // The close event follows.
      stream.on('error', ignore);
      (relay === undefined ? own : relayed).handleUpgrade(request, stream, head, (socket) => {
        open.add(socket, stream);
        handler(socket, stream, request, url);
      });
    },
    count: () => open.size,
    close: (grace) => open.close(grace),
  };
}

/** The open sockets, and the pings that find out which of them are alive. */
class OpenSockets {
  readonly #options: SocketsOptions;
  readonly #streams = new Map<WebSocket, Duplex>();
  readonly #turns = new PingTurns<WebSocket>({ interval: PING_INTERVAL, slice: PING_SLICE });
  readonly #pinging: Loop;

  constructor(options: SocketsOptions) {
    this.#options = options;
    this.#pinging = startLoop({
      clock: options.clock,
      delay: PING_SLICE,
      cycle: () => this.#pingSlice(),
      failed: (error) => {
        options.log.error('pinging clients failed', { error });
        return PING_SLICE;
      },
    });
  }

  get size(): number {
    return this.#streams.size;
  }

  add(socket: WebSocket, stream: Duplex): void {
    this.#streams.set(socket, stream);
    this.#turns.add(socket, this.#options.clock.now());
    socket.on('pong', () => {
      this.#turns.answered(socket);
    });
    socket.once('close', () => {
      this.#streams.delete(socket);
      this.#turns.remove(socket);
    });
    // After a frame that is malformed or too big, ws closes the socket with the right code.
    socket.on('error', ignore);
  }

  async close(grace: number): Promise<void> {
    await this.#pinging.stop();
    const sockets = [...this.#streams.keys()];
    const closed = Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    for (const socket of sockets) socket.close(GOING_AWAY, 'the session server stops');
    const enough = new AbortController();
    await Promise.race([closed, this.#options.clock.sleep(grace, enough.signal)]);
    enough.abort();
    for (const socket of this.#streams.keys()) socket.terminate();
  }

  #pingSlice(): number {
    const { clock, bufferBytes } = this.#options;
    const { ping, silent } = this.#turns.take(clock.now());
    for (const socket of silent) socket.terminate();
    const unread = (socket: WebSocket) => this.#streams.get(socket)?.writableLength ?? 0;
    for (const socket of excessOf(this.#streams.keys(), unread, MAX_UNREAD)) socket.terminate();
    for (const socket of ping) {
      if (unread(socket) > bufferBytes()) socket.terminate();
      else socket.ping();
    }
    return PING_SLICE;
  }
}

/** Programs send no origin; only pages are restricted. */
function isAllowed(origin: string | undefined, allowed: readonly string[] | undefined): boolean {
  return allowed === undefined || origin === undefined || allowed.includes(origin);
}

/**
 * Calls `left` once, when the client is gone: its connection is closed, or both sides have closed the WebSocket and
 * nothing is left to send. After that the end of the connection may come late, or never, from a machine that fell asleep.
 */
export function onceGone(socket: WebSocket, stream: Duplex, left: () => void): void {
  let gone = false;
  const leave = () => {
    if (!gone) left();
    gone = true;
  };
  socket.once('close', leave);
  stream.once('finish', leave);
}

/** The request target as a URL, or `undefined` when it is not one. Its host does not matter here. */
export function requestUrl(request: IncomingMessage): URL | undefined {
  const target = request.url ?? '';
  const absolute = target.startsWith('/') ? `http://host${target}` : target;
  return /^https?:\/\//i.test(absolute) && URL.canParse(absolute) ? new URL(absolute) : undefined;
}

function ignore(): void {
  // The close event follows.
}
