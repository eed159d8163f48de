/**
 * The waiting line and the sessions that run, and what operators may do about it: remove a request from the line, end a session, move
 * it to another server. Neither list has an address or an identifier of a client.
 */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { shown } from '../../core/fleet/project.ts';
import type { SessionListView, WaitingListView } from '../../core/views/session-views.ts';
import type { SessionActionOutcome, SessionActions } from '../../engine/session-actions.ts';
import type { Clock } from '../../ports.ts';
import { bodyLimit } from '../server/body-limit.ts';
import { sessionBasis } from '../server/api-schemas.ts';
import { refuseOddJson } from '../server/json-body.ts';
import {
  jsonBody,
  jsonResponse,
  readingRefusals,
  readingSecurity,
  refusal,
  refusalResponse,
  refuseInvalid,
} from '../server/refusal.ts';
import type { Env } from '../server/routes.ts';
import { createThrottledValue } from '../server/throttled-value.ts';

export interface SessionRoutesOptions {
  /** The first so many requests in line, and sessions: of the fleet or of one server. */
  readonly waiting: (max: number) => WaitingListView;
  readonly sessions: (max: number, server?: string) => SessionListView;
  readonly actions: Pick<SessionActions, 'removeWaiting' | 'end' | 'move'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly mayRead: MiddlewareHandler<Env>;
  readonly mayAct: MiddlewareHandler<Env>;
}

const MAX_LISTED = 1000;
const USUAL_LISTED = 100;
const MAX_REASON = 120;
const BODY_BYTES = 4096;
/** Approximate size of one entry. */
const ENTRY_BYTES = 400;
/** What a walk over the fleet costs besides, in the same measure. */
const LIST_BYTES = 100_000;

const time = z.number().describe('Seconds since the epoch.');
const total = z.int().min(0).describe('How many there are; the list may have fewer.');
const limit = z.coerce
  .number({ message: 'write a number' })
  .int()
  .min(1, 'write at least 1')
  .max(MAX_LISTED, `write at most ${MAX_LISTED}`)
  .default(USUAL_LISTED)
  .describe('Maximum number of entries.');

const waitingClient = z
  .object({
    id: z.string().describe('Id of the request, as in decisions and in the log.'),
    position: z.int().min(1).describe('1 is next.'),
    ofClass: z.boolean().describe('It waits for a reserved seat, in a line of its own before all others.'),
    since: time,
    project: z.string().nullable(),
    connected: z.boolean().describe('False: its client lost the connection, and its place is kept for a short time.'),
    reason: z.string().describe('Why it has no server yet, in a sentence.'),
  })
  .openapi('WaitingRequest');
const session = z
  .object({
    id: z.string(),
    serverId: z.string(),
    server: z.string().describe('Address as the operator wrote it.'),
    state: z.enum(['running', 'handed-out']).describe('`handed-out`: its client has not come yet, or this is not known.'),
    since: time.describe('When it began; of one that was handed out, when that was.'),
    project: z.string().nullable().describe('The project as it was asked for, or without scheme and branch; null: not known.'),
    basis: sessionBasis,
    closable: z.boolean().describe('Its client is connected through the gateway, so it can be closed and moved.'),
  })
  .openapi('RunningSession');

const listWaiting = createRoute({
  method: 'get',
  path: '/api/v1/waiting-requests',
  operationId: 'listWaitingRequests',
  tags: ['servers'],
  summary: 'The waiting line: since when each request waits, for which project, and why it is not served yet',
  security: readingSecurity,
  request: { query: z.object({ limit }) },
  responses: {
    200: jsonResponse(
      'The waiting line in order: classes first.',
      z.object({ at: time, total, clients: z.array(waitingClient).readonly() }),
    ),
    ...readingRefusals,
  },
});
const listSessions = createRoute({
  method: 'get',
  path: '/api/v1/running-sessions',
  operationId: 'listRunningSessions',
  tags: ['servers'],
  summary: 'Which sessions run, on which server and since when',
  security: readingSecurity,
  request: {
    query: z.object({
      limit,
      server: z.string().min(1).max(300).optional().describe('Only those of this server: its identity.'),
    }),
  },
  responses: {
    200: jsonResponse('The sessions, by server.', z.object({ at: time, total, sessions: z.array(session).readonly() })),
    ...readingRefusals,
  },
});

const parameter = z.object({ id: z.string().min(1).max(200).describe('As in the list.') });
const security = [{ token: [] }];
const refusals = {
  400: refusalResponse('The request cannot be understood.'),
  401: refusalResponse('The token is missing or wrong.'),
  403: refusalResponse('No tokens are configured, the token is read-only, or the request did not come from the monitor page.'),
  413: refusalResponse('The body is too large.'),
  415: refusalResponse('The body was not sent as JSON.'),
  429: refusalResponse('Too many wrong tokens from this address.'),
};
const unknownRequest = { 404: refusalResponse('It is not in line any more.') };
const unknownSession = { 404: refusalResponse('There is no such session any more.') };

const removeWaiting = createRoute({
  method: 'delete',
  path: '/api/v1/waiting-requests/{id}',
  operationId: 'removeWaitingRequest',
  tags: ['operator actions'],
  summary: 'Remove a request from the waiting line',
  security,
  request: { params: parameter },
  responses: {
    200: jsonResponse('Its client was notified.', z.object({ done: z.literal(true) })),
    ...unknownRequest,
    ...refusals,
  },
});
const end = createRoute({
  method: 'post',
  path: '/api/v1/running-sessions/{id}/end',
  operationId: 'endSession',
  tags: ['operator actions'],
  summary: 'End a session, or release the place of one that was handed out',
  security,
  request: {
    params: parameter,
    body: jsonBody(
      z
        .strictObject({
          reason: z.string().max(MAX_REASON, `write at most ${MAX_REASON} characters`).optional().describe('Shown to its user.'),
        })
        .openapi('EndSession'),
    ),
  },
  responses: {
    200: jsonResponse(
      '`closed`: its client was disconnected. `released`: its place is free. A client that came directly stays connected.',
      z.object({ done: z.enum(['closed', 'released']) }),
    ),
    ...unknownSession,
    ...refusals,
  },
});
const move = createRoute({
  method: 'post',
  path: '/api/v1/running-sessions/{id}/move',
  operationId: 'moveSession',
  tags: ['operator actions'],
  summary: 'Send the client of a session to another server; its simulation starts from the beginning',
  security,
  request: { params: parameter },
  responses: {
    200: jsonResponse(
      '`at-once`: its simulation had not begun, and its client gets another server on the same connection. `closed`: its client was disconnected with code 1012 and has to ask again.',
      z.object({ done: z.enum(['at-once', 'closed']) }),
    ),
    409: refusalResponse('Its client is not connected through the gateway.'),
    ...unknownSession,
    ...refusals,
  },
});

export function createSessionRoutes(options: SessionRoutesOptions): OpenAPIHono<Env> {
  const routes = new OpenAPIHono<Env>({ defaultHook: refuseInvalid });
  const bodies = bodyLimit({ maxSize: BODY_BYTES, onError: (c) => refusal(c, 413, 'too-large', 'The request is too large.') });
  for (const { path } of [listWaiting, listSessions]) routes.on('GET', path, options.mayRead);
  for (const { method, path } of [removeWaiting, end, move])
    routes.on(method, path.replace('{id}', ':id'), options.mayAct, bodies, refuseOddJson);
  addLists(routes, options);
  addActions(routes, options);
  return routes;
}

/** Computed a few times a second at most, however many read them. */
function addLists(routes: OpenAPIHono<Env>, { waiting, sessions, clock }: SessionRoutesOptions): void {
  const throttled = <T>(list: () => T, entries: (list: T) => number) =>
    createThrottledValue(clock, () => {
      const value = list();
      return { value, bytes: LIST_BYTES + entries(value) * ENTRY_BYTES };
    });
  const allWaiting = throttled(
    () => waiting(MAX_LISTED),
    ({ clients }) => clients.length,
  );
  const allSessions = throttled(
    () => sessions(MAX_LISTED),
    ({ sessions }) => sessions.length,
  );
  routes.openapi(listWaiting, (c) => {
    const { at, total, clients } = allWaiting();
    return c.json({ at, total, clients: clients.slice(0, c.req.valid('query').limit) }, 200, NO_STORE);
  });
  routes.openapi(listSessions, (c) => {
    const { limit: max, server } = c.req.valid('query');
    const { at, total, sessions: found } = server === undefined ? allSessions() : sessions(max, server);
    return c.json({ at, total, sessions: found.slice(0, max) }, 200, NO_STORE);
  });
}

function addActions(routes: OpenAPIHono<Env>, { actions }: SessionRoutesOptions): void {
  routes.openapi(removeWaiting, (c) => {
    if (actions.removeWaiting(c.req.valid('param').id, c.get('actor'))) return c.json({ done: true as const }, 200);
    return refusal(c, 404, 'unknown-request', 'This request is not in the waiting line.');
  });
  routes.openapi(end, async (c) => {
    const { id } = c.req.valid('param');
    const reason = c.req.valid('json').reason?.trim() ?? '';
    const outcome = await actions.end(id, c.get('actor'), reason === '' ? undefined : reason);
    return outcome.kind === 'done' ? c.json({ done: outcome.how }, 200) : refuseUnknown(c, id);
  });
  routes.openapi(move, (c) => {
    const { id } = c.req.valid('param');
    const outcome: SessionActionOutcome<'at-once' | 'closed'> = actions.move(id, c.get('actor'));
    if (outcome.kind === 'refused') return refusal(c, 409, outcome.code, outcome.reason);
    return outcome.kind === 'done' ? c.json({ done: outcome.how }, 200) : refuseUnknown(c, id);
  });
}

const NO_STORE = { 'Cache-Control': 'no-store' } as const;

function refuseUnknown(c: Context, id: string) {
  return refusal(c, 404, 'unknown-session', `There is no session ${shown(id)}, or it has ended.`);
}
