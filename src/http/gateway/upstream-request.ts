/** One request to a simulation server, with a time limit for each step: to connect, to read the body, to respond. */
import { request as httpRequest, type ClientRequest, type IncomingMessage, type InformationEvent } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Upstream } from '../../core/gateway/gateway-routes.ts';
import { connecting, countAllHeaders, parsing } from './upstream-limits.ts';
import { hasBody, refusalOf, type Refusal } from './relay-refusal.ts';
import { passJoined, type Backpressure } from '../server/joined-pieces.ts';

/** Informational responses before a response. Servers send one or two. */
const MAX_INFORMATION = 16;

export interface UpstreamRequestOptions {
  readonly upstream: Upstream;
  readonly method: string | undefined;
  readonly path: string;
  readonly headers: readonly string[];
  /** Maximum size of all response headers together. */
  readonly headerBytes: number;
  /** Seconds the simulation server has to accept the connection. */
  readonly connectTimeout: number;
  /** Seconds it has to begin its response once it has the request. Also the time for which the body may stall. */
  readonly headerTimeout: number;
}

export interface Failure {
  readonly refusal: Refusal;
  /** For the operator. */
  readonly why: string;
}

/** At least one of these is called, each at most once, unless the request is ended before. */
export interface UpstreamHandlers {
  /** There is no valid response, or, after `responded`, the response broke off. */
  failed(failure: Failure): void;
  responded(response: IncomingMessage): void;
  /** An informational response other than 100, such as 103 (Early Hints), before `responded`. Absent: they are ignored. */
  informed?(response: InformationEvent): void;
  /** Absent: the request does not change the protocol. */
  upgraded?(response: IncomingMessage, socket: Socket, first: Buffer): void;
}

export class UpstreamRequest {
  readonly socket: Socket;
  readonly #request: ClientRequest;
  readonly #headerTimeout: number;
  readonly #handlers: UpstreamHandlers;
  #timer: NodeJS.Timeout | undefined;
  #state: 'waiting' | 'responding' | 'over' = 'waiting';
  #stopSending: () => void = () => undefined;

  constructor(options: UpstreamRequestOptions, handlers: UpstreamHandlers) {
    const { upstream, method, path, headers, headerBytes, connectTimeout, headerTimeout } = options;
    this.#headerTimeout = headerTimeout;
    this.#handlers = handlers;
    this.socket = connectTo(upstream, connectTimeout);
    this.#request = httpRequest({
      ...{ method, path, headers: [...headers], ...parsing(headerBytes) },
      createConnection: () => this.socket,
    });
    countAllHeaders(this.#request);
    this.#watchConnecting();
    this.#watchResponse();
  }

  /** Sends the request without a body. */
  send(): void {
    this.#request.end();
    this.#startTimer();
  }

  /** Sends the request, with the body of `from` if it has one. */
  sendWithBody(from: IncomingMessage, waits: Backpressure): void {
    if (!hasBody(from)) {
      this.send();
      return;
    }
    // The server may respond before it has seen a byte of the body.
    this.#request.flushHeaders();
    const stopPassing = passJoined(from, this.#request, waits);
    this.socket.once('connect', () => this.#watchBody(from));
    const finish = () => {
      this.#request.end();
      if (this.#state !== 'waiting') return;
      // A short body is complete before the connection is, and connecting has a time limit of its own.
      if (!this.socket.connecting) this.socket.setTimeout(0);
      this.#startTimer();
    };
    from.once('end', finish);
    from.once('error', () => this.end());
    this.#stopSending = () => {
      stopPassing();
      // What was sent is a part, and must not look complete.
      from.off('end', finish);
    };
  }

  /** Nothing more of the body is sent: there is an answer already. */
  stopSending(): void {
    this.#stopSending();
  }

  /** Gives the request up. No handler is called afterwards. */
  end(): void {
    this.#enter('over');
    this.#stopSending();
    this.#request.destroy();
    this.socket.destroy();
  }

  /** From now on the request fails when nothing is sent or read for `seconds`. `isClientSlow`: because the client does not read. */
  limitIdle(seconds: number, isClientSlow: () => boolean): void {
    this.socket.removeAllListeners('timeout');
    this.socket.setTimeout(seconds * 1000, () => {
      if (isClientSlow()) this.#fail(LATE_READER, `the client read nothing for ${seconds} s`);
      else this.#fail(TIMEOUT, `it sent nothing for ${seconds} s`);
    });
  }

  #watchConnecting(): void {
    this.socket.once('timeout', () => this.#fail(TIMEOUT, 'it does not accept connections'));
    this.socket.once('connect', () => {
      this.socket.removeAllListeners('timeout');
      this.socket.setTimeout(0);
    });
  }

  #watchResponse(): void {
    let answer: IncomingMessage | undefined;
    this.#request.on('error', (error: NodeJS.ErrnoException) => {
      // A response that is complete is good, whatever happens to its connection then.
      if (answer?.complete !== true) this.#failWith(error);
    });
    this.#request.once('close', () => {
      if (answer === undefined) this.#fail(INVALID, 'it closed the connection without a response');
    });
    this.#watchInformation();
    this.#request.once('response', (response) => {
      answer = response;
      this.#receive(response);
    });
    this.#request.once('upgrade', (response, socket, first) => {
      if (this.#handlers.upgraded === undefined || response.headers.upgrade?.toLowerCase() !== 'websocket')
        this.#fail(INVALID, 'it switched to another protocol');
      else if (this.#state === 'waiting') {
        this.#enter('over');
        this.#handlers.upgraded(response, socket, first);
      } else socket.destroy();
    });
  }

  #watchInformation(): void {
    let count = 0;
    this.#request.on('information', (information) => {
      // 100 answers our own expectation, and we have none.
      if (information.statusCode === 100) return;
      count += 1;
      if (count > MAX_INFORMATION) this.#fail(INVALID, 'it sends one informational response after another');
      else if (this.#state === 'waiting') this.#handlers.informed?.(information);
    });
  }

  #receive(response: IncomingMessage): void {
    response.once('end', () => this.#enter('over'));
    response.on('error', (error: NodeJS.ErrnoException) => this.#failWith(error));
    const problem = problemOf(response);
    if (problem !== undefined) {
      this.#fail(INVALID, problem);
      return;
    }
    // What follows in the same packet is parsed first. If it is invalid, nothing was sent to the client yet.
    process.nextTick(() => {
      if (this.#state !== 'waiting') return;
      this.#enter('responding');
      this.#handlers.responded(response);
    });
  }

  /** Fails when nothing of the body moves for a while: either the client stopped sending, or the server stopped reading. */
  #watchBody(body: IncomingMessage): void {
    if (body.complete && body.readableEnded) return;
    this.socket.setTimeout(this.#headerTimeout * 1000);
    this.socket.once('timeout', () => {
      if (this.socket.writableLength > 0) this.#fail(TIMEOUT, `it read nothing of a request for ${this.#headerTimeout} s`);
      else this.#fail(LATE_REQUEST, `the client sent nothing for ${this.#headerTimeout} s`);
    });
  }

  #startTimer(): void {
    if (this.#state !== 'waiting') return;
    this.#timer = setTimeout(() => {
      this.#fail(TIMEOUT, `it did not respond within ${this.#headerTimeout} s`);
    }, this.#headerTimeout * 1000);
  }

  #failWith(error: NodeJS.ErrnoException): void {
    const { refusal, why } = failureOf(error);
    this.#fail(refusal, why);
  }

  #fail(refusal: Refusal, why: string): void {
    if (this.#state === 'over') return;
    this.end();
    this.#handlers.failed({ refusal, why });
  }

  #enter(state: 'responding' | 'over'): void {
    clearTimeout(this.#timer);
    this.#state = state;
  }
}

/** What is wrong with a response that Node's parser accepts. */
function problemOf({ statusCode = 0, headers }: IncomingMessage): string | undefined {
  // RFC 9110 § 15: three digits, of which the first is at least 2 here. Node would not forward others.
  if (!(statusCode >= 200)) return `its response has the status ${statusCode}`;
  // Node decodes chunks and nothing else. Without its header, any other encoding makes the body unreadable.
  const encoding = headers['transfer-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'chunked') return 'its response has an unsupported transfer encoding';
  return undefined;
}

const INVALID = refusalOf(502, 'failed', 'The simulation server sent no valid response.');
const NOT_LISTENING = refusalOf(502, 'failed', 'Nothing listens on the port of the simulation server.');
const TIMEOUT = refusalOf(504, 'timeout', 'The simulation server does not respond.');
const LATE_READER = refusalOf(408, 'abandoned', 'The response was not read in time.');
const LATE_REQUEST = refusalOf(408, 'abandoned', 'The request did not arrive in time.');

/** What a failed connection or an unreadable response means. */
export function failureOf({ code = '', message }: Pick<NodeJS.ErrnoException, 'code' | 'message'>): Failure {
  if (code === 'ETIMEDOUT') return { refusal: TIMEOUT, why: 'it does not accept connections' };
  if (code === 'HPE_HEADER_OVERFLOW') return { refusal: INVALID, why: 'its response headers are too long' };
  if (code.startsWith('HPE_')) return { refusal: INVALID, why: `its response is not HTTP (${code})` };
  if (code === 'ECONNRESET') return { refusal: INVALID, why: 'it closed the connection too early' };
  if (code === 'ECONNREFUSED') return { refusal: NOT_LISTENING, why: 'nothing listens on its port' };
  return { refusal: INVALID, why: code === '' ? message : `the connection failed (${code})` };
}

/** `timeout` in seconds. */
function connectTo({ host, port, socketPath }: Upstream, timeout: number): Socket {
  if (socketPath !== undefined) return connect({ path: socketPath, timeout: timeout * 1000 });
  return connect({ host, port, noDelay: true, timeout: timeout * 1000, ...connecting(timeout) });
}
