/**
 * Reservations of seats for classes. All of them need a token, reading too: what is taught when is not public.
 */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { MAX_PROJECT_URL, parseProject } from '../../core/fleet/project.ts';
import { MAX_CODE, MIN_CODE, normalizedCode } from '../../core/reservations/code.ts';
import { RESERVATION_STATES } from '../../core/reservations/reservation.ts';
import { isoTime } from '../../core/text/iso-time.ts';
import type { OverCapacity, ReservationOutcome, Reservations, ReservationView, Wish } from '../../engine/reservations.ts';
import { refuseOddJson } from '../server/json-body.ts';
import { jsonBody, jsonResponse, refusal, refusalResponse, refuseInvalid } from '../server/refusal.ts';
import type { Env } from '../server/routes.ts';
import { EXPECTED_TIME, timeText } from '../server/time-text.ts';

export interface ReservationRoutesOptions {
  readonly reservations: Pick<Reservations, 'make' | 'extend' | 'release' | 'cancel' | 'view' | 'views'>;
  /** Hosts besides `github.com` from which projects may come. */
  readonly projectHosts: () => readonly string[];
  readonly mayAct: MiddlewareHandler<Env>;
}

const BODY_BYTES = 16_384;
const MINUTE = 60;
const MAX_SEATS = 10_000;
const MAX_MINUTES = 720;
const MAX_OPENS = 120;

const time = z.union([z.number().min(0).max(1e11), timeText], EXPECTED_TIME);
const minutes = z.number().min(5, 'write at least 5 minutes').max(MAX_MINUTES, `write at most ${MAX_MINUTES} minutes`);

const wish = z
  .strictObject({
    title: z.string().max(120, 'write at most 120 characters').default('').describe('For you; clients never see it.'),
    code: z
      .string()
      .max(100)
      .optional()
      .describe(`${MIN_CODE} to ${MAX_CODE} letters and digits. Case and hyphens do not matter. Absent: one is made up.`)
      .openapi({ example: 'ROBO-101' }),
    match: z
      .enum(['code', 'project', 'either'])
      .default('code')
      .describe('Which requests get the seats: those with the code, those for the project, or both.'),
    project: z
      .string()
      .max(MAX_PROJECT_URL)
      .optional()
      .describe('URL of the repository, folder or world. `project` and `either` need it. Absent: any project.'),
    seats: z.int().min(1).max(MAX_SEATS),
    start: time.describe('Seconds since the epoch, or ISO 8601.').openapi({ example: '2026-09-15T08:00:00+02:00' }),
    minutes,
    opens: z.number().min(0).max(MAX_OPENS).default(10).describe('Minutes before the start from which seats can be taken.'),
    grace: z
      .number()
      .min(0)
      .max(MAX_OPENS)
      .default(10)
      .describe('Minutes after the start for which all seats are held. Then free ones go back.'),
  })
  .openapi('ReservationRequest');
const extension = z.strictObject({ minutes: minutes.describe('The new length, from the start.') }).openapi('Extension');

const reservation = z
  .object({
    id: z.string(),
    title: z.string(),
    code: z.string(),
    match: z.enum(['code', 'project', 'either']),
    project: z.string().nullable(),
    seats: z.int(),
    start: z.string().describe('ISO 8601.'),
    end: z.string(),
    opens: z.number().describe('Minutes.'),
    grace: z.number().describe('Minutes.'),
    owner: z.string().describe('Name of the token that made it.'),
    revision: z.int(),
    state: z.enum(RESERVATION_STATES),
    taken: z.int().describe('Seats that are taken now.'),
    came: z.int().describe('Seats that were ever taken.'),
    outstanding: z.int().describe('Seats that are held for people who have not come yet.'),
    predicted: z
      .int()
      .nullable()
      .describe('Seats that will be free when they are needed. Null: too early to say, or nothing is held.'),
    path: z.string().describe('What clients put before `/session`.').openapi({ example: '/c/ROBO101' }),
  })
  .openapi('Reservation');

const parameter = z.object({ id: z.string().min(1).max(200).describe('Identity of the reservation.') });
const dryRun = z.object({
  dryRun: z.enum(['true', 'false']).optional().describe('`true`: the answer alone; nothing is reserved.'),
});
const security = [{ token: [] }];
const refusals = {
  400: refusalResponse('The request cannot be understood.'),
  401: refusalResponse('The token is missing or wrong.'),
  403: refusalResponse('No tokens are configured, or the token is read-only.'),
  429: refusalResponse('Too many wrong tokens from this address.'),
};
const changing = {
  ...refusals,
  409: refusalResponse('`over-capacity`, `code-in-use`, `too-many-reservations` or `reservation-over`.'),
  413: refusalResponse('The body is too large.'),
  415: refusalResponse('The body was not sent as JSON.'),
  422: refusalResponse('No server may ever run the project.'),
};
const unknown = { 404: refusalResponse('There is no such reservation.') };
const one = jsonResponse('The reservation.', reservation);

const make = createRoute({
  method: 'post',
  path: '/api/v1/reservations',
  operationId: 'createReservation',
  tags: ['reservations'],
  summary: 'Reserve seats for a class',
  security,
  request: { query: dryRun, body: jsonBody(wish, true) },
  responses: {
    200: jsonResponse('It would fit.', reservation),
    201: jsonResponse('The seats are reserved.', reservation),
    ...changing,
  },
});
const list = createRoute({
  method: 'get',
  path: '/api/v1/reservations',
  operationId: 'listReservations',
  tags: ['reservations'],
  summary: 'List reservations, the earliest start first',
  security,
  responses: { 200: jsonResponse('All reservations.', z.object({ reservations: z.array(reservation).readonly() })), ...refusals },
});
const look = createRoute({
  method: 'get',
  path: '/api/v1/reservations/{id}',
  operationId: 'getReservation',
  tags: ['reservations'],
  summary: 'One reservation, with its attendance so far',
  security,
  request: { params: parameter },
  responses: { 200: one, ...unknown, ...refusals },
});
const extend = createRoute({
  method: 'post',
  path: '/api/v1/reservations/{id}/extend',
  operationId: 'extendReservation',
  tags: ['reservations'],
  summary: 'Move the end of a reservation',
  security,
  request: { params: parameter, body: jsonBody(extension, true) },
  responses: { 200: one, ...unknown, ...changing },
});
const release = createRoute({
  method: 'post',
  path: '/api/v1/reservations/{id}/release',
  operationId: 'releaseReservation',
  tags: ['reservations'],
  summary: 'Give back the free seats',
  security,
  request: { params: parameter },
  responses: { 200: one, ...unknown, ...changing },
});
const cancel = createRoute({
  method: 'delete',
  path: '/api/v1/reservations/{id}',
  operationId: 'cancelReservation',
  tags: ['reservations'],
  summary: 'Cancel a reservation; running sessions continue',
  security,
  request: { params: parameter },
  responses: { 204: { description: 'Done.' }, ...unknown, ...refusals },
});

export function createReservationRoutes(options: ReservationRoutesOptions): OpenAPIHono<Env> {
  const { mayAct } = options;
  const routes = new OpenAPIHono<Env>({ defaultHook: refuseInvalid });
  const limit = bodyLimit({ maxSize: BODY_BYTES, onError: (c) => refusal(c, 413, 'too-large', 'The request is too large.') });
  for (const { method, path } of [make, list, look, extend, release, cancel])
    routes.on(method, path.replace('{id}', ':id'), mayAct, limit, refuseOddJson);
  addMaking(routes, options);
  addReading(routes, options);
  addChanging(routes, options);
  return routes;
}

function addMaking(routes: OpenAPIHono<Env>, { reservations, projectHosts }: ReservationRoutesOptions): void {
  routes.openapi(make, async (c) => {
    const read = readWish(c.req.valid('json'), projectHosts());
    if (typeof read === 'string') return refusal(c, 400, 'bad-request', read);
    const isTrial = c.req.valid('query').dryRun === 'true';
    const outcome = await reservations.make(read, c.get('actor'), isTrial);
    if (outcome.kind === 'done') return c.json(viewOf(outcome.view), isTrial ? 200 : 201);
    return refuseOutcome(c, outcome, read.seats);
  });
}

function addReading(routes: OpenAPIHono<Env>, { reservations }: ReservationRoutesOptions): void {
  routes.openapi(list, (c) => c.json({ reservations: reservations.views().map(viewOf) }, 200));
  routes.openapi(look, (c) => {
    const view = reservations.view(c.req.valid('param').id);
    return view === undefined ? refuseUnknown(c) : c.json(viewOf(view), 200);
  });
}

function addChanging(routes: OpenAPIHono<Env>, { reservations }: ReservationRoutesOptions): void {
  routes.openapi(extend, async (c) => {
    const { id } = c.req.valid('param');
    const known = reservations.view(id)?.reservation;
    if (known === undefined) return refuseUnknown(c);
    const outcome = await reservations.extend(id, known.start + c.req.valid('json').minutes * MINUTE, c.get('actor'));
    if (outcome.kind === 'done') return c.json(viewOf(outcome.view), 200);
    return outcome.kind === 'unknown' ? refuseUnknown(c) : refuseOutcome(c, outcome, known.seats);
  });
  routes.openapi(release, async (c) => {
    const outcome = await reservations.release(c.req.valid('param').id, c.get('actor'));
    return outcome.kind === 'done' ? c.json(viewOf(outcome.view), 200) : refuseUnknown(c);
  });
  routes.openapi(cancel, async (c) => {
    const isDone = await reservations.cancel(c.req.valid('param').id, c.get('actor'));
    return isDone ? c.body(null, 204) : refuseUnknown(c);
  });
}

/** A sentence if it cannot be meant. */
function readWish(body: z.infer<typeof wish>, otherHosts: readonly string[]): Wish | string {
  const { title, match, seats, start } = body;
  const code = body.code === undefined ? undefined : normalizedCode(body.code);
  if (body.code !== undefined && code === undefined)
    return `"code": write ${MIN_CODE} to ${MAX_CODE} letters and digits; hyphens do not count.`;
  const read = body.project === undefined ? undefined : parseProject(body.project, { otherHosts });
  if (read?.kind === 'refused') return `"project": ${read.reason}`;
  if (match !== 'code' && read === undefined) return `"project": write it, because "match" is ${match}.`;
  return {
    ...{ title, match, seats, start, end: start + body.minutes * MINUTE },
    ...{ opens: body.opens * MINUTE, grace: body.grace * MINUTE },
    ...(code !== undefined && { code }),
    ...(read !== undefined && { project: read.project.url }),
  };
}

function viewOf({ reservation: kept, status, predicted }: ReservationView): z.infer<typeof reservation> {
  const { id, title, code, match, project = null, seats, start, end, opens, grace, owner, revision } = kept;
  return {
    ...{ id, title, code, match, project, seats, start: isoTime(start), end: isoTime(end) },
    ...{ opens: opens / MINUTE, grace: grace / MINUTE, owner, revision, ...status },
    predicted: predicted ?? null,
    path: `/c/${code}`,
  };
}

type Refused = Exclude<ReservationOutcome, { kind: 'done' }>;

function refuseOutcome(c: Context, outcome: Refused, seats: number) {
  switch (outcome.kind) {
    case 'over-capacity':
      return refusal(c, 409, outcome.kind, numbers(outcome, seats));
    case 'code-in-use':
      return refusal(c, 409, outcome.kind, 'Another reservation that is not over has this code; choose another one.');
    case 'too-many':
      return refusal(c, 409, 'too-many-reservations', 'The maximum number of reservations is reached; cancel some.');
    case 'over':
    case 'unknown':
      return refusal(c, 409, 'reservation-over', 'This reservation is over; make a new one.');
    case 'no-server':
      return refusal(c, 422, 'no-server-for-project', 'No simulation server that is up may run this project.');
  }
}

function refuseUnknown(c: Context) {
  return refusal(c, 404, 'unknown-reservation', 'There is no such reservation.');
}

/** `8 of 30 seats are too many from …: the fleet has 72 of them for classes, "Vision lab" has 40 until …. 22 are free. …` */
export function numbers({ at, free, all, others, alternatives }: OverCapacity, seats: number): string {
  const taken = others.map(({ title, seats: count, end }) => `, "${title}" has ${count} until ${isoTime(end)}`).join('');
  const when =
    alternatives.length === 0
      ? 'No time within three days would do.'
      : `There would be enough from ${alternatives.map(isoTime).join(', or from ')}.`;
  return `${seats} seats are ${seats - free} too many from ${isoTime(at)}: the fleet has ${all} such seats for classes${taken}. ${free} are free. ${when}`;
}
