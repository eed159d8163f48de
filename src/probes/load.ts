/**
 * Asks a simulation server for its load: `GET /load` (docs/design/protocol.md, "Simulation servers").
 *
 * What counts is narrow on purpose: status 200 and a body that is one finite number ≥ 0 within the limits of size and time. Error pages, half bodies and
 * silence are failures with a reason, never a load. One keep-alive connection per server; a connection that the server had closed while it lay idle is
 * no evidence against the server, so that one case is asked again on a new connection.
 */
import type { LookupFunction, Socket } from 'node:net';
import { buildConnector, Client, errors } from 'undici';
import { httpUrl, type Endpoint, type ServerId } from '../core/fleet/endpoint.ts';
import type { NameLookup, Probe, ProbeResult } from '../ports.ts';

export interface LoadProbeOptions {
  /** Poll by `https`. */
  readonly ssl: boolean;
  /** Seconds a whole probe may take, redirects included. */
  readonly timeout: number;
  /** Seconds an idle connection is kept; longer than the poll interval, else every poll would connect anew. */
  readonly keepAlive: number;
  /** Seconds of a monotonic clock, to measure latency. */
  readonly now: () => number;
  /** How names are looked up. */
  readonly names: NameLookup;
  /** How the names of servers are looked up that came by themselves. No redirect of theirs is followed. `undefined`: the usual way. */
  readonly guard?: (id: ServerId) => LookupFunction | undefined;
}

/** The longest answer that is read: a number needs less, and an error page must not be taken in. */
export const MAX_ANSWER = 1024;
const MAX_REDIRECTS = 2;
const USER_AGENT = 'session-server';

/** The number in an answer of `/load`, or `undefined` when the text is anything else. White space around it, whole numbers and exponents are fine. */
export function parseLoad(text: string): number | undefined {
  if (!/^\s*(?:\+|-(?=[0.]+\s*$))?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?\s*$/i.test(text)) return undefined;
  const load = Number(text);
  // Of the two zeros that there are, one.
  return Number.isFinite(load) ? load + 0 : undefined;
}

export function createLoadProbe(options: LoadProbeOptions): Probe {
  const connections = new Map<ServerId, Connection>();
  /** Those that have answered by HTTP. */
  const heard = new Set<ServerId>();
  /** Probes under way. */
  const attempts = new Map<ServerId, Attempt>();
  let closed = false;
  const timeout = milliseconds(options.timeout);
  const keepAlive = milliseconds(options.keepAlive);
  /** One for all servers: each keeps TLS sessions by host. */
  const connector = buildConnector({ timeout, lookup: options.names.lookup });

  const connect = (id: ServerId, origin: string): Connection => {
    const known = connections.get(id);
    if (known?.origin === origin && !known.client.closed && !known.client.destroyed) return known;
    known?.client.destroy().catch(ignore);
    const lookup = options.guard?.(id);
    const open = lookup === undefined ? connector : buildConnector({ timeout, lookup });
    const client = new Client(origin, {
      pipelining: 1,
      keepAliveTimeout: keepAlive,
      keepAliveMaxTimeout: keepAlive,
      connect: (target, opened) => {
        open(target, (...outcome) => {
          if (outcome[1] !== null) connection.socket = outcome[1];
          opened(...outcome);
        });
      },
      // The deadline of the whole probe is kept here; a timer of each part would cost as much again.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: 16_384,
    });
    const connection: Connection = { origin, client, socket: undefined };
    connections.set(id, connection);
    return connection;
  };

  const disconnect = (id: ServerId): void => {
    connections.get(id)?.client.destroy().catch(ignore);
    connections.delete(id);
  };

  /** A connection with an answer outstanding cannot be used again; to close it ends the request. */
  const giveUp = (id: ServerId): void => {
    const attempt = attempts.get(id);
    if (attempt !== undefined) attempt.over = true;
    disconnect(id);
  };

  /** One request, redirects followed. */
  const ask = async (endpoint: Endpoint, attempt: Attempt): Promise<Answer> => {
    let url = new URL(httpUrl(endpoint, '/load', options.ssl));
    const host = url.hostname;
    const mostRedirects = options.guard?.(endpoint.id) === undefined ? MAX_REDIRECTS : 0;
    for (let redirects = 0; ; redirects += 1) {
      if (attempt.over) throw new Error('it was given up');
      const answer = await getKept(() => connect(endpoint.id, url.origin), url.pathname + url.search, attempt);
      if (answer.location === undefined) return answer;
      if (redirects === mostRedirects) return refused('redirects', tooManyRedirects(mostRedirects));
      const next = URL.canParse(answer.location, url.href) ? new URL(answer.location, url) : undefined;
      if (next?.hostname !== host || !/^https?:$/.test(next.protocol)) return refused('redirect', 'it redirects to another host');
      url = next;
    }
  };

  const late = (host: string): [string, string] =>
    options.names.isPending(host)
      ? ['name', `DNS lookup timed out after ${options.timeout} s`]
      : ['timeout', `it did not answer within ${options.timeout} s`];

  const heardOf = (id: ServerId): Heard => ({
    before: heard.has(id),
    now: (connections.get(id)?.socket?.bytesRead ?? 0) > 0,
  });

  return {
    async probe(endpoint) {
      const { id } = endpoint;
      const began = options.now();
      const attempt: Attempt = { over: closed, late: false };
      attempts.set(id, attempt);
      const timer = setTimeout(() => {
        attempt.late = true;
        giveUp(id);
      }, timeout);
      try {
        const answer = await ask(endpoint, attempt);
        heard.add(id);
        return judge(answer, options.now() - began);
      } catch (error) {
        const outcome = failed(...(attempt.late ? late(endpoint.host) : explain(error, options, heardOf(id))));
        disconnect(id);
        return outcome;
      } finally {
        clearTimeout(timer);
        attempts.delete(id);
      }
    },
    forget(id) {
      giveUp(id);
      heard.delete(id);
    },
    async close() {
      closed = true;
      for (const attempt of attempts.values()) attempt.over = true;
      await Promise.all([...connections.values()].map(({ client }) => client.destroy()));
      connections.clear();
    },
  };
}

interface Connection {
  readonly origin: string;
  readonly client: Client;
  /** The one opened last, which may be closed by now. */
  socket: Socket | undefined;
}

/** A probe under way. */
interface Attempt {
  /** Nothing more is to be asked. */
  over: boolean;
  /** Its time was up. */
  late: boolean;
}

/** Whole ones: Node and undici refuse others, and 1.1 s are 1100.0000000000002 ms. */
function milliseconds(seconds: number): number {
  return Math.ceil(seconds * 1000);
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly location?: string;
  /** Set when the answer cannot count whatever it says. */
  readonly refused?: readonly [code: string, reason: string];
}

const HEADERS = { 'user-agent': USER_AGENT };

/**
 * The server, or a front before it, may close a kept connection just when the next request is on its way: that request never arrived, and is sent again.
 * Who had begun to answer, or closes a connection made for this request, has failed.
 */
async function getKept(connect: () => Connection, path: string, attempt: Attempt): Promise<Answer> {
  const connection = connect();
  const { socket } = connection;
  const before = socket?.bytesRead ?? 0;
  const wasKept = socket !== undefined && !socket.destroyed && before > 0;
  try {
    return await get(connection.client, path);
  } catch (error) {
    const isUntouched = wasKept && connection.socket === socket && socket.bytesRead === before;
    if (!isUntouched || !isClose(error) || attempt.over) throw error;
    return get(connect().client, path);
  }
}

function isClose(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
}

/** By `dispatch`, because `request` makes a stream of each body and an iterator of each stream, which costs more than all the rest. */
function get(client: Client, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let location: string | undefined;
    let size = 0;
    const bodiless = (): Answer => ({ status, body: '', ...(location !== undefined && { location }) });
    client.dispatch(
      { method: 'GET', path, headers: HEADERS },
      {
        // Without it undici takes the handler for one of its old form.
        onRequestStart: ignore,
        onResponseStart(_controller, statusCode, headers) {
          status = statusCode;
          if (status >= 300 && status < 400 && typeof headers.location === 'string') ({ location } = headers);
        },
        onResponseData(controller, chunk) {
          size += chunk.length;
          chunks.push(chunk);
          if (size <= MAX_ANSWER) return;
          resolve(status === 200 ? refused('too-long', `its answer is longer than ${MAX_ANSWER} bytes`) : bodiless());
          // The connection goes with it: nothing more is read.
          controller.abort(new Error('its answer is too long'));
        },
        onResponseEnd() {
          resolve(location === undefined ? { status, body: Buffer.concat(chunks).toString('utf8') } : bodiless());
        },
        onResponseError(_controller, error) {
          reject(error);
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
  return { kind: 'sample', load, latency };
}

function tooManyRedirects(most: number): string {
  return most === 0 ? 'it redirects, which a registered server may not' : `it redirects more than ${most} times`;
}

function failed(code: string, reason: string): ProbeResult {
  return { kind: 'failed', failure: { code, reason } };
}

/** The beginning of a text from outside, on one line. */
function quote(text: string): string {
  const start = text.slice(0, 40);
  return JSON.stringify(text.length > start.length ? `${start}…` : start);
}

const reasons: Readonly<Record<string, readonly [string, string]>> = {
  ECONNREFUSED: ['refused', 'nothing listens at its port'],
  ECONNRESET: ['reset', 'it closed the connection before the answer was complete'],
  UND_ERR_SOCKET: ['reset', 'it closed the connection before the answer was complete'],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['reset', 'its answer is shorter than announced'],
  UND_ERR_HEADERS_OVERFLOW: ['not-http', 'the headers of its answer are too long'],
  ENOTFOUND: ['name', 'its name does not exist in DNS'],
  EAI_AGAIN: ['name', 'the DNS server does not answer'],
  EHOSTUNREACH: ['unreachable', 'there is no route to its host'],
  ENETUNREACH: ['unreachable', 'there is no route to its network'],
  ADDRESS_REFUSED: ['address', 'its name resolves to an address that is not allowed for a registered server'],
  EMFILE: ['descriptors', 'this machine has no file descriptor left; raise its limit (ulimit -n)'],
};

/** What is known of whether a server speaks HTTP. */
interface Heard {
  /** It has answered an earlier probe. */
  readonly before: boolean;
  /** Something has come on the present connection. */
  readonly now: boolean;
}

function explain(error: unknown, { ssl, timeout }: LoadProbeOptions, heard: Heard): [string, string] {
  const hint = heard.before ? '' : `. ${MAYBE_HTTPS}`;
  if (error instanceof errors.ConnectTimeoutError) return ['timeout', `it did not answer within ${timeout} s`];
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const [kind, reason] = reasons[code] ?? [];
  if (kind === 'reset' && !ssl && !heard.now) return [kind, `it closed the connection without an answer${hint}`];
  if (kind !== undefined && reason !== undefined) return [kind, reason];
  const message = error instanceof Error ? error.message : String(error);
  if (NO_TLS.test(code)) return ['not-https', 'it does not speak https. If it speaks http, set "pollSsl" (or "ssl") to false'];
  if (/CERT|TLS|SSL|SELF_SIGNED|VERIFY/.test(code)) {
    const [first = ''] = message.split('\n');
    const own = 'name an authority of your own in NODE_EXTRA_CA_CERTS, or set "pollSsl" (or "ssl") to false';
    return ['certificate', `its certificate is not accepted (${code}): ${first}; ${own}`];
  }
  if (error instanceof errors.HTTPParserError && !ssl) return ['not-http', `its answer is not HTTP${hint}`];
  if (error instanceof errors.HTTPParserError) return ['not-http', `its answer is not HTTP: ${message}`];
  return ['connection', code === '' ? message : `${message} (${code})`];
}

const MAYBE_HTTPS = 'If it speaks https, set "pollSsl" (or "ssl") to true';
/** What OpenSSL says to an answer that is no TLS. */
const NO_TLS = /^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD_LAYER_FAILURE|UNEXPECTED_MESSAGE)$/;

function ignore(): void {
  // How a request begins, and how a connection ends that is given up, tells nothing.
}
