/**
 * Passes requests and WebSockets on to simulation servers (docs/design/protocol.md, "URLs in gateway mode").
 *
 * Why not a proxy library: the one that is maintained sends headers on that belong to one connection (RFC 9110 § 7.6.1), has no cap, no time limits for a
 * connection or for headers, and opens to unread any protocol; what remains of it is `http.request`, which is what this uses. Each side's messages are framed by
 * Node's own HTTP: neither `Transfer-Encoding` nor a second length ever passes.
 *
 * Each request has a connection of its own to the simulation server, as with the front this replaces: the web server inside the simulator reads
 * the beginning of a connection only, and serves one request on it.
 */
import { request as httpRequest, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { authorityOf, type Upstream } from '../../core/gateway/gateway-routes.ts';
import type { Log } from '../../ports.ts';
import type { PerClientCounts } from '../../core/limits/per-client-counts.ts';
import type { AddressOf, ClientAddress } from '../server/client-address.ts';
import { answerPlainly } from '../server/server.ts';
import { cameThrough, fitPhrase, hostsOf, requestHeaders, responseHeaders } from './headers.ts';
import { splice } from './splice.ts';

export interface RelayLimits {
  /** As much is passed on as may be, in all or for this client. */
  readonly isFull: (client: ClientAddress) => boolean;
  /** Of an answer's headers together. */
  readonly headerBytes: number;
  /** Seconds a simulation server has to take a connection. */
  readonly connectTimeout: number;
  /** Seconds it has to begin its answer, once it has the request. */
  readonly headerTimeout: number;
  /** Seconds nothing may pass. */
  readonly idleTimeout: number;
}

export interface RelayOptions {
  readonly limits: () => RelayLimits;
  readonly addressOf: AddressOf;
  /** What is passed on for each client, by the key of its limits. */
  readonly shares: PerClientCounts;
  readonly log: Log;
  /** Clients come by TLS. */
  readonly ssl: boolean;
  /** Nobody else has this name in `Via`. */
  readonly via: string;
  /** The name by which clients know us, with its port. */
  readonly host: () => string;
}

export type RelayOutcome = 'answered' | 'refused' | 'failed' | 'timeout' | 'too-many' | 'abandoned';

export interface Relay {
  request(request: IncomingMessage, response: ServerResponse, upstream: Upstream, path: string): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, upstream: Upstream, path: string): void;
  /** In flight: requests, and open WebSockets. */
  readonly count: () => { readonly requests: number; readonly webSockets: number };
  /** Both together. */
  readonly size: () => number;
  /** Since the start. */
  readonly outcomes: ReadonlyMap<RelayOutcome, number>;
  /** Ends what is in flight. */
  close(): void;
}

interface Refusal {
  readonly status: number;
  readonly outcome: RelayOutcome;
  readonly reason: string;
}

const RETRY_AFTER = 5;
/** Bytes of a request that was answered before its end. */
const MAX_DISCARDED = 16_777_216;
/** Bytes that a client may send before its WebSocket is there; decent clients send none. */
const MAX_EARLY = 65_536;
/** Pages of other origins get textures from here; they shall see a refusal as what it is. */
const ANY_ORIGIN = { 'Access-Control-Allow-Origin': '*' } as const;

export function createRelay(options: RelayOptions): Relay {
  const { limits, addressOf, shares, log, ssl, via, host: ownHost } = options;
  const outcomes = new Map<RelayOutcome, number>();
  const inFlight = new Set<() => void>();
  let requests = 0;
  let webSockets = 0;

  const count = (outcome: RelayOutcome) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);

  /** Why a request is not passed on at all. */
  const refusal = (request: IncomingMessage): Refusal | undefined => {
    if (limits().isFull(addressOf(request)))
      return refused(503, 'too-many', 'Too many sessions and requests are passed on at the moment.');
    // RFC 9112 § 3.2: which of them counts is read differently by whoever comes next.
    if (hostsOf(request) > 1) return refused(400, 'refused', 'A request names one host.');
    if (cameThrough(request, via)) return refused(508, 'refused', 'This path leads back to where it came from.');
    const encoding = request.headers['transfer-encoding'];
    // Node undoes chunks and nothing else; an encoding that goes unnamed makes nonsense of the body.
    if (encoding !== undefined && encoding.toLowerCase() !== 'chunked')
      return refused(501, 'refused', 'This transfer encoding is not known here.');
    return undefined;
  };

  /** A request to the simulation server, given up when it takes too long. `failed` is called at most once, and not after `settled`. */
  const ask = (request: IncomingMessage, { host, port }: Upstream, path: string, extra: readonly string[]): Asking => {
    const { connectTimeout, headerBytes } = limits();
    const socket = connect({ host, port, noDelay: true, timeout: connectTimeout * 1000, autoSelectFamily: true });
    const forwarded = { address: addressOf(request).address, ssl, via, host: ownHost };
    const asked = httpRequest({
      method: request.method,
      path,
      headers: [...requestHeaders(request, forwarded), ...extra],
      createConnection: () => socket,
      maxHeaderSize: headerBytes,
    });
    return new Asking(asked, socket, limits().headerTimeout);
  };

  const tell = ({ status, outcome, reason }: Refusal, upstream: Upstream, why?: string) => {
    count(outcome);
    if (why === undefined) return;
    const address = authorityOf(upstream);
    log.limited('warn', `relay ${address}`, `a request could not be passed on to ${address}: ${why}`, { status, reason });
  };

  return {
    request(request, response, upstream, path) {
      const refuse = (refusal: Refusal, why?: string) => {
        tell(refusal, upstream, why);
        answerRequest(response, refusal);
      };
      const no = refusal(request);
      if (no !== undefined) {
        // What is still being sent belongs to a request that was not taken.
        response.shouldKeepAlive = false;
        refuse(no);
        return;
      }
      const asking = ask(request, upstream, path, framing(request));
      const end = () => asking.end();
      inFlight.add(end);
      requests += 1;
      const { limitKey } = addressOf(request);
      shares.take(limitKey);
      asking.failed = (failure) => {
        if (response.headersSent) response.destroy();
        else {
          discardRest(request);
          refuse(failure.refusal, failure.why);
        }
      };
      asking.answered = (answer) => {
        count('answered');
        passAnswer(answer, request, response, asking, limits().idleTimeout);
      };
      response.once('close', () => {
        inFlight.delete(end);
        requests -= 1;
        shares.giveBack(limitKey);
        if (!response.writableFinished && !response.headersSent) count('abandoned');
        asking.end();
      });
      asking.send(request);
    },

    upgrade(request, stream, head, upstream, path) {
      const refuse = (refusal: Refusal, why?: string) => {
        tell(refusal, upstream, why);
        answerPlainly(stream, refusal.status, `${refusal.reason}\n`, { ...ANY_ORIGIN, ...retryAfter(refusal) });
      };
      const no = refusal(request) ?? upgradeRefusal(request);
      // Under HTTP there is always a socket, of TCP or of TLS.
      if (no !== undefined || !(stream instanceof Socket)) {
        refuse(no ?? refused(400, 'refused', 'This is no connection.'));
        return;
      }
      const asking = ask(request, upstream, path, ['Connection', 'Upgrade', 'Upgrade', 'websocket']);
      const end = () => {
        asking.end();
        stream.destroy();
      };
      inFlight.add(end);
      webSockets += 1;
      const { limitKey } = addressOf(request);
      shares.take(limitKey);
      // Only who is read is seen to leave.
      const early = [head];
      let room = MAX_EARLY;
      const hear = (bytes: Buffer) => {
        early.push(bytes);
        room -= bytes.length;
        if (room < 0) stream.pause();
      };
      const leave = () => stream.destroy();
      stream.on('data', hear);
      stream.once('end', leave);
      stream.on('error', ignore);
      stream.once('close', () => {
        inFlight.delete(end);
        webSockets -= 1;
        shares.giveBack(limitKey);
        asking.end();
      });
      asking.failed = (failure) => {
        refuse(failure.refusal, failure.why);
      };
      asking.answered = (answer) => {
        count('answered');
        // No WebSocket there; what it says instead is for the client to read, and whoever leaves the connection open after it is cut. The server's own
        // connection may be gone long before the client has read all.
        stream.setTimeout(limits().idleTimeout * 1000, () => stream.destroy());
        stream.once('finish', () => stream.destroy());
        stream.off('data', hear);
        stream.resume();
        stream.write(headOf(answer, [...responseHeaders(answer), 'Connection', 'close']));
        answer.pipe(stream);
        answer.once('error', () => stream.destroy());
      };
      asking.upgraded = (answer, socket, first) => {
        count('answered');
        stream.write(headOf(answer, [...responseHeaders(answer), 'Connection', 'Upgrade', 'Upgrade', 'websocket']));
        if (first.length > 0) stream.write(first);
        for (const bytes of early) socket.write(bytes);
        stream.off('data', hear);
        stream.off('end', leave);
        void splice(stream, socket, limits().idleTimeout);
        stream.resume();
      };
      asking.send(undefined);
    },

    count: () => ({ requests, webSockets }),
    size: () => inFlight.size,
    outcomes,
    close() {
      for (const end of [...inFlight]) end();
    },
  };
}

interface Failure {
  readonly refusal: Refusal;
  /** For the operator. */
  readonly why: string;
}

/** One request to a simulation server. Exactly one of the three is called, unless it is ended before. Each has its time: to connect, to take the body, to answer. */
class Asking {
  failed: (failure: Failure) => void = ignore;
  answered: (answer: IncomingMessage) => void = ignore;
  /** Absent: another protocol was not asked for. */
  upgraded: ((answer: IncomingMessage, socket: Socket, first: Buffer) => void) | undefined;
  readonly #asked: ClientRequest;
  readonly #socket: Socket;
  readonly #headerTimeout: number;
  #timer: NodeJS.Timeout | undefined;
  #settled = false;

  constructor(asked: ClientRequest, socket: Socket, headerTimeout: number) {
    this.#asked = asked;
    this.#socket = socket;
    this.#headerTimeout = headerTimeout;
    socket.once('timeout', () => this.#fail(SILENT, 'it takes no connection'));
    socket.once('connect', () => {
      socket.removeAllListeners('timeout');
      socket.setTimeout(0);
    });
    asked.on('error', (error: NodeJS.ErrnoException) => this.#fail(...explain(error)));
    asked.once('close', () => this.#fail(refused(502, 'failed', UNFIT), 'it closed the connection without an answer'));
    asked.once('response', (answer) => {
      // RFC 9110 § 15: three digits, of which the first is at least 2 here. Node would not pass others on.
      if (!(Number(answer.statusCode) >= 200)) this.#fail(refused(502, 'failed', UNFIT), `its status is ${answer.statusCode}`);
      else if (this.#settle()) this.answered(answer);
      else answer.destroy();
    });
    asked.once('upgrade', (answer, upgraded, first) => {
      if (this.upgraded === undefined || answer.headers.upgrade?.toLowerCase() !== 'websocket')
        this.#fail(refused(502, 'failed', UNFIT), 'it changes to another protocol');
      else if (this.#settle()) this.upgraded(answer, upgraded, first);
      else upgraded.destroy();
    });
  }

  /** Sends the request, with the body of this one. */
  send(body: IncomingMessage | undefined): void {
    if (body === undefined || !hasBody(body)) {
      this.#asked.end();
      this.#startTimer();
      return;
    }
    // It may want to answer before the first byte of the body is there.
    this.#asked.flushHeaders();
    body.pipe(this.#asked);
    this.#socket.once('connect', () => this.#watchBody(body));
    body.once('end', () => {
      if (this.#settled) return;
      // A short body is there before the connection, which has a time of its own.
      if (!this.#socket.connecting) this.#socket.setTimeout(0);
      this.#startTimer();
    });
    body.once('error', () => this.end());
  }

  /** Nothing of it passes for a while: either the client sends no more, or the server takes no more. */
  #watchBody(body: IncomingMessage): void {
    if (body.complete && body.readableEnded) return;
    this.#socket.setTimeout(this.#headerTimeout * 1000);
    this.#socket.once('timeout', () => {
      if (this.#socket.writableLength > 0) this.#fail(SILENT, `it took nothing of a request for ${this.#headerTimeout} s`);
      else
        this.#fail(
          refused(408, 'abandoned', 'The request did not arrive in time.'),
          `the client sent nothing for ${this.#headerTimeout} s`,
        );
    });
  }

  get socket(): Socket {
    return this.#socket;
  }

  /** Nobody is interested any more. */
  end(): void {
    this.#settle();
    this.#asked.destroy();
    this.#socket.destroy();
  }

  #startTimer(): void {
    if (this.#settled) return;
    this.#timer = setTimeout(() => {
      this.#fail(SILENT, `it did not answer within ${this.#headerTimeout} s`);
    }, this.#headerTimeout * 1000);
  }

  #fail(refusal: Refusal, why: string): void {
    if (!this.#settle()) return;
    this.#asked.destroy();
    this.#socket.destroy();
    this.failed({ refusal, why });
  }

  #settle(): boolean {
    clearTimeout(this.#timer);
    const first = !this.#settled;
    this.#settled = true;
    return first;
  }
}

const UNFIT = 'The simulation server gave no usable answer.';
const SILENT: Refusal = { status: 504, outcome: 'timeout', reason: 'The simulation server does not answer.' };

function refused(status: number, outcome: RelayOutcome, reason: string): Refusal {
  return { status, outcome, reason };
}

function explain(error: NodeJS.ErrnoException): [Refusal, string] {
  const { code = '' } = error;
  if (code === 'ETIMEDOUT') return [SILENT, 'it takes no connection'];
  if (code === 'HPE_HEADER_OVERFLOW') return [refused(502, 'failed', UNFIT), 'the headers of its answer are too long'];
  if (code.startsWith('HPE_')) return [refused(502, 'failed', UNFIT), `its answer is not HTTP (${code})`];
  if (code === 'ECONNREFUSED')
    return [refused(502, 'failed', 'The simulation server is not there.'), 'nothing listens at its port'];
  return [refused(502, 'failed', UNFIT), code === '' ? error.message : `the connection failed (${code})`];
}

/** How the body of a request is framed towards the simulation server: by its length if it has one, else in chunks of our own. */
function framing(request: IncomingMessage): readonly string[] {
  const { method = '' } = request;
  if (request.headers['transfer-encoding'] !== undefined) return ['Connection', 'close', 'Transfer-Encoding', 'chunked'];
  if (request.headers['content-length'] === undefined && !/^(?:GET|HEAD|DELETE|OPTIONS)$/.test(method))
    return ['Connection', 'close', 'Content-Length', '0'];
  return ['Connection', 'close'];
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function upgradeRefusal(request: IncomingMessage): Refusal | undefined {
  if (request.method !== 'GET' || request.headers.upgrade?.toLowerCase() !== 'websocket')
    return refused(400, 'refused', 'The only protocol to change to is that of WebSockets.');
  // Its bytes would be taken for something else further on.
  if (hasBody(request)) return refused(400, 'refused', 'A request that opens a WebSocket has no body.');
  return undefined;
}

function passAnswer(
  answer: IncomingMessage,
  request: IncomingMessage,
  response: ServerResponse,
  asking: Asking,
  idle: number,
): void {
  const { statusCode = 502 } = answer;
  asking.socket.removeAllListeners('timeout');
  asking.socket.setTimeout(idle * 1000, () => response.destroy());
  response.writeHead(statusCode, fitPhrase(answer), responseHeaders(answer));
  answer.on('data', (chunk: Buffer) => {
    if (!response.write(chunk)) answer.pause();
  });
  response.on('drain', () => answer.resume());
  answer.once('end', () => {
    // It was answered before all of it was there.
    discardRest(request);
    response.end();
  });
  // Cut short: the client must not take it for the whole.
  answer.once('error', () => response.destroy());
}

/** What is left of a request that nobody wants any more is read, so that the next one on its connection can be; too much of it ends the connection. */
function discardRest(request: IncomingMessage): void {
  if (request.complete) return;
  let left = MAX_DISCARDED;
  request.unpipe();
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.socket.destroy();
  });
  request.resume();
}

/** The first lines of an answer that is written on a bare connection. */
function headOf(answer: IncomingMessage, headers: readonly string[]): Buffer {
  const lines = [`HTTP/1.1 ${answer.statusCode ?? 502} ${fitPhrase(answer)}`];
  for (let i = 0; i + 1 < headers.length; i += 2) lines.push(`${headers[i] ?? ''}: ${headers[i + 1] ?? ''}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function answerRequest(response: ServerResponse, refusal: Refusal): void {
  const { status, reason } = refusal;
  response.writeHead(status, {
    ...ANY_ORIGIN,
    ...retryAfter(refusal),
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
  });
  response.end(`${reason}\n`);
}

function retryAfter({ status }: Refusal): Readonly<Record<string, number>> {
  return status === 503 ? { 'Retry-After': RETRY_AFTER } : {};
}

function ignore(): void {
  // A default, or an error after which a close event follows.
}
