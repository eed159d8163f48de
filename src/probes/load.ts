/**
 * Asks a simulation server for its load: `GET /load` (docs/design/protocol.md, "Simulation servers").
 *
 * The rule is narrow on purpose: status 200 and a body that is one finite number ≥ 0 within the limits of size and time. Error pages, incomplete
 * bodies and silence are failures with a reason, never a load. There is one keep-alive connection per server. If the server closed it while it was idle,
 * that is not evidence against the server: the request is repeated once on a new connection.
 */
import type { LookupFunction } from 'node:net';
import { errors } from 'undici';
import type { IncomingHttpHeaders } from 'undici/types/header.js';
import { httpUrl, type Endpoint, type ServerId } from '../core/fleet/endpoint.ts';
import { readSessionReport, type SessionReport } from '../core/fleet/session-report.ts';
import type { NameLookup, OutgoingProxies, Probe, ProbeResult } from '../ports.ts';
import { explainProbeFailure } from './load-failure.ts';
import { ServerConnections, type Connection } from './server-connections.ts';

export interface LoadProbeOptions {
  /** Poll by `https`. */
  readonly ssl: boolean;
  /** Seconds a whole probe may take, redirects included. */
  readonly timeout: number;
  /** Seconds an idle connection is kept; longer than the poll interval, else every poll would open a new connection. */
  readonly keepAlive: number;
  /** Seconds of a monotonic clock, to measure latency. */
  readonly now: () => number;
  /** How names are resolved. */
  readonly names: NameLookup;
  /** Proxies to listed servers; default: connections are direct. */
  readonly proxies?: OutgoingProxies | undefined;
  /** How the names of registered servers are resolved; their redirects are not followed. `undefined`: a listed server. */
  readonly guard?: (id: ServerId) => LookupFunction | undefined;
}

/** Maximum bytes of an answer that are read. A number needs fewer, and an error page must not fill the memory. */
export const MAX_ANSWER = 1024;
const MAX_REDIRECTS = 2;
const USER_AGENT = 'session-server';

/** The number in an answer of `/load`, or `undefined` when the text is anything else. White space around it, whole numbers and exponents are fine. */
export function parseLoad(text: string): number | undefined {
  if (!/^\s*(?:\+|-(?=[0.]+\s*$))?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?\s*$/i.test(text)) return undefined;
  const load = Number(text);
  // Turns -0 into 0.
  return Number.isFinite(load) ? load + 0 : undefined;
}

export function createLoadProbe(options: LoadProbeOptions): Probe {
  return new LoadProbe(options);
}

class LoadProbe implements Probe {
  readonly #options: LoadProbeOptions;
  readonly #connections: ServerConnections;
  /** Servers that have answered by HTTP. */
  readonly #answered = new Set<ServerId>();
  readonly #attempts = new Map<ServerId, Attempt>();
  #closed = false;

  constructor(options: LoadProbeOptions) {
    this.#options = options;
    this.#connections = new ServerConnections(options);
  }

  async probe(endpoint: Endpoint): Promise<ProbeResult> {
    const { id } = endpoint;
    const began = this.#options.now();
    const attempt: Attempt = { over: this.#closed, late: false };
    this.#attempts.set(id, attempt);
    // A process that was busy or stopped first reads what arrived meanwhile.
    const timer = setTimeout(() => setImmediate(() => this.#endLate(id, attempt)), Math.ceil(this.#options.timeout * 1000));
    try {
      const answer = await this.#ask(endpoint, attempt);
      this.#answered.add(id);
      return judge(answer, this.#options.now() - began);
    } catch (error) {
      const outcome = failed(...(attempt.late ? this.#late(endpoint.host) : this.#explain(error, id)));
      this.#connections.close(id);
      return outcome;
    } finally {
      clearTimeout(timer);
      this.#attempts.delete(id);
    }
  }

  forget(id: ServerId): void {
    this.#abandon(id);
    this.#answered.delete(id);
  }

  recheckNames(): Promise<void> {
    return this.#connections.recheckNames();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const attempt of this.#attempts.values()) attempt.over = true;
    await this.#connections.closeAll();
  }

  #endLate(id: ServerId, attempt: Attempt): void {
    if (this.#attempts.get(id) !== attempt) return;
    attempt.late = true;
    this.#abandon(id);
  }

  /** A connection with an outstanding answer cannot be used again; closing it ends the request. */
  #abandon(id: ServerId): void {
    const attempt = this.#attempts.get(id);
    if (attempt !== undefined) attempt.over = true;
    this.#connections.close(id);
  }

  /** One request, redirects followed. */
  async #ask(endpoint: Endpoint, attempt: Attempt): Promise<Answer> {
    const { guard, ssl } = this.#options;
    let url = new URL(httpUrl(endpoint, '/load', ssl));
    const host = url.hostname;
    const maxRedirects = guard?.(endpoint.id) === undefined ? MAX_REDIRECTS : 0;
    for (let redirects = 0; ; redirects += 1) {
      if (attempt.over) throw new Error('the probe was cancelled');
      const { origin, pathname, search } = url;
      const answer = await getKept(() => this.#connections.open(endpoint.id, origin), pathname + search, attempt);
      if (answer.location === undefined) return answer;
      if (redirects === maxRedirects) return refused('redirects', tooManyRedirects(maxRedirects));
      const next = URL.canParse(answer.location, url.href) ? new URL(answer.location, url) : undefined;
      if (next?.hostname !== host || !/^https?:$/.test(next.protocol)) return refused('redirect', 'it redirects to another host');
      url = next;
    }
  }

  #late(host: string): [string, string] {
    const { names, timeout } = this.#options;
    return names.isPending(host)
      ? ['name', `DNS lookup timed out after ${timeout} s`]
      : ['timeout', `it did not answer within ${timeout} s`];
  }

  #explain(error: unknown, id: ServerId): [string, string] {
    const answered = { before: this.#answered.has(id), now: this.#connections.bytesRead(id) > 0 };
    const context = { ...this.#options, proxied: this.#connections.isProxied(id) };
    return explainProbeFailure(error, context, answered);
  }
}

/** A probe that is running. */
interface Attempt {
  /** Send no further request. */
  over: boolean;
  /** Its time was up. */
  late: boolean;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly location?: string;
  readonly sessions?: SessionReport;
  /** Set when the answer does not count, whatever it contains. */
  readonly refused?: readonly [code: string, reason: string];
}

const HEADERS = { 'user-agent': USER_AGENT };

/**
 * The server, or a reverse proxy before it, may close a kept connection just when the next request is on its way. That request never arrived, and is
 * sent again. A server that had begun to answer, or that closes a connection made for this request, has failed.
 */
async function getKept(connect: () => Connection, path: string, attempt: Attempt): Promise<Answer> {
  const connection = connect();
  const { socket } = connection;
  const before = socket?.bytesRead ?? 0;
  const wasKept = socket === undefined ? connection.answered : !socket.destroyed && before > 0;
  try {
    return await get(connection, path);
  } catch (error) {
    const isUntouched = wasKept && connection.socket === socket && (socket?.bytesRead ?? 0) === before;
    if (!isUntouched || !isClose(error) || attempt.over) throw error;
    return get(connect(), path);
  }
}

function isClose(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
}

/** Uses `dispatch`, because `request` creates a stream and an iterator for each body, which costs more than all the rest. */
function get(connection: Connection, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let location: string | undefined;
    let size = 0;
    let sessions: SessionReport | undefined;
    let compressed: Answer | undefined;
    const bodiless = (): Answer => ({ status, body: '', ...(location !== undefined && { location }) });
    connection.client.dispatch(
      { origin: connection.origin, method: 'GET', path, headers: HEADERS },
      {
        // Without it undici expects a handler of its old form.
        onRequestStart: () => undefined,
        onResponseStart(_controller, statusCode, headers) {
          status = statusCode;
          compressed = compressionOf(headers);
          sessions = readSessionReport(headers['session-count'], headers['session-load']);
          if (status >= 300 && status < 400 && typeof headers.location === 'string') ({ location } = headers);
        },
        onResponseData(controller, chunk) {
          size += chunk.length;
          chunks.push(chunk);
          if (size <= MAX_ANSWER) return;
          resolve(status === 200 ? refused('too-long', `its answer is longer than ${MAX_ANSWER} bytes`) : bodiless());
          // This closes the connection: nothing more is read.
          controller.abort(new Error('its answer is too long'));
        },
        onResponseEnd() {
          connection.answered = true;
          const body = Buffer.concat(chunks).toString('utf8');
          if (status === 200 && compressed !== undefined) resolve(compressed);
          else resolve(location === undefined ? { status, body, ...(sessions !== undefined && { sessions }) } : bodiless());
        },
        onResponseError(_controller, error) {
          // The parser refused the headers after it had read a length: undici then reports that the length is wrong.
          if (status === 0 && error instanceof errors.ResponseContentLengthMismatchError) resolve(TWO_LENGTHS);
          else reject(error);
        },
      },
    );
  });
}

function refused(code: string, reason: string): Answer {
  return { status: 0, body: '', refused: [code, reason] };
}

function judge(answer: Answer, latency: number): ProbeResult {
  if (answer.refused) return failed(...answer.refused);
  if (answer.status !== 200) return failed('status', `it answers /load with status ${answer.status}`);
  const load = parseLoad(answer.body);
  if (load === undefined) return failed('not-a-number', `its answer to /load is not a number: ${quote(answer.body)}`);
  return { kind: 'sample', load, latency, ...(answer.sessions !== undefined && { sessions: answer.sessions }) };
}

/** A compressed body cannot be read as a number. */
function compressionOf(headers: IncomingHttpHeaders): Answer | undefined {
  const encoding = String(headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding === 'identity') return undefined;
  const reason = `its answer to /load is compressed (${quote(encoding)}), which was not requested; switch that off there`;
  return refused('compressed', reason);
}

const TWO_LENGTHS = refused('not-http', 'its answer has two lengths: Content-Length twice, or beside Transfer-Encoding');

function tooManyRedirects(max: number): string {
  return max === 0 ? 'it redirects, which a registered server may not' : `it redirects more than ${max} times`;
}

function failed(code: string, reason: string): ProbeResult {
  return { kind: 'failed', failure: { code, reason } };
}

/** The beginning of a text from outside, on one line. */
function quote(text: string): string {
  const start = text.slice(0, 40);
  return JSON.stringify(text.length > start.length ? `${start}…` : start);
}
