/** What the simulation server answers at its port: the load, the monitor page, programs with a token, and the connections of clients. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressOf } from '../../http/server/client-address.ts';
import { answerPlainly } from '../../http/server/plain-answers.ts';
import { unsharedPlaces } from '../../http/server/connection-places.ts';
import { startHttpServer, type HttpServer } from '../../http/server/server.ts';
import type { Log } from '../../ports.ts';
import type { ClientSockets } from './client-socket.ts';
import { MONITOR_POLICY } from './monitor-page.ts';

export interface SimulationHttpOptions {
  readonly host: string;
  readonly port: number;
  readonly addressOf: AddressOf;
  readonly log: Log;
  readonly sockets: ClientSockets;
  readonly maxClients: () => number;
  /** The text of the load, and headers beside it; `undefined` while it is not known. */
  readonly load: () => { readonly text: string; readonly headers: Readonly<Record<string, string>> } | undefined;
  readonly monitor: () => string;
  readonly metrics: () => string;
  /** Leftovers of the last run are gone. */
  readonly ready: () => boolean;
  /** Absent: the API cannot be called. */
  readonly token: () => string | undefined;
  readonly api: SimulationApi;
}

/** What programs with the token may ask. */
export interface SimulationApi {
  sessions(): unknown;
  costs(): unknown;
  /** `false`: there is no such session. */
  end(id: string): boolean;
  drain(seconds: number | undefined): void;
  resume(): void;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const HTTP_LIMITS = { headerBytes: 65_536, headerTimeout: 10 };
/** Bytes of a request body. */
const MAX_BODY = 4096;

export function startSimulationHttp(options: SimulationHttpOptions): Promise<HttpServer> {
  const { host, port, addressOf, sockets, log, maxClients } = options;
  return startHttpServer({
    ...{ host, port, limits: HTTP_LIMITS, maxClients, addressOf, places: unsharedPlaces() },
    handle: (request, response) => {
      void answer(options, request, response);
    },
    upgrade(request, socket, head) {
      if (pathOf(request) === '/client') sockets.upgrade(request, socket, head);
      else answerPlainly(socket, 404, 'There is no WebSocket at this path.\n');
    },
    turnedAway: () => {
      log.limited('warn', 'clients', `more than ${maxClients()} connections`);
    },
  });
}

async function answer(options: SimulationHttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, body, headers } = await answerTo(options, request);
  if (response.destroyed) return;
  response.writeHead(status, {
    ...{ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', 'Access-Control-Allow-Origin': '*' },
    ...headers,
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function answerTo(options: SimulationHttpOptions, request: IncomingMessage): Answer | Promise<Answer> {
  const path = pathOf(request);
  if (path.startsWith('/api/v1/')) return answerApi(options, request, path);
  if (!['/load', '/monitor', '/client', '/livez', '/readyz', '/metrics'].includes(path))
    return plain(404, 'Not found. This is a simulation server: see /monitor.');
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return plain(405, 'Only GET and HEAD are allowed.', { Allow: 'GET, HEAD' });
  switch (path) {
    case '/load': {
      const load = options.load();
      return load === undefined
        ? plain(503, 'The load is not known yet.', { 'Retry-After': '1' })
        : { status: 200, body: load.text, headers: { 'Content-Type': 'text/html; charset=UTF-8', ...load.headers } };
    }
    case '/monitor':
      return {
        status: 200,
        body: options.monitor(),
        headers: {
          ...{ 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': MONITOR_POLICY },
          'Referrer-Policy': 'no-referrer',
        },
      };
    case '/metrics':
      return { status: 200, body: options.metrics(), headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' } };
    case '/readyz':
      return options.ready() ? plain(200, 'ready') : plain(503, 'not ready yet');
    case '/client':
      return plain(426, 'This is a WebSocket; a proxy may have dropped the header "Upgrade".', { Upgrade: 'websocket' });
    default:
      return plain(200, 'alive');
  }
}

async function answerApi({ token, api, log }: SimulationHttpOptions, request: IncomingMessage, path: string): Promise<Answer> {
  const expected = token();
  if (expected === undefined) return refusal(403, 'no-token', 'The configuration has no "api.token", so access is not allowed.');
  if (!isToken(request.headers.authorization, expected))
    return refusal(401, 'unauthorized', 'Send the header "Authorization: Bearer TOKEN".', { 'WWW-Authenticate': 'Bearer' });
  const { method = 'GET' } = request;
  const id = /^\/api\/v1\/sessions\/([A-Za-z0-9-]{1,100})$/.exec(path)?.[1];
  if (method === 'GET' && path === '/api/v1/sessions') return json(200, api.sessions());
  if (method === 'GET' && path === '/api/v1/costs') return json(200, api.costs());
  if (method === 'DELETE' && id !== undefined)
    return api.end(id) ? json(200, { id }) : refusal(404, 'unknown-session', 'There is no session with this id.');
  if (path === '/api/v1/drain' && (method === 'POST' || method === 'DELETE')) {
    if (method === 'DELETE') {
      api.resume();
      return json(200, { draining: false });
    }
    const seconds = await readSeconds(request);
    if (seconds === 'invalid') return refusal(400, 'bad-request', 'Send {} or {"seconds": 600}.');
    api.drain(seconds);
    log.info('This server is drained', { ...(seconds !== undefined && { seconds }) });
    return json(200, { draining: true });
  }
  return refusal(404, 'not-found', 'There is nothing at this path for this method.');
}

/** `undefined`: sessions may last as long as they like. */
async function readSeconds(request: IncomingMessage): Promise<number | undefined | 'invalid'> {
  let text = '';
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      text += chunk.toString('utf8');
      if (text.length > MAX_BODY) return 'invalid';
    }
    if (text === '') return undefined;
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'invalid';
    const { seconds } = value as { readonly seconds?: unknown };
    if (seconds === undefined) return undefined;
    return typeof seconds === 'number' && seconds >= 0 && seconds <= 1_000_000 ? seconds : 'invalid';
  } catch {
    return 'invalid';
  }
}

/** Takes the same time whatever is sent. */
function isToken(header: string | undefined, expected: string): boolean {
  const sent = /^Bearer ([!-~]{1,300})$/i.exec(header ?? '')?.[1] ?? '';
  return timingSafeEqual(sha256(sent), sha256(expected));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
}

function plain(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, body: `${text}\n`, headers: { 'Content-Type': 'text/plain; charset=utf-8', ...headers } };
}

function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, body: JSON.stringify(value), headers: { 'Content-Type': 'application/json', ...headers } };
}

function refusal(status: number, code: string, reason: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return json(status, { code, reason }, headers);
}
