/**
 * The listening socket: HTTP requests go to the routes, upgrades to the WebSocket handlers, and everything beyond a limit gets a short answer instead of a
 * resource. What the paths mean is the business of the other files of this folder.
 */
import { createServer, ServerResponse, STATUS_CODES, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { Socket, type AddressInfo, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import type { RefusalView } from '../../core/views/monitor-view.ts';
import type { AddressOf } from './client-address.ts';
import { CORS } from './cors.ts';
import { inBatches } from './request-batching.ts';

export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  readonly limits: HttpLimits;
  /** Most connections at a time; asked at each new one, because what they may use changes with the fleet. */
  readonly mostClients: () => number;
  readonly handle: RequestListener;
  readonly upgrade: UpgradeHandler;
  /** Whom a request is from: when not all can be answered at once, each gets a fair part. */
  readonly addressOf: AddressOf;
  /** A client was turned away because of a limit. */
  readonly refused: (why: 'too-many-clients') => void;
  /** Connections elsewhere that count against the same limit. */
  readonly others?: () => number;
  /** By TLS, with a certificate that is set (and replaced) later; until then no client gets through. */
  readonly tls?: boolean;
  /** Seconds a body may take to arrive; 30 by default, because bodies are small here. */
  readonly requestTimeout?: number;
  /** Seconds in which a client has to take something of an answer that waits for it; 30 by default. */
  readonly unreadTimeout?: number;
  /** Seconds a connection may idle between two requests; 75 by default. */
  readonly keepAlive?: number;
}

export interface HttpLimits {
  readonly headerBytes: number;
  /** Seconds. */
  readonly headerTimeout: number;
}

export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface HttpServer {
  readonly port: number;
  readonly connections: () => number;
  /** From now on new connections are proved with this certificate; open ones go on. Only with `tls`. */
  setCertificate(certificate: SecureContextOptions): void;
  /** Takes no new connection, lets what is in flight finish for `grace` seconds, then ends it. */
  close(grace: number): Promise<void>;
}

const REQUEST_TIMEOUT = 30;
const UNREAD_TIMEOUT = 30;
/** Seconds a client may take to agree on TLS. */
const HANDSHAKE_TIMEOUT = 10;
/** Longer than fronts keep theirs (Apache 5, nginx 60), so that it is the front that closes. */
const KEEP_ALIVE = 75;
/** Connections that the operating system keeps until they are taken: after a restart all pages come back at once. */
const BACKLOG = 4096;
const RETRY_AFTER = 5;
/** Requests of one connection that may wait for their answers. Browsers send one at a time. */
const MAX_PIPELINED = 64;
/** Older versions are broken (RFC 8996). */
const TLS = { minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] } as const;

/** Throws the `listen` error, such as `EADDRINUSE`. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port, limits } = options;
  const unanswered = new Unanswered();
  const who = (request: IncomingMessage) => options.addressOf(request).limitKey ?? '';
  const handle = withoutBacklog(inBatches(unlessGone(options.handle), { who }), unanswered);
  const settings = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: milliseconds(limits.headerTimeout),
    // Headers are part of a request, and Node insists.
    requestTimeout: milliseconds(Math.max(options.requestTimeout ?? REQUEST_TIMEOUT, limits.headerTimeout)),
    keepAliveTimeout: milliseconds(options.keepAlive ?? KEEP_ALIVE),
    connectionsCheckingInterval: 1000,
    // Pushed texts are small and must not wait for an acknowledgement.
    noDelay: true,
  };
  const tls: TlsServer | undefined =
    options.tls === true
      ? createTlsServer({ ...settings, ...TLS, handshakeTimeout: HANDSHAKE_TIMEOUT * 1000 }, handle)
      : undefined;
  const server = tls ?? createServer(settings, handle);
  const sockets = new Set<Socket>();

  server.on('connection', (socket: Socket) => {
    if (sockets.size + (options.others?.() ?? 0) >= options.mostClients()) {
      options.refused('too-many-clients');
      // Before TLS is agreed on no answer can be given.
      if (tls === undefined) turnAway(socket);
      else socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  // Time passes for a connection on which nothing moves. One that waits for our answer is none of those that are cut.
  server.setTimeout(milliseconds(options.unreadTimeout ?? UNREAD_TIMEOUT), (socket: Socket) => {
    if (socket.writableLength > 0 || unanswered.of(socket) === 0) socket.destroy();
  });
  server.on('upgrade', (request, socket, head) => {
    // Whatever is said now would stand in the middle of the answers before, and an answer of ours cannot be put behind them.
    if (unanswered.of(request.socket) > 0) socket.destroy();
    else if (request.headers.upgrade?.toLowerCase() === 'websocket') options.upgrade(request, socket, head);
    else answerWithoutUpgrade(request, socket, handle);
  });
  // We are no proxy; without this Node would close the connection without a word.
  server.on('connect', (request, socket) => {
    if (unanswered.of(request.socket) > 0) socket.destroy();
    else answerPlainly(socket, 405, 'Method not allowed.\n', { ...CORS, ...ALLOW });
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // TLS that was not agreed on leaves nobody to answer.
    if (tls !== undefined && !/^(?:HPE_|ERR_HTTP_)/.test(error.code ?? '')) socket.destroy();
    else answerBadRequest(error, socket);
  });
  // A request with `Expect: 100-continue` is a request like any other; with anything else Node would refuse it, but without a code.
  server.on('checkExpectation', ({ url = '' }: IncomingMessage, response: ServerResponse) => {
    const reason = 'Send the request without the header "Expect".';
    const { body, headers } = refusalFor(url, { code: 'expectation-failed', reason });
    response.writeHead(417, { ...headers, ...CORS, 'Content-Length': Buffer.byteLength(body) }).end(body);
  });

  await listen(server, host, port).catch((error: unknown) => {
    // On a machine without IPv6 all of IPv4 and IPv6 is IPv4.
    if (host !== '::' || !(error instanceof Error) || !('code' in error) || error.code !== 'EAFNOSUPPORT') throw error;
    return listen(server, '0.0.0.0', port);
  });

  return {
    port: (server.address() as AddressInfo).port,
    connections: () => sockets.size,
    setCertificate(certificate) {
      tls?.setSecureContext({ ...TLS, ...certificate });
    },
    async close(grace) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => {
        server.closeAllConnections();
        for (const socket of sockets) socket.destroy();
      }, grace * 1000);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** Whole ones, as Node wants them: 1.1 s are 1100.0000000000002 ms. */
function milliseconds(seconds: number): number {
  return Math.ceil(seconds * 1000);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, ipv6Only: false, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** A bare answer to an upgrade or to a connection without a request. */
export function answerPlainly(
  socket: Duplex,
  status: number,
  body: string,
  headers: Readonly<Record<string, string | number>> = {},
): void {
  const lines = Object.entries({
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
    ...headers,
  });
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines.map(([name, value]) => `${name}: ${value}`)].join(
    '\r\n',
  );
  socket.on('error', () => socket.destroy());
  socket.end(`${head}\r\n\r\n${body}`, () => {
    // Whoever keeps sending after the answer is cut.
    socket.destroy();
  });
}

/** The same where the path of the request is known. */
export function refusePlainly(
  socket: Duplex,
  path: string,
  { status, ...refusal }: RefusalView & { readonly status: number },
  more: Readonly<Record<string, string>> = {},
): void {
  const { body, headers } = refusalFor(path, refusal);
  answerPlainly(socket, status, body, { ...headers, ...more });
}

/** Below `/api` refusals have a code. */
function refusalFor(
  path: string,
  refusal: RefusalView,
): { readonly body: string; readonly headers: Readonly<Record<string, string>> } {
  return path.startsWith('/api/')
    ? { body: JSON.stringify(refusal), headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' } }
    : { body: `${refusal.reason}\n`, headers: { 'Content-Type': 'text/plain; charset=utf-8' } };
}

/**
 * Node takes in all requests that have arrived, whether or not the answers are read: 64 kB of short ones are 1500, and one client could keep everybody
 * waiting for seconds. Who sends that many without waiting for answers is cut.
 */
function withoutBacklog(handle: RequestListener, unanswered: Unanswered): RequestListener {
  return (request, response) => {
    const { socket } = request;
    if (socket.destroyed) return;
    if (unanswered.of(socket) >= MAX_PIPELINED) {
      socket.destroy();
      return;
    }
    unanswered.add(socket, response);
    handle(request, response);
  };
}

/** A client may go away while its request waits for its turn, and with it the event by which whoever takes something for it would give that back. */
function unlessGone(handle: RequestListener): RequestListener {
  return (request, response) => {
    if (!request.socket.destroyed) handle(request, response);
  };
}

/** What has no complete answer yet, of each connection. */
class Unanswered {
  readonly #responses = new WeakMap<Socket, Set<ServerResponse>>();

  of(socket: Socket): number {
    return this.#responses.get(socket)?.size ?? 0;
  }

  add(socket: Socket, response: ServerResponse): void {
    const responses = this.#responses.get(socket) ?? this.#watch(socket);
    responses.add(response);
    response.once('close', () => responses.delete(response));
  }

  /** Node tells the end of a connection to the one response that it is being answered with, and to none of those that wait behind that one. */
  #watch(socket: Socket): Set<ServerResponse> {
    const responses = new Set<ServerResponse>();
    this.#responses.set(socket, responses);
    socket.once('close', () => {
      for (const response of responses) {
        if (response.socket !== null) continue;
        response.destroy();
        // Node 24 and later emit it a tick after `destroy`, Node 20 never does.
        process.nextTick(() => {
          if (responses.has(response)) response.emit('close');
        });
      }
    });
    return responses;
  }
}

/**
 * An offer to speak another protocol, such as HTTP/2 (`h2c`, which some clients send with every request), is left out: RFC 9110 § 7.8. Node has given the
 * connection up as HTTP by now, so the body of such a request cannot be read, and the connection ends with the answer.
 */
function answerWithoutUpgrade(request: IncomingMessage, socket: Duplex, handle: RequestListener): void {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
  if (length !== '0' || encoding !== undefined || !(socket instanceof Socket)) {
    const refusal = { status: 400, code: 'bad-request', reason: 'Send a request with a body without "Upgrade".' };
    refusePlainly(socket, request.url ?? '', refusal, CORS);
    return;
  }
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  socket.on('error', () => socket.destroy());
  // Only who is read is seen to leave. What comes after the request is none that could be answered.
  socket.once('end', () => socket.destroy());
  socket.resume();
  response.once('finish', () => socket.destroySoon());
  handle(request, response);
}

function turnAway(socket: Socket): void {
  answerPlainly(socket, 503, 'Error: the session server has too many clients at the moment.\n', {
    ...CORS,
    'Retry-After': RETRY_AFTER,
  });
}

function answerBadRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = isUnknownMethod(error) ? 405 : (STATUS_OF[error.code ?? ''] ?? 400);
  answerPlainly(socket, status, `${STATUS_CODES[status] ?? ''}\n`, status === 405 ? { ...CORS, ...ALLOW } : CORS);
}

/** By what Node's parser says. */
const STATUS_OF: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

/** A request line with a method that the parser does not know. It says the same of anything that is no HTTP. */
function isUnknownMethod({ code, rawPacket }: NodeJS.ErrnoException & { readonly rawPacket?: Buffer }): boolean {
  const begin = rawPacket?.subarray(0, MAX_REQUEST_LINE).toString('latin1') ?? '';
  return code === 'HPE_INVALID_METHOD' && /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40} [!-~]+ HTTP\/1\.[01]\r?\n/.test(begin);
}

const MAX_REQUEST_LINE = 8192;
const ALLOW = { Allow: 'GET, HEAD, OPTIONS' } as const;
