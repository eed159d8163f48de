/**
 * WebSockets: which paths have one, who may open it, and how long it lives.
 *
 * A silent but living socket is never cut (PROTOCOL § 4): clients are asked by ping, which browsers answer by themselves, and only those that do not
 * answer are dropped. Text from clients is ignored unless the path's handler reads it.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { startLoop } from '../engine/loop.ts';
import type { Clock, Log } from '../ports.ts';
import { answerPlainly, type UpgradeHandler } from './server.ts';

/** What serves one path. Called when the socket is open; `stream` is the connection under it. */
export type SocketHandler = (socket: WebSocket, stream: Duplex, request: IncomingMessage, url: URL) => void;

export interface SocketsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly handlers: Readonly<Record<string, SocketHandler>>;
  /** What passes on to simulation servers: by the path as the client spelled it, because any other spelling leads nowhere there. */
  readonly relayOf?: (path: string) => SocketHandler | undefined;
  /** Subprotocols spoken on any path. */
  readonly subprotocols: readonly string[];
  readonly allowedOrigins: () => readonly string[] | undefined;
  /** Bytes waiting for a client that does not read; above it the client is dropped. */
  readonly bufferBytes: () => number;
}

export interface Sockets {
  readonly upgrade: UpgradeHandler;
  readonly count: () => number;
  /** Closes all with code 1001 (going away) and waits at most `grace` seconds for the clients to agree. */
  close(grace: number): Promise<void>;
}

/** Bytes of the largest message a client may send. */
const LARGEST_MESSAGE = 4096;
/** The same of one that is passed on: clients send the text of a controller. */
const LARGEST_RELAYED = 262_144;
/** Seconds between two pings of one client. A client that answered none for one period is dropped at the next. */
const PING_INTERVAL = 30;
/** Seconds between two slices of the fleet of clients, so that ten thousand pings do not block the loop. */
const PING_SLICE = 0.5;
const GOING_AWAY = 1001;

export function createSockets(options: SocketsOptions): Sockets {
  const { clock, handlers, allowedOrigins } = options;
  const common = {
    ...{ noServer: true, clientTracking: false, perMessageDeflate: false },
    handleProtocols: (offered: Set<string>) => options.subprotocols.find((name) => offered.has(name)) ?? false,
  };
  const own = new WebSocketServer({ ...common, maxPayload: LARGEST_MESSAGE });
  const relayed = new WebSocketServer({ ...common, maxPayload: LARGEST_RELAYED });
  const open = new Map<WebSocket, { alive: boolean; readonly stream: Duplex }>();

  const accept = (
    server: WebSocketServer,
    handler: SocketHandler,
    request: IncomingMessage,
    stream: Duplex,
    head: Buffer,
    url: URL,
  ) => {
    server.handleUpgrade(request, stream, head, (socket) => {
      const entry = { alive: true, stream };
      open.set(socket, entry);
      socket.on('pong', () => (entry.alive = true));
      socket.once('close', () => open.delete(socket));
      // A frame that is malformed or too big: ws closes the socket with the right code; there is nothing to add.
      socket.on('error', ignore);
      handler(socket, stream, request, url);
    });
  };

  let turn: WebSocket[] = [];
  const pinging = startLoop({
    clock,
    delay: PING_SLICE,
    cycle: () => {
      if (turn.length === 0) turn = [...open.keys()];
      const slice = turn.splice(0, Math.ceil(Math.max(open.size, turn.length) / (PING_INTERVAL / PING_SLICE)));
      for (const socket of slice) {
        const entry = open.get(socket);
        if (entry === undefined) continue;
        if (!entry.alive || entry.stream.writableLength > options.bufferBytes()) socket.terminate();
        else {
          entry.alive = false;
          socket.ping();
        }
      }
      return PING_SLICE;
    },
    failed: (error) => {
      options.log.error('asking clients whether they are alive failed', { error });
      return PING_SLICE;
    },
  });

  return {
    upgrade(request, stream, head) {
      const url = requestUrl(request);
      const relay = options.relayOf?.(request.url?.replace(/[?#].*$/s, '') ?? '');
      const handler = relay ?? (url && handlers[url.pathname]);
      if (url === undefined || handler === undefined) {
        answerPlainly(stream, 404, 'There is no WebSocket at this path.\n');
        return;
      }
      const { origin } = request.headers;
      const allowed = allowedOrigins();
      if (allowed !== undefined && origin !== undefined && !allowed.includes(origin)) {
        answerPlainly(stream, 403, 'Pages of this origin may not connect.\n');
        return;
      }
      stream.on('error', ignore);
      accept(relay === undefined ? own : relayed, handler, request, stream, head, url);
    },
    count: () => open.size,
    async close(grace) {
      await pinging.stop();
      const closed = Promise.all([...open.keys()].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
      for (const socket of open.keys()) socket.close(GOING_AWAY, 'the session server stops');
      const enough = new AbortController();
      await Promise.race([closed, clock.sleep(grace, enough.signal)]);
      enough.abort();
      for (const socket of open.keys()) socket.terminate();
    },
  };
}

/** The request target as a URL, or `undefined` when it is none. The host is of no importance here. */
export function requestUrl(request: IncomingMessage): URL | undefined {
  const target = request.url ?? '';
  const absolute = target.startsWith('/') ? `http://host${target}` : target;
  return /^https?:\/\//i.test(absolute) && URL.canParse(absolute) ? new URL(absolute) : undefined;
}

function ignore(): void {
  // The socket's own close event follows.
}
