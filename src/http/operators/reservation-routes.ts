/**
 * Reservations of seats for classes. All of them need a token, reading too: what is taught when is not public.
 */
import { setImmediate } from 'node:timers/promises';
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { MAX_PROJECT_URL, parseProject } from '../../core/fleet/project.ts';
import { MAX_CALENDAR_BYTES, type CalendarProblem } from '../../core/reservations/calendar-event.ts';
import { MAX_CODE, MIN_CODE, normalizedCode } from '../../core/reservations/code.ts';
import type { OverQuota } from '../../core/reservations/quota.ts';
import { RESERVATION_STATES } from '../../core/reservations/reservation.ts';
import { MAX_LESSONS } from '../../core/reservations/weekly.ts';
import { isoTime } from '../../core/text/iso-time.ts';
import {
  MAX_YEARS_AHEAD,
  type OverCapacity,
  type ReservationOutcome,
  type Reservations,
  type ReservationView,
  type Wish,
} from '../../engine/reservations.ts';
import { importEvents, type ImportedEvent } from '../../engine/calendar-import.ts';
import type { CalendarReader, Clock } from '../../ports.ts';
import { calendarSecret } from './calendar-routes.ts';
import { personOf } from './person.ts';
import { bodyLimit } from '../server/body-limit.ts';
import { refuseOddJson } from '../server/json-body.ts';
import { jsonBody, jsonResponse, refusal, refusalResponse, refusalSchema, refuseInvalid } from '../server/refusal.ts';
import type { Env } from '../server/routes.ts';
import { EXPECTED_TIME, timeText } from '../server/time-text.ts';

export interface ReservationRoutesOptions {
  readonly calendars: CalendarReader;
  readonly clock: Pick<Clock, 'wallTime'>;
  readonly reservations: Pick<Reservations, 'make' | 'extend' | 'move' | 'release' | 'cancel' | 'view' | 'views'>;
  /** Hosts besides `github.com` from which projects may come. */
  readonly projectHosts: () => readonly string[];
  readonly mayReserve: MiddlewareHandler<Env>;
  readonly maySeeReservations: MiddlewareHandler<Env>;
}

const BODY_BYTES = 16_384;
const MINUTE = 60;
const MAX_SEATS = 10_000;
const MAX_MINUTES = 720;
const MAX_OPENS = 120;

const time = z.union([z.number().min(0).max(1e11), timeText], EXPECTED_TIME);
const minutes = z.number().min(5, 'write at least 5 minutes').max(MAX_MINUTES, `write at most ${MAX_MINUTES} minutes`);

const day = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'write a day such as 2026-09-15')
  .openapi({ example: '2026-12-15' });

const wish = z
  .strictObject({
    title: z.string().max(120, 'write at most 120 characters').default('').describe('People of the class see it.'),
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
    weekly: z
      .strictObject({
        until: day.describe('The last day on which there may be a lesson.'),
        zone: z.string().min(1).max(60).describe('Whose clocks the time follows.').openapi({ example: 'Europe/Berlin' }),
        except: z.array(day).max(MAX_LESSONS).default([]).describe('Days without a lesson.'),
      })
      .optional()
      .describe('A lesson each week, at the same time by the clocks of the zone. All are reserved, or none.'),
  })
  .openapi('ReservationRequest');
const extension = z.strictObject({ minutes: minutes.describe('The new length, from the start.') }).openapi('Extension');
const movement = z.strictObject({ start: time.describe('Seconds since the epoch, or ISO 8601.') }).openapi('Movement');

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
    series: z.string().nullable().describe('Identity that the lessons of a series have in common.'),
    lessons: z.int().optional().describe('Number of lessons. Only in the answer to a series.'),
    state: z.enum(RESERVATION_STATES),
    taken: z.int().describe('Seats that are taken now.'),
    came: z.int().describe('Seats that were ever taken.'),
    outstanding: z.int().describe('Seats that are held for people who have not come yet.'),
    predicted: z
      .int()
      .nullable()
      .describe('Seats that will be free when they are needed. Null: too early to say, or nothing is held.'),
    free: z.int().optional().describe('Seats that could be reserved at its time. Only in the answer to `dryRun`.'),
    atOnce: z
      .int()
      .optional()
      .describe('Of its seats, those that can be taken at once; the rest within two minutes. Only in the answer to `dryRun`.'),
    short: z.boolean().describe('Fewer seats will be free than are held.'),
    path: z.string().describe('What clients put before `/session`.').openapi({ example: '/c/ROBO101' }),
  })
  .openapi('Reservation');

/** Refusals for which the code alone does not say which words fit. */
const ruled = refusalSchema
  .extend({
    rule: z
      .string()
      .optional()
      .describe('Which rule of the code it is; absent: the code says it.')
      .openapi({ example: 'quota-seats' }),
    values: z
      .record(z.string(), z.union([z.string(), z.number()]))
      .optional()
      .describe('What the reason contains, by names.'),
  })
  .openapi('ReservationRefusal');
const conflict = ruled
  .extend({
    numbers: z
      .object({
        free: z.int().describe('Seats that are free.'),
        all: z.int().describe('Such seats of the fleet, without any other reservation.'),
        at: z.string().describe('ISO 8601: the first moment with too few.'),
        alternatives: z.array(z.string()).readonly().describe('Starts with enough seats, the nearest first.'),
      })
      .optional()
      .describe('Of `over-capacity`.'),
  })
  .openapi('ReservationConflict');
const NO_STORE = { 'Cache-Control': 'no-store' } as const;
const parameter = z.object({ id: z.string().min(1).max(200).describe('Identity of the reservation.') });
const dryRun = z.object({
  dryRun: z.enum(['true', 'false']).optional().describe('`true`: the answer alone; nothing is reserved.'),
});
const andLater = z.enum(['true', 'false']).optional().describe('`true`: also the lessons of its series after it.');
const security = [{ token: [] }];
const refusals = {
  400: jsonResponse('The request cannot be understood.', ruled),
  401: refusalResponse('The token is missing or wrong.'),
  403: jsonResponse('No tokens are configured, the token is read-only, or its quota is used up.', ruled),
  429: refusalResponse('Too many wrong tokens from this address, or too many codes of other classes from a teacher.'),
};
const changing = {
  ...refusals,
  409: jsonResponse('`over-capacity`, `code-in-use`, `too-many-reservations` or `reservation-over`.', conflict),
  413: refusalResponse('The body is too large.'),
  415: refusalResponse('The body was not sent as JSON.'),
  422: refusalResponse('No server that is up may run the project.'),
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
const listed = z.object({
  reservations: z.array(reservation).readonly(),
  calendar: z.string().describe('Path of a calendar of these reservations. It is a secret, and ends with the token.'),
});
const list = createRoute({
  method: 'get',
  path: '/api/v1/reservations',
  operationId: 'listReservations',
  tags: ['reservations'],
  summary: 'List reservations, the earliest start first',
  security,
  responses: { 200: jsonResponse('All reservations.', listed), ...refusals },
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
const move = createRoute({
  method: 'post',
  path: '/api/v1/reservations/{id}/move',
  operationId: 'moveReservation',
  tags: ['reservations'],
  summary: 'Move a reservation to another time, before its doors open',
  security,
  request: { params: parameter, body: jsonBody(movement, true) },
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
  request: { params: parameter, query: z.object({ andLater }) },
  responses: { 204: { description: 'Done.' }, ...unknown, ...refusals },
});

const importedEvent = z
  .object({
    uid: z.string().describe('Identity of the event in its calendar.'),
    title: z.string(),
    outcome: z
      .enum(['new', 'changed', 'unchanged', 'cancelled', 'refused'])
      .describe('`changed`: it was imported before, and its reservations are replaced. `cancelled` events are left out.'),
    reason: z.string().nullable().describe('Why it is refused, in a sentence.'),
    refusal: z.union([conflict, z.null()]).describe('The same with its rule and numbers, as for a single reservation.'),
    code: z.string().nullable().describe('Code of its class.'),
    seats: z.int().nullable(),
    lessons: z.int().describe('Number of its lessons that are not over.'),
    first: z.string().nullable().describe('ISO 8601: the start of the first one.'),
    id: z.string().nullable().describe('Identity of the reservation of the first one. Null in a preview.'),
  })
  .openapi('ImportedEvent');
const calendarImport = createRoute({
  method: 'post',
  path: '/api/v1/reservations/import',
  operationId: 'importReservations',
  tags: ['reservations'],
  summary: 'Reserve the events of a calendar file, or show what would be reserved',
  security,
  request: {
    query: z.object({
      apply: z.enum(['true', 'false']).optional().describe('`true`: reserve. Absent: a preview; nothing is reserved.'),
      zone: z
        .string()
        .min(1)
        .max(60)
        .optional()
        .describe('Time zone of times that name none, such as `Europe/Berlin`. Absent: such events are refused.'),
    }),
    body: {
      required: true,
      content: {
        'text/calendar': {
          schema: z
            .string()
            .describe('An iCalendar file (RFC 5545). A line `seats: 30` in the description of an event is needed.'),
        },
      },
    },
  },
  responses: {
    200: jsonResponse(
      'What was, or would be, done with each event.',
      z
        .object({
          applied: z.boolean().describe('The events are reserved; otherwise it is a preview.'),
          events: z.array(importedEvent).readonly(),
        })
        .openapi('CalendarImport'),
    ),
    ...refusals,
    413: refusalResponse('The file is too large.'),
    415: refusalResponse('The file was not sent as `text/calendar`.'),
  },
});

export function createReservationRoutes(options: ReservationRoutesOptions): OpenAPIHono<Env> {
  const { mayReserve, maySeeReservations } = options;
  const routes = new OpenAPIHono<Env>({ defaultHook: refuseInvalid });
  const limit = bodyLimit({ maxSize: BODY_BYTES, onError: (c) => refusal(c, 413, 'too-large', 'The request is too large.') });
  routes.on(look.method, look.path.replace('{id}', ':id'), maySeeReservations);
  for (const { method, path } of [make, list, extend, move, release, cancel])
    routes.on(method, path.replace('{id}', ':id'), mayReserve, limit, refuseOddJson);
  const limitFile = bodyLimit({
    maxSize: MAX_CALENDAR_BYTES,
    onError: (c) => refusal(c, 413, 'too-large', `The file is larger than ${MAX_CALENDAR_BYTES} bytes.`),
  });
  routes.on('POST', calendarImport.path, mayReserve, limitFile, refuseOtherFiles);
  addMaking(routes, options);
  addImport(routes, options);
  addReading(routes, options);
  addChanging(routes, options);
  return routes;
}

function addMaking(routes: OpenAPIHono<Env>, { reservations, projectHosts }: ReservationRoutesOptions): void {
  routes.openapi(make, async (c) => {
    const read = readWish(c.req.valid('json'), projectHosts());
    if (isUnreadable(read)) return c.json({ code: 'bad-request', ...read }, 400, NO_STORE);
    const isTrial = c.req.valid('query').dryRun === 'true';
    const outcome = await reservations.make(read, personOf(c.get('token')), { dryRun: isTrial });
    if (outcome.kind === 'done') {
      const { view, lessons } = outcome;
      return c.json({ ...viewOf(view), ...(lessons !== undefined && { lessons }) }, isTrial ? 200 : 201);
    }
    return refuseOutcome(c, outcome, read.seats);
  });
}

const refuseOtherFiles: MiddlewareHandler<Env> = async (c, next) =>
  /^text\/calendar(?:;|$)/i.test(c.req.header('Content-Type') ?? '')
    ? next()
    : refusal(c, 415, 'unsupported-media-type', 'Send the file with "Content-Type: text/calendar".');

function addImport(routes: OpenAPIHono<Env>, { reservations, calendars, clock, projectHosts }: ReservationRoutesOptions): void {
  routes.openapi(calendarImport, async (c) => {
    const { apply: wanted, zone } = c.req.valid('query');
    const now = clock.wallTime();
    const read = await calendars.read(await c.req.text(), { now, ...(zone !== undefined && { zone }) });
    if (read.kind === 'unreadable') return c.json(problemOf({ ...read, reason: `The calendar: ${read.reason}` }), 400, NO_STORE);
    const apply = wanted === 'true';
    const options = { reservations, otherHosts: projectHosts(), now, apply, giveWay: () => setImmediate() };
    const imported = await importEvents(read.events, personOf(c.get('token')), options);
    return c.json({ applied: apply, events: imported.map((event) => importedView(event, apply)) }, 200, NO_STORE);
  });
}

function importedView(
  { uid, title, outcome, why, reservations }: ImportedEvent,
  applied: boolean,
): z.infer<typeof importedEvent> {
  const [first] = reservations;
  const isStored = applied || outcome === 'unchanged';
  const refused = why === undefined ? null : whyNot(why);
  return {
    ...{
      uid,
      title,
      outcome,
      reason: refused?.reason ?? (outcome === 'cancelled' ? 'It is cancelled.' : null),
      refusal: refused,
      lessons: reservations.length,
    },
    ...{ code: (isStored && first?.code) || null, seats: first?.seats ?? null },
    ...{ first: first === undefined ? null : isoTime(first.start), id: (isStored && first?.id) || null },
  };
}

function whyNot(why: NonNullable<ImportedEvent['why']>): z.infer<typeof conflict> {
  return 'rule' in why ? problemOf(why) : refusedBody(why.refusal, why.seats);
}

function problemOf({ rule, reason, values }: CalendarProblem): z.infer<typeof ruled> {
  return { code: 'bad-request', rule, reason, ...(values !== undefined && { values }) };
}

function addReading(routes: OpenAPIHono<Env>, { reservations }: ReservationRoutesOptions): void {
  routes.openapi(list, (c) => {
    const token = c.get('token');
    const calendar = `/calendar/${calendarSecret(token)}.ics`;
    return c.json({ reservations: reservations.views(personOf(token)).map(viewOf), calendar }, 200, NO_STORE);
  });
  routes.openapi(look, (c) => {
    const view = reservations.view(c.req.valid('param').id, personOf(c.get('token')));
    return view === undefined ? refuseUnknown(c) : c.json(viewOf(view), 200);
  });
}

function addChanging(routes: OpenAPIHono<Env>, { reservations }: ReservationRoutesOptions): void {
  routes.openapi(extend, async (c) => {
    const { id } = c.req.valid('param');
    const known = reservations.view(id, personOf(c.get('token')))?.reservation;
    if (known === undefined) return refuseUnknown(c);
    const outcome = await reservations.extend(id, known.start + c.req.valid('json').minutes * MINUTE, personOf(c.get('token')));
    if (outcome.kind === 'done') return c.json(viewOf(outcome.view), 200);
    return outcome.kind === 'unknown' ? refuseUnknown(c) : refuseOutcome(c, outcome, known.seats);
  });
  routes.openapi(move, async (c) => {
    const { id } = c.req.valid('param');
    const seats = reservations.view(id, personOf(c.get('token')))?.reservation.seats ?? 0;
    const outcome = await reservations.move(id, c.req.valid('json').start, personOf(c.get('token')));
    if (outcome.kind === 'done') return c.json(viewOf(outcome.view), 200);
    return outcome.kind === 'unknown' ? refuseUnknown(c) : refuseOutcome(c, outcome, seats);
  });
  routes.openapi(release, async (c) => {
    const outcome = await reservations.release(c.req.valid('param').id, personOf(c.get('token')));
    return outcome.kind === 'done' ? c.json(viewOf(outcome.view), 200) : refuseUnknown(c);
  });
  routes.openapi(cancel, async (c) => {
    const isDone = await reservations.cancel(
      c.req.valid('param').id,
      personOf(c.get('token')),
      c.req.valid('query').andLater === 'true',
    );
    return isDone ? c.body(null, 204) : refuseUnknown(c);
  });
}

interface Unreadable {
  readonly rule: 'bad-code' | 'bad-project' | 'project-needed';
  readonly reason: string;
}

function isUnreadable(read: Wish | Unreadable): read is Unreadable {
  return 'rule' in read;
}

function readWish(body: z.infer<typeof wish>, otherHosts: readonly string[]): Wish | Unreadable {
  const { title, match, seats, start } = body;
  const code = body.code === undefined ? undefined : normalizedCode(body.code);
  if (body.code !== undefined && code === undefined)
    return {
      rule: 'bad-code',
      reason: `"code": write ${MIN_CODE} to ${MAX_CODE} letters and digits; hyphens do not count.`,
    };
  const read = body.project === undefined ? undefined : parseProject(body.project, { otherHosts });
  if (read?.kind === 'refused') return { rule: 'bad-project', reason: `"project": ${read.reason}` };
  if (match !== 'code' && read === undefined)
    return { rule: 'project-needed', reason: `"project": write it, because "match" is ${match}.` };
  return {
    ...{ title, match, seats, start, end: start + body.minutes * MINUTE },
    ...{ opens: body.opens * MINUTE, grace: body.grace * MINUTE },
    ...(body.weekly !== undefined && { weekly: body.weekly }),
    ...(code !== undefined && { code }),
    ...(read !== undefined && { project: read.project.url }),
  };
}

function viewOf({ reservation: kept, status, predicted, free, atOnce }: ReservationView): z.infer<typeof reservation> {
  const { id, title, code, match, project = null, seats, start, end, opens, grace, owner, revision, series = null } = kept;
  return {
    ...{ id, title, code, match, project, seats, start: isoTime(start), end: isoTime(end) },
    ...{ opens: opens / MINUTE, grace: grace / MINUTE, owner, revision, series, ...status },
    predicted: predicted ?? null,
    short: predicted !== undefined && predicted < status.outstanding,
    ...(free !== undefined && { free }),
    ...(atOnce !== undefined && { atOnce }),
    path: `/c/${code}`,
  };
}

type Refused = Exclude<ReservationOutcome, { kind: 'done' }>;

function refuseOutcome(c: Context, outcome: Refused, seats: number) {
  return c.json(refusedBody(outcome, seats), refusalOf(outcome, seats).status, NO_STORE);
}

function refusedBody(outcome: Refused, seats: number): z.infer<typeof conflict> {
  const { status: _status, ...body } = refusalOf(outcome, seats);
  return outcome.kind === 'over-capacity' ? { ...body, numbers: numbersView(outcome) } : body;
}

interface RefusedReservation {
  readonly status: 400 | 403 | 409 | 422 | 429;
  readonly code: string;
  readonly reason: string;
  readonly rule?: string;
  readonly values?: Readonly<Record<string, string | number>>;
}

function refusalOf(outcome: Refused, seats: number): RefusedReservation {
  switch (outcome.kind) {
    case 'over-capacity':
      return { status: 409, code: outcome.kind, reason: numbers(outcome, seats) };
    case 'quota':
      return { status: 403, code: outcome.kind, reason: quotaWords(outcome), ...quotaRule(outcome) };
    case 'code-in-use':
      return conflictOf(outcome.kind, 'Another reservation that is not over has this code; choose another one.');
    case 'too-many-codes': {
      const reason = `You chose too many codes of other classes; try again in ${Math.ceil(outcome.retryAfter)} s, or leave the code out.`;
      return { status: 429, code: outcome.kind, reason };
    }
    case 'unknown-zone':
      return badRequest('"weekly.zone": write the name of a time zone, such as Europe/Berlin.', outcome.kind);
    case 'none':
      return badRequest('"weekly": no lesson is left until the last day.', 'no-lesson');
    case 'no-such-time': {
      const { day } = outcome;
      return badRequest(`"weekly": the clocks skip this time on ${day}; add the day to "except".`, outcome.kind, { day });
    }
    case 'too-many-lessons':
      return badRequest(`"weekly": a series has at most ${MAX_LESSONS} lessons.`, outcome.kind, { max: MAX_LESSONS });
    case 'too-many':
      return conflictOf('too-many-reservations', 'The maximum number of reservations is reached; cancel some.');
    case 'in-the-past':
      return badRequest('"start": this time is over.', outcome.kind);
    case 'too-far': {
      const reason = `"start": seats can be reserved at most ${MAX_YEARS_AHEAD} years ahead; check the year.`;
      return badRequest(reason, outcome.kind, { years: MAX_YEARS_AHEAD });
    }
    case 'over':
    case 'unknown':
      return conflictOf('reservation-over', 'This reservation is over, or its doors are open already. Make a new one.');
    case 'no-server':
      return { status: 422, code: 'no-server-for-project', reason: 'No simulation server that is up may run this project.' };
  }
}

function badRequest(reason: string, rule?: string, values?: Readonly<Record<string, string | number>>): RefusedReservation {
  return {
    status: 400,
    code: 'bad-request',
    reason,
    ...(rule !== undefined && { rule }),
    ...(values !== undefined && { values }),
  };
}

function quotaRule({ what, max, wanted }: OverQuota) {
  return { rule: `quota-${what}`, values: { max, wanted } };
}

function conflictOf(code: string, reason: string): RefusedReservation {
  return { status: 409, code, reason };
}

function numbersView({ free, all, at, alternatives }: OverCapacity) {
  return { free, all, at: isoTime(at), alternatives: alternatives.map(isoTime) };
}

function quotaWords({ what, max, wanted }: OverQuota): string {
  switch (what) {
    case 'seats':
      return `You may have ${max} seats at the same time; with this reservation there would be ${wanted}.`;
    case 'seat-hours':
      return `You may have ${max} seat hours in a week; with this reservation there would be ${wanted}.`;
    case 'days-ahead':
      return `You may reserve ${max} days ahead; this is ${wanted} days ahead.`;
  }
}

function refuseUnknown(c: Context) {
  return refusal(c, 404, 'unknown-reservation', 'There is no such reservation.');
}

/** `8 of 30 seats are too many from …: the fleet has 72 of them for classes, "Vision lab" has 40 until …. 22 are free. …` */
export function numbers({ at, free, all, others, alternatives }: OverCapacity, seats: number): string {
  const taken = others
    .map(
      ({ title, seats: count, end }) => `, ${title === '' ? 'another class' : `"${title}"`} has ${count} until ${isoTime(end)}`,
    )
    .join('');
  const when =
    alternatives.length === 0
      ? 'No time within three days would do.'
      : `There would be enough from ${alternatives.map(isoTime).join(', or from ')}.`;
  return `${seats} seats are ${seats - free} too many from ${isoTime(at)}: the fleet has ${all} such seats for classes${taken}. ${free} are free. ${when}`;
}
