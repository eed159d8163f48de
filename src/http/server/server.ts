/**
 * The listening socket: HTTP requests go to the routes, upgrades to the WebSocket handlers, and everything beyond a
 * limit gets a short response instead of a resource. What the paths mean is the subject of other files.
 */
import {
  createServer,
  ServerResponse,
  STATUS_CODES,
  type IncomingMessage,
  type RequestListener,
  type ServerOptions,
} from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { Socket, type AddressInfo, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import type { AddressOf } from './client-address.ts';
import { CORS } from './cors.ts';
import { ConnectionPlaces, type PlaceRules } from './connection-places.ts';
import { IncompleteRequests } from './incomplete-requests.ts';
import { answerPlainly, refusalFor, refusePlainly } from './plain-answers.ts';
import { inBatches } from './request-batching.ts';
import { Unanswered } from './unanswered.ts';

export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  readonly limits: HttpLimits;
  /** Maximum number of connections; read at each new one, because it changes with the fleet. */
  readonly maxClients: () => number;
  readonly handle: RequestListener;
  readonly upgrade: UpgradeHandler;
  /** Who sent a request: when not all can be answered at once, each client gets a fair share. */
  readonly addressOf: AddressOf;
  readonly places: PlaceRules;
  /** A client was turned away because of a limit. */
  readonly turnedAway: (why: TurnedAway, request: Pick<IncomingMessage, 'socket' | 'headers'>) => void;
  /** Connections elsewhere that count against the same maximum. */
  readonly otherConnections?: () => number;
  /** Use TLS, with a certificate that is set and replaced later. Until then no client can connect. */
  readonly tls?: boolean;
  /** Seconds a body may take to arrive; 30 by default, because bodies are small here. */
  readonly requestTimeout?: number;
  /** Seconds a client may leave a response unread; 30 by default. */
  readonly unreadTimeout?: number;
  /** Bytes that incomplete requests of all connections may hold; `MAX_INCOMPLETE` by default. */
  readonly incompleteBytes?: number;
  /** The body of this request is forwarded as it arrives. Absent: of none. */
  readonly forwards?: (request: IncomingMessage) => boolean;
  /** Seconds a connection may idle between two requests; 75 by default. */
  readonly keepAlive?: number;
}

export interface HttpLimits {
  readonly headerBytes: number;
  /** Seconds. */
  readonly headerTimeout: number;
}

export type TurnedAway = 'too-many-clients' | 'too-many-of-address';

export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface HttpServer {
  readonly port: number;
  readonly connections: () => number;
  /** The certificate of new connections; open ones continue with theirs. Only with `tls`. */
  setCertificate(certificate: SecureContextOptions): void;
  /** Accepts no new connection, lets what is in flight finish for `grace` seconds, then ends it. */
  close(grace: number): Promise<void>;
}

/** As Node understands it. */
const NO_LIMIT = 0;
const REQUEST_TIMEOUT = 30;
const UNREAD_TIMEOUT = 30;
/** Seconds a client may take for the TLS handshake. */
const HANDSHAKE_TIMEOUT = 10;
/** Milliseconds between two looks at what incomplete requests hold. */
const INCOMPLETE_INTERVAL = 500;
/** Longer than reverse proxies keep theirs (Apache 5, nginx 60), so that the proxy closes first. */
const KEEP_ALIVE = 75;
/** Connections that the operating system queues: after a restart all pages reconnect at once. */
const BACKLOG = 4096;
const RETRY_AFTER = 5;
/** Older versions are broken (RFC 8996). */
const TLS = { minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] } as const;
const TURNED_AWAY = { ...CORS, 'Retry-After': RETRY_AFTER } as const;
const TOO_MANY = 'Error: the session server has too many clients at the moment.\n';
const ALLOW = { Allow: 'GET, HEAD, OPTIONS' } as const;

/** Throws the `listen` error, such as `EADDRINUSE`. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port, addressOf } = options;
  const unanswered = new Unanswered();
  const who = (request: IncomingMessage) => addressOf(request).limitKey ?? '';
  const places = new ConnectionPlaces(options.places);
  const handle = unanswered.limit(inBatches(unlessRefused(options, places), { who }));
  const { server, tls } = createNodeServer(options, handle);
  const sockets = countConnections(server, options, places);
  limitIncomplete(server, tls === undefined ? 'connection' : 'secureConnection', options);
  disconnectIdle(server, unanswered, options.unreadTimeout ?? UNREAD_TIMEOUT);
  handleUpgrades(server, unanswered, upgradeUnlessRefused(options, places), handle);
  refuseConnect(server, unanswered);
  refuseExpectations(server);
  answerClientErrors(server, unanswered, tls !== undefined);
  await listenOnBoth(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => sockets.size,
    setCertificate(certificate) {
      tls?.setSecureContext({ ...TLS, ...certificate });
    },
    close: (grace) => closeServer(server, sockets, grace),
  };
}

type NodeServer = TlsServer | ReturnType<typeof createServer>;

function createNodeServer(
  { limits, requestTimeout = REQUEST_TIMEOUT, keepAlive = KEEP_ALIVE, tls: withTls = false }: HttpServerOptions,
  handle: RequestListener,
): { readonly server: NodeServer; readonly tls: TlsServer | undefined } {
  const settings = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: milliseconds(limits.headerTimeout),
    // Headers are part of a request; Node rejects a smaller value.
    requestTimeout: milliseconds(Math.max(requestTimeout, limits.headerTimeout)),
    keepAliveTimeout: milliseconds(keepAlive),
    connectionsCheckingInterval: 1000,
    // Bytes are limited, and so are the requests that one connection leaves unanswered. A limit on their number would only
    // make a client connect again.
    maxRequestsPerSocket: NO_LIMIT,
    insecureHTTPParser: false,
    // Pushed texts are small and must not wait for an acknowledgement.
    noDelay: true,
  };
  const created = createListening(settings, handle, withTls);
  // Node would drop the headers beyond the first 2,000 in silence, and the one that names the client may be among them.
  created.server.maxHeadersCount = NO_LIMIT;
  return created;
}

function createListening(settings: ServerOptions, handle: RequestListener, withTls: boolean) {
  if (!withTls) return { server: createServer(settings, handle), tls: undefined };
  const tls = createTlsServer({ ...settings, ...TLS, handshakeTimeout: HANDSHAKE_TIMEOUT * 1000 }, handle);
  return { server: tls, tls };
}

/** Turns clients away beyond the maximum. Returns the open connections. */
function countConnections(
  server: NodeServer,
  { maxClients, otherConnections, turnedAway, tls = false }: HttpServerOptions,
  places: ConnectionPlaces,
): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    const place = places.take(socket, sockets.size + (otherConnections?.() ?? 0), maxClients());
    if (place === 'too-many-clients' || place === 'too-many-of-address') {
      turnedAway(place, { socket, headers: {} });
      // Before the TLS handshake no response can be sent.
      if (tls) socket.destroy();
      else turnAway(socket);
      return;
    }
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

/** Ends connections with incomplete requests while all of them together hold too many bytes. */
function limitIncomplete(
  server: NodeServer,
  opened: 'connection' | 'secureConnection',
  { incompleteBytes, forwards }: HttpServerOptions,
): void {
  const requests = new IncompleteRequests(incompleteBytes);
  const sockets = new Set<Socket>();
  server.on(opened, (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', (request, response) => {
    requests.begun(request, response, forwards?.(request));
  });
  for (const event of ['upgrade', 'connect'] as const)
    server.on(event, ({ socket }: IncomingMessage) => {
      requests.upgraded(socket);
    });
  const timer = setInterval(() => {
    for (const socket of requests.excess(sockets)) socket.destroy();
  }, INCOMPLETE_INTERVAL).unref();
  server.once('close', () => {
    clearInterval(timer);
  });
}

/** Ends connections on which nothing moves for `seconds`, except those that wait for a response of ours. */
function disconnectIdle(server: NodeServer, unanswered: Unanswered, seconds: number): void {
  server.setTimeout(milliseconds(seconds), (socket: Socket) => {
    if (socket.writableLength > 0 || unanswered.count(socket) === 0) socket.destroy();
  });
}

function handleUpgrades(server: NodeServer, unanswered: Unanswered, upgrade: UpgradeHandler, handle: RequestListener): void {
  server.on('upgrade', (request, socket, head) => {
    // Anything written now would appear in the middle of the responses before, and cannot be put behind them.
    if (unanswered.count(request.socket) > 0) socket.destroy();
    else if (request.headers.upgrade?.toLowerCase() === 'websocket') upgrade(request, socket, head);
    else answerWithoutUpgrade(request, socket, handle);
  });
}

/** This is not a forward proxy. Without a listener, Node would close the connection without a response. */
function refuseConnect(server: NodeServer, unanswered: Unanswered): void {
  server.on('connect', (request, socket) => {
    if (unanswered.count(request.socket) > 0) socket.destroy();
    else answerPlainly(socket, 405, 'Method not allowed.\n', { ...CORS, ...ALLOW });
  });
}

/** Node handles `Expect: 100-continue` itself. It would refuse anything else without a code. */
function refuseExpectations(server: NodeServer): void {
  server.on('checkExpectation', ({ url = '' }: IncomingMessage, response: ServerResponse) => {
    const reason = 'Send the request without the header "Expect".';
    const { body, headers } = refusalFor(url, { code: 'expectation-failed', reason });
    response.writeHead(417, { ...headers, ...CORS, 'Content-Length': Buffer.byteLength(body) }).end(body);
  });
}

function answerClientErrors(server: NodeServer, unanswered: Unanswered, tls: boolean): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // After a failed TLS handshake no response can be sent, and within a response it would look like a part of it.
    if ((tls && !/^(?:HPE_|ERR_HTTP_)/.test(error.code ?? '')) || unanswered.hasBegun(socket)) socket.destroy();
    else answerBadRequest(error, socket);
  });
}

/** Listens on IPv4 and IPv6 where the host says so; on a machine without IPv6, on IPv4 alone. */
async function listenOnBoth(server: NodeServer, host: string, port: number): Promise<void> {
  try {
    await listen(server, host, port);
  } catch (error) {
    if (host !== '::' || !(error instanceof Error) || !('code' in error) || error.code !== 'EAFNOSUPPORT') throw error;
    await listen(server, '0.0.0.0', port);
  }
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

async function closeServer(server: NodeServer, sockets: ReadonlySet<Socket>, grace: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => {
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
  }, grace * 1000);
  await closed;
  clearTimeout(timer);
}

/** Node accepts whole numbers only: 1.1 s are 1100.0000000000002 ms. */
function milliseconds(seconds: number): number {
  return Math.ceil(seconds * 1000);
}

/** A client may disconnect while its request waits in a batch. Its `close` event is over then, so nothing taken for it would be given back. */
function unlessRefused({ handle, turnedAway }: HttpServerOptions, places: ConnectionPlaces): RequestListener {
  return (request, response) => {
    if (request.socket.destroyed) return;
    if (places.refuses(request)) {
      turnedAway('too-many-clients', request);
      response.writeHead(503, { ...TURNED_AWAY, Connection: 'close' }).end(TOO_MANY);
    } else handle(request, response);
  };
}

function upgradeUnlessRefused({ upgrade, turnedAway }: HttpServerOptions, places: ConnectionPlaces): UpgradeHandler {
  return (request, socket, head) => {
    if (places.refuses(request)) {
      turnedAway('too-many-clients', request);
      answerPlainly(socket, 503, TOO_MANY, TURNED_AWAY);
    } else upgrade(request, socket, head);
  };
}

/**
 * Answers an offer to change to another protocol, such as HTTP/2 (`h2c`, which some clients send with every request),
 * without changing it (RFC 9110 § 7.8). Node has handed over the connection by now, so the body of such a request cannot
 * be read, and the connection ends with the response.
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
  // A socket that is not being read never reports its end. Nothing after the request can be answered.
  socket.once('end', () => socket.destroy());
  socket.resume();
  response.once('finish', () => socket.destroySoon());
  handle(request, response);
}

function turnAway(socket: Socket): void {
  answerPlainly(socket, 503, TOO_MANY, TURNED_AWAY);
}

function answerBadRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = isUnknownMethod(error) ? 405 : (STATUS_OF[error.code ?? ''] ?? 400);
  answerPlainly(
    socket,
    status,
    `${REASONS[error.code ?? ''] ?? STATUS_CODES[status] ?? ''}\n`,
    status === 405 ? { ...CORS, ...ALLOW } : CORS,
  );
}

/** By the code of Node's parser. */
const STATUS_OF: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };
const REASONS: Readonly<Record<string, string>> = {
  HPE_UNEXPECTED_CONTENT_LENGTH: 'Bad Request: Content-Length is there twice, or beside Transfer-Encoding. Send it once.',
  HPE_INVALID_CONTENT_LENGTH: 'Bad Request: Content-Length is not a number.',
  HPE_INVALID_TRANSFER_ENCODING: 'Bad Request: Transfer-Encoding must be "chunked" alone, and without Content-Length.',
  HPE_INVALID_CHUNK_SIZE: 'Bad Request: the body is not divided into chunks as Transfer-Encoding says.',
  HPE_HEADER_OVERFLOW: 'Request Header Fields Too Large: the headers, such as cookies, are longer than limits.headerBytes.',
  ERR_HTTP_REQUEST_TIMEOUT: 'Request Timeout: the request did not arrive completely in time.',
};
const MAX_REQUEST_LINE = 8192;

/** A request line with a method that the parser does not know. The parser's code is the same for bytes that are not HTTP. */
function isUnknownMethod({ code, rawPacket }: NodeJS.ErrnoException & { readonly rawPacket?: Buffer }): boolean {
  const begin = rawPacket?.subarray(0, MAX_REQUEST_LINE).toString('latin1') ?? '';
  return code === 'HPE_INVALID_METHOD' && /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40} [!-~]+ HTTP\/1\.[01]\r?\n/.test(begin);
}
