/**
 * WebSockets: which paths have one, who may open it, and how long it lives.
 *
 * A silent but living socket is never cut (docs/design/protocol.md, "WebSocket"): clients are asked by ping, which
 * browsers answer by themselves, and only those that do not
 * answer are dropped. Text from clients is ignored unless the path's handler reads it.
 *
 * A client that says good-bye or closes its connection, or whose machine does, is gone at once, and with it its place in line. One that vanishes without a word (a cable, a
 * laptop lid) cannot be told from one that is merely slow until a ping stays unanswered: it is gone after 30 to 60 seconds. Asking sooner would cut living
 * clients on bad networks, which is worse than a place in line that is kept a minute too long.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { PingTurns } from '../../core/limits/ping-turns.ts';
import { startLoop } from '../../engine/loop.ts';
import type { Clock, Log } from '../../ports.ts';
import { answerPlainly, refusePlainly, type UpgradeHandler } from './server.ts';

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
/** Seconds between two pings of one client. A client that has not answered when the next is due is dropped. */
const PING_INTERVAL = 30;
/** Seconds between two slices of all clients, so that ten thousand pings do not block the loop. */
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
  const open = new Map<WebSocket, Duplex>();
  const turns = new PingTurns<WebSocket>({ interval: PING_INTERVAL, slice: PING_SLICE });

  const accept = (
    server: WebSocketServer,
    handler: SocketHandler,
    request: IncomingMessage,
    stream: Duplex,
    head: Buffer,
    url: URL,
  ) => {
    server.handleUpgrade(request, stream, head, (socket) => {
      open.set(socket, stream);
      turns.add(socket, clock.now());
      socket.on('pong', () => {
        turns.answered(socket);
      });
      socket.once('close', () => {
        open.delete(socket);
        turns.remove(socket);
      });
      // A frame that is malformed or too big: ws closes the socket with the right code; there is nothing to add.
      socket.on('error', ignore);
      handler(socket, stream, request, url);
    });
  };

  const pinging = startLoop({
    clock,
    delay: PING_SLICE,
    cycle: () => {
      const { ping, silent } = turns.take(clock.now());
      for (const socket of silent) socket.terminate();
      for (const socket of ping) {
        if ((open.get(socket)?.writableLength ?? 0) > options.bufferBytes()) socket.terminate();
        else socket.ping();
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
        const refusal = { status: 404, code: 'not-found', reason: 'There is no WebSocket at this path.' };
        refusePlainly(stream, url?.pathname ?? '', refusal);
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

/**
 * Calls `left` once, when the client is gone: its connection is closed, or both sides have said good-bye and there is nothing left to say. The end of the
 * connection may come late then, or never, from a machine that fell asleep in between.
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

/** The request target as a URL, or `undefined` when it is none. The host is of no importance here. */
export function requestUrl(request: IncomingMessage): URL | undefined {
  const target = request.url ?? '';
  const absolute = target.startsWith('/') ? `http://host${target}` : target;
  return /^https?:\/\//i.test(absolute) && URL.canParse(absolute) ? new URL(absolute) : undefined;
}

function ignore(): void {
  // The socket's own close event follows.
}
