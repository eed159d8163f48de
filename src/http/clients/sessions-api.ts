/**
 * `POST /api/v1/sessions` and tickets: sessions for programs, with real status codes. A client without a WebSocket waits
 * by polling with its ticket.
 *
 * A body is read strictly. An unknown field is rejected rather than ignored, because a misspelt `labels` would otherwise
 * allocate a server without them. Of two fields with the same name the last one counts, as everywhere in JavaScript
 * (RFC 8259 § 4 leaves it open).
 */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { MAX_PROJECT_URL, shown } from '../../core/fleet/project.ts';
import type { Waiting } from '../../engine/request-types.ts';
import { bodyLimit } from '../server/body-limit.ts';
import { refusalCode, SESSION_CODES, TICKET_CODES, type RefusalStatus } from '../server/api-codes.ts';
import { allocated, waitingSession } from '../server/api-schemas.ts';
import type { AddressOf } from '../server/client-address.ts';
import { refuseOddJson } from '../server/json-body.ts';
import { jsonBody, jsonResponse, refusal, refusalResponse, refuseInvalid } from '../server/refusal.ts';
import type { Env } from '../server/routes.ts';
import { closed, type SentToServer } from './legacy-routes.ts';
import { POLL_INTERVAL, type TicketAnswer, type SessionTickets } from './session-tickets.ts';

export interface SessionsApiOptions {
  readonly tickets: Pick<SessionTickets, 'request' | 'poll' | 'giveUp' | 'giveUpLater'>;
  readonly addressOf: AddressOf;
  readonly sent: SentToServer;
  /** Resolves when the first answer may be given. */
  readonly ready: Promise<unknown>;
  readonly isReady: () => boolean;
  /** Maximum size of a body in bytes: `limits.bodyBytes`. */
  readonly bodyBytes: () => number;
}

const MAX_LABELS = 20;
/** Seconds: longer than a page takes to be loaded again, shorter than others should wait for it. */
const MAX_GRACE = 60;

const sessionRequest = z
  .strictObject(
    {
      project: z
        .string()
        .optional()
        .describe('URL of the world or repository to run. Absent: any server.')
        .openapi({ maxLength: MAX_PROJECT_URL, example: 'https://github.com/owner/name/blob/main/worlds/world.wbt' }),
      clientId: z
        .string()
        .min(1, 'write at least one character, or leave it out')
        .max(200, 'write at most 200 characters')
        .optional()
        .describe(
          'Identifies this request: use a new random value, such as a UUID, for each session. Repeat it when a response was lost, to get the same answer and no second booking.',
        )
        .openapi({ example: '7d444840-9dc0-11d1-b245-5ffdce74fad2' }),
      labels: z
        .record(z.string().min(1).max(60), z.string().max(200), { error: invalidName })
        .refine((labels) => Object.keys(labels).length <= MAX_LABELS, `write at most ${MAX_LABELS}`)
        .optional()
        .describe('The server must have all of these.')
        .openapi({ example: { room: 'B12' } }),
      code: z
        .string()
        .max(100, 'write at most 100 characters')
        .optional()
        .describe('Code of a class: the session takes one of its reserved seats.')
        .openapi({ example: 'ROBO-101' }),
      ends: z
        .enum(['accept', 'refuse'])
        .optional()
        .describe('`refuse`: wait rather than get a session that ends early, because a class comes. Absent: `accept`.'),
      wait: z
        .boolean()
        .optional()
        .describe('Join the waiting line when there is no room. Absent or false: the request is refused then.'),
    },
    { error: unknownField },
  )
  .openapi('SessionRequest');

const ticketParameter = z.object({
  ticket: z.string().min(1).max(200).describe('The ticket from the response of `POST /api/v1/sessions`.'),
});

const giveUpQuery = z.object({
  grace: z.coerce
    .number()
    .int()
    .min(0)
    .max(MAX_GRACE)
    .optional()
    .describe(
      'Seconds for which a place in line can still be continued with its ticket. Meanwhile it delays no other client. For a page that is left and may be loaded again. Absent: none.',
    ),
});

const create = createRoute({
  method: 'post',
  path: '/api/v1/sessions',
  operationId: 'requestSession',
  tags: ['sessions'],
  summary: 'Request a session',
  request: { body: jsonBody(sessionRequest) },
  responses: {
    201: jsonResponse('A server is allocated: connect to `url`.', allocated),
    202: jsonResponse('The request is in the waiting line.', waitingSession),
    400: refused(400, SESSION_CODES),
    403: refused(403, SESSION_CODES),
    409: refused(409, SESSION_CODES),
    413: refused(413, SESSION_CODES),
    415: refused(415, SESSION_CODES),
    422: refused(422, SESSION_CODES),
    429: refused(429, SESSION_CODES),
    503: refused(503, SESSION_CODES),
  },
});
const look = createRoute({
  method: 'get',
  path: '/api/v1/sessions/{ticket}',
  operationId: 'pollSession',
  tags: ['sessions'],
  summary: 'Poll with a ticket: still waiting, or the outcome',
  request: { params: ticketParameter },
  responses: {
    200: jsonResponse('Still waiting, or a server is allocated.', z.union([allocated, waitingSession])),
    400: refused(400, TICKET_CODES),
    403: refused(403, TICKET_CODES),
    404: refused(404, TICKET_CODES),
    409: refused(409, TICKET_CODES),
    410: refused(410, TICKET_CODES),
    422: refused(422, TICKET_CODES),
    429: refused(429, TICKET_CODES),
    503: refused(503, TICKET_CODES),
  },
});
const giveUp = createRoute({
  method: 'delete',
  path: '/api/v1/sessions/{ticket}',
  operationId: 'giveUpSession',
  tags: ['sessions'],
  summary: 'Give up a place in line, or a session that has not started',
  request: { params: ticketParameter, query: giveUpQuery },
  responses: { 204: { description: 'Done.' }, 400: refused(400, TICKET_CODES), 404: refused(404, TICKET_CODES) },
});

export function createSessionsApi(options: SessionsApiOptions): OpenAPIHono<Env> {
  const { tickets, bodyBytes } = options;
  const routes = new OpenAPIHono<Env>({ defaultHook: refuseInvalid });
  routes.on('POST', create.path, limitBody(bodyBytes), refuseOddJson, whenReady(options));
  routes.on('GET', look.path.replace('{ticket}', ':ticket'), whenReady(options));

  routes.openapi(create, async (c) => {
    const { project, wait = false, clientId, labels, code, ends } = c.req.valid('json');
    const answer = await tickets.request({
      ...{ address: options.addressOf(c.env.incoming), wait },
      ...(project !== undefined && { projectUrl: project }),
      ...(clientId !== undefined && { clientId }),
      ...(labels !== undefined && { labels }),
      ...(code !== undefined && { code }),
      ...(ends === 'refuse' && { ends }),
    });
    if (answer.kind === 'refused') return refuseAnswer(c, answer);
    // Relative, because a reverse proxy may have put something before the path.
    reportSent(options, c, answer);
    const headers = { ...NO_STORE, Location: `sessions/${encodeURIComponent(answer.ticket)}` };
    return answer.kind === 'allocated' ? c.json(allocatedBody(answer), 201, headers) : c.json(waitingBody(answer), 202, headers);
  });
  routes.openapi(look, (c) => {
    const answer = tickets.poll(c.req.valid('param').ticket);
    if (answer === undefined) return refuseTicket(c);
    if (answer.kind === 'refused') return refuseAnswer(c, answer);
    reportSent(options, c, answer);
    return c.json(answer.kind === 'allocated' ? allocatedBody(answer) : waitingBody(answer), 200, NO_STORE);
  });
  routes.openapi(giveUp, async (c) => {
    const { ticket } = c.req.valid('param');
    const { grace = 0 } = c.req.valid('query');
    const given = grace > 0 ? tickets.giveUpLater(ticket, grace) : await tickets.giveUp(ticket);
    return given ? c.body(null, 204, NO_STORE) : refuseTicket(c);
  });
  return routes;
}

function reportSent({ sent, addressOf }: SessionsApiOptions, c: Context<Env>, answer: TicketAnswer): void {
  if (answer.kind === 'allocated') sent(answer.outcome, addressOf(c.env.incoming).address);
}

const NO_STORE = { 'Cache-Control': 'no-store' } as const;

function allocatedBody({ ticket, outcome }: Extract<TicketAnswer, { kind: 'allocated' }>) {
  const { id, url, server, expiresAt, endsAt } = outcome;
  const end = endsAt !== undefined && { until: dateTime(endsAt) };
  return { type: 'allocated' as const, id, ticket, url, server, expiresAt: dateTime(expiresAt), ...end };
}

function dateTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

function waitingBody({ ticket, waiting }: { readonly ticket: string; readonly waiting: Waiting }) {
  const { position, ofClass, estimate } = waiting;
  return {
    ...{ type: 'waiting' as const, ticket, position, ...(ofClass && { ofClass }) },
    ...{ estimateSeconds: estimate ?? null, askAgainSeconds: POLL_INTERVAL },
  };
}

function refuseTicket(c: Context) {
  return refusal(c, 404, 'unknown-ticket', 'The ticket is unknown or has expired; request a session again.');
}

/** Statuses of a refused session request. */
type SessionStatus = Extract<RefusalStatus, 403 | 409 | 422 | 429 | 503>;

function refuseAnswer(c: Context, { outcome: { code, reason, retryAfter } }: Extract<TicketAnswer, { kind: 'refused' }>) {
  const described = refusalCode(code);
  const seconds = retryAfter ?? described.retryAfter;
  if (seconds !== undefined) c.header('Retry-After', String(seconds));
  // The admission's codes are strings; that their statuses are these is in the table of codes, and tested.
  return refusal(c, described.status as SessionStatus, code, reason);
}

/** The description of a refusal: all codes with this status. */
function refused(status: RefusalStatus, codes: typeof SESSION_CODES) {
  const described = Object.entries(codes).filter(([, code]) => code.status === status);
  return refusalResponse(described.map(([name, { meaning }]) => `\`${name}\`: ${meaning}`).join('\n\n'));
}

/** Delays requests until answers may be given. A client that disconnects meanwhile must not get a place later. */
function whenReady({ ready, isReady }: Pick<SessionsApiOptions, 'ready' | 'isReady'>): MiddlewareHandler<Env> {
  return async (c, next) => {
    if (isReady()) return next();
    const gone = closed(c);
    await ready;
    // The client does not receive it.
    return gone.aborted ? c.body(null, 204) : next();
  };
}

function limitBody(bytes: () => number): MiddlewareHandler<Env> {
  return (c, next) =>
    bodyLimit({
      maxSize: bytes(),
      onError: (c) => refusal(c, 413, 'too-large', `The body is larger than ${bytes()} bytes.`),
    })(c, next);
}

function invalidName(issue: z.core.$ZodRawIssue): string | undefined {
  return issue.code === 'invalid_key' ? 'the name of a label must have 1 to 60 characters' : undefined;
}

function unknownField(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'unrecognized_keys') return undefined;
  const [first = ''] = issue.keys;
  return `has the unknown field "${shown(first)}"; the fields are project, clientId, labels, code, ends and wait`;
}
