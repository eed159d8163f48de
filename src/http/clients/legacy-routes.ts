/**
 * The routes of deployed clients: `/session`, `/` and `/load` (docs/design/protocol.md, "HTTP"). These clients will not be updated and fix
 * status and body: the status is always 200, and an error is a body that begins with `Error:`. Newer clients find more in
 * headers and under `/api/v1`.
 */
import type { HttpBindings } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import { projectParameter } from '../../core/fleet/project.ts';
import { withoutCode } from '../../core/reservations/code.ts';
import type { QueueService } from '../../engine/queue-service.ts';
import type { SessionRequests } from '../../engine/session-requests.ts';
import type { StartupGate } from '../../engine/startup-gate.ts';
import type { Allocated, Outcome, Refused } from '../../engine/request-types.ts';
import type { Topic } from '../../engine/topic.ts';
import type { AddressOf } from '../server/client-address.ts';
import { CORS, methodNotAllowed } from '../server/cors.ts';
import type { VisitorPages } from './visitor-routes.ts';

export interface LegacyRoutesOptions {
  readonly requests: Pick<SessionRequests, 'request' | 'tryOnce'>;
  readonly queue: Pick<QueueService, 'hold'>;
  /** Can a session without a project be started now. */
  readonly availability: Pick<Topic<boolean>, 'value'>;
  /** Answers may be given. */
  readonly answers: StartupGate;
  /** Clients may join the waiting line. */
  readonly sessions: StartupGate;
  readonly addressOf: AddressOf;
  /** Mean load of the servers that answer, percent. */
  readonly meanLoad: () => number | undefined;
  /** Seconds a request to `/session` is held while no server is available; 0: not at all. */
  readonly hold: () => number;
  /** The pages for browsers that open `/` or `/session`. Absent: they get text, as programs do. */
  readonly pages?: Pick<VisitorPages, 'landing' | 'session'>;
  /** Absent: there is no gateway. */
  readonly gateway?: ClientsAtGateway | undefined;
}

/** What the gateway does for clients of these routes (`waiting.relay`). */
export interface ClientsAtGateway {
  readonly waits: () => boolean;
  /** Where a client waits while there is no room. A new URL for each client. */
  readonly waitingUrl: (code?: string) => string;
  readonly sent: SentToServer;
}

/** A client from this address was sent to a server, and may arrive through the gateway. It may be called again for the same booking. */
export type SentToServer = (allocated: Allocated, address: string) => void;

type Env = { Bindings: HttpBindings };

/** Fixed, because clients of the original look for it. */
export const NOTHING_AVAILABLE = 'Error: no simulation server available at the moment.';

const TEXT = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' } as const;
const SESSION = { ...TEXT, ...CORS };

export function createLegacyRoutes(options: LegacyRoutesOptions): Hono<Env> {
  const { requests, queue, answers, sessions, addressOf, hold, gateway } = options;
  const routes = new Hono<Env>();

  const allocate = async (c: Context<Env>): Promise<Response> => {
    // Watched from the beginning: a client that disconnects before answers may be given must not get a place later.
    const begins = hold() > 0 || gateway?.waits() === true ? sessions : answers;
    const gone = !begins.isReady() || hold() > 0 ? closed(c) : undefined;
    if (!begins.isReady()) await begins.ready;
    if (gone?.aborted === true) return answer(null);
    // HEAD is safe and must not book a server (RFC 9110 § 9.2.1).
    if (c.req.method === 'HEAD') return answer(null);
    const { incoming } = c.env;
    const projectUrl = projectParameter(queryOf(incoming.url ?? ''));
    const { code } = withoutCode(c.req.path);
    const request = {
      address: addressOf(incoming),
      ...(projectUrl !== undefined && { projectUrl }),
      ...(code !== undefined && { code }),
    };
    if (gateway?.waits() === true) {
      const outcome = await requests.tryOnce(request);
      if (outcome.kind === 'no-room') return answer(gateway.waitingUrl(code));
      if (outcome.kind === 'allocated') gateway.sent(outcome, request.address.address);
      return answer(sessionBody(outcome, projectUrl !== undefined), sessionHeaders(outcome));
    }
    const seconds = hold();
    const outcome = seconds > 0 ? await queue.hold(request, seconds, gone ?? closed(c)) : await requests.request(request);
    return answer(sessionBody(outcome, projectUrl !== undefined), sessionHeaders(outcome));
  };
  const availability = async (): Promise<Response> => {
    if (!answers.isReady()) await answers.ready;
    return answer(options.availability.value ? '1' : '0');
  };
  const load = async (): Promise<Response> => {
    if (!answers.isReady()) await answers.ready;
    return answer(String(options.meanLoad() ?? -1));
  };
  // One handler for all methods of a path: the framework chains several that match, which costs as much as the response.
  const { pages } = options;
  routes.all('/session', readOnly(pages === undefined ? allocate : (c) => (wantsPage(c) ? pages.session(c) : allocate(c))));
  routes.all(
    '/c/:code/session',
    readOnly(pages === undefined ? allocate : (c) => (wantsPage(c) ? pages.session(c) : allocate(c))),
  );
  routes.all('/', readOnly(pages === undefined ? availability : (c) => (wantsPage(c) ? pages.landing(c) : availability())));
  routes.all('/load', readOnly(load));
  return routes;
}

/** A browser that was given this address. The scripts of pages, and all other programs, accept anything or text. */
function wantsPage({ req, env }: Context<Env>): boolean {
  return req.method === 'GET' && env.incoming.headers.accept?.includes('text/html') === true;
}

function readOnly(handle: (c: Context<Env>) => Promise<Response>): (c: Context<Env>) => Response | Promise<Response> {
  return (c) => {
    const { method } = c.req;
    if (method === 'GET' || method === 'HEAD') return handle(c);
    if (method === 'OPTIONS') return c.body(null, 204, CORS);
    return methodNotAllowed(c, 'GET, HEAD, OPTIONS');
  };
}

/** Built directly, because `c.body` copies headers one by one. */
function answer(body: string | null, headers: Headers = SESSION): Response {
  return new Response(body, { status: 200, headers });
}

/** Codes that mean the same to clients of the original. */
const NO_SERVER_CODES: ReadonlySet<string> = new Set(['no-room', 'no-servers', 'others-wait', 'held-for-class']);

/** The text of a refusal as clients of the original understand it. */
export function errorText({ code, reason, position }: Refused, detailed: boolean): string {
  if (position !== undefined) return `${NOTHING_AVAILABLE} You are number ${position} in the waiting line.`;
  if (!NO_SERVER_CODES.has(code)) return `Error: ${reason}`;
  return detailed ? `${NOTHING_AVAILABLE} ${reason}` : NOTHING_AVAILABLE;
}

function sessionBody(outcome: Outcome, detailed: boolean): string {
  return outcome.kind === 'allocated' ? outcome.url : errorText(outcome, detailed);
}

type Headers = Readonly<Record<string, string>>;

/** By the code of the refusal. There are few codes, and building the headers costs as much as the rest of the response. */
const refusalHeaders = new Map<string, Headers>();

/** With the refusal's code, for newer clients. */
function sessionHeaders(outcome: Outcome): Headers {
  if (outcome.kind === 'allocated') return SESSION;
  const { code } = outcome;
  let headers = refusalHeaders.get(code);
  if (headers === undefined) {
    headers = { ...SESSION, 'Access-Control-Expose-Headers': 'X-Session-Server-Code', 'X-Session-Server-Code': code };
    refusalHeaders.set(code, headers);
  }
  return headers;
}

/** What follows the first `?`. */
export function queryOf(target: string): string {
  const mark = target.indexOf('?');
  return mark < 0 ? '' : target.slice(mark + 1);
}

/** Aborted when the client disconnects before it has its response; at once if it already has. */
export function closed(c: Context<Env>): AbortSignal {
  const { outgoing } = c.env;
  const gone = new AbortController();
  if (outgoing.destroyed) gone.abort();
  outgoing.once('close', () => {
    gone.abort();
  });
  return gone.signal;
}
