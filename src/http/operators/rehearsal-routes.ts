/** `POST /api/v1/rehearsals`: would so many fit, and how long would they wait? Nothing is reserved. */
import { setImmediate } from 'node:timers/promises';
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { MAX_PROJECT_URL, parseProject } from '../../core/fleet/project.ts';
import type { Change, Rehearsal } from '../../core/reservations/rehearsal.ts';
import { isoTime } from '../../core/text/iso-time.ts';
import type { Waits } from '../../core/rehearsal/mornings.ts';
import type { Rehearsals, WaitChange } from '../../engine/rehearsals.ts';
import type { Reservations } from '../../engine/reservations.ts';
import { bodyLimit } from '../server/body-limit.ts';
import { refuseOddJson } from '../server/json-body.ts';
import { jsonBody, jsonResponse, refusal, refusalResponse, refuseInvalid } from '../server/refusal.ts';
import type { Env } from '../server/routes.ts';
import { EXPECTED_TIME, timeText } from '../server/time-text.ts';

export interface RehearsalRoutesOptions {
  readonly reservations: Pick<Reservations, 'rehearse'>;
  readonly rehearsals: Pick<Rehearsals, 'waits'>;
  /** Hosts besides `github.com` from which projects may come. */
  readonly projectHosts: () => readonly string[];
  readonly mayReserve: MiddlewareHandler<Env>;
}

const BODY_BYTES = 16_384;
const MINUTE = 60;

const question = z
  .strictObject({
    people: z.int().min(1).max(10_000),
    at: z.union([z.number().min(0).max(1e11), timeText], EXPECTED_TIME).describe('Seconds since the epoch, or ISO 8601.'),
    minutes: z.number().min(5).max(720).default(90),
    project: z.string().max(MAX_PROJECT_URL).optional().describe('URL of the repository, folder or world. Absent: any project.'),
    waits: z
      .boolean()
      .default(false)
      .describe('Also simulate how long people would wait if nothing were reserved. The answer takes up to 15 seconds.'),
  })
  .openapi('RehearsalRequest');

const range = z.object({ from: z.int(), to: z.int() });
const waits = z
  .object({
    runs: z.int().describe('Simulated mornings. A range holds for four of five of them.'),
    atOnce: range.describe('People who get a place at once.'),
    lastSeconds: z
      .object({ from: z.int().nullable(), to: z.int().nullable() })
      .describe('Until the last of them has a place. Null: not within half an hour.'),
    othersSeconds: range.describe('Mean wait of other clients from then on.'),
    sentence: z.string(),
  })
  .openapi('RehearsedWaits');
const waitChange = z
  .object({
    kind: z.enum(['reservation', 'two-groups', 'one-more-server']),
    like: z.string().nullable().describe('Identity of the server that the additional machine is like.'),
    waits,
  })
  .openapi('RehearsedChange');

const rehearsal = z
  .object({
    answer: z.enum(['yes', 'perhaps', 'no']),
    sentence: z.string().describe('The answer in a sentence.'),
    seats: z
      .object({ from: z.int(), to: z.int() })
      .describe('Seats that there would be, if sessions cost more (`from`) or less (`to`) than expected.'),
    changes: z
      .array(
        z.object({
          kind: z.enum(['one-more-server', 'other-time', 'two-groups']),
          sentence: z.string(),
          seats: z.int().describe('Seats that there would be.'),
        }),
      )
      .readonly()
      .describe('At most three, those that help most first.'),
    waits: z.union([waits, z.null()]).describe('Null: not asked for, or not known here.'),
    waitChanges: z.array(waitChange).readonly().describe('The same with one change, at most three; what helps most comes first.'),
    notKnown: z.array(z.string()).readonly().describe('What is not known, in sentences.'),
  })
  .openapi('Rehearsal');

const ask = createRoute({
  method: 'post',
  path: '/api/v1/rehearsals',
  operationId: 'rehearseReservation',
  tags: ['reservations'],
  summary: 'Check whether a number of people would fit at a certain time',
  security: [{ token: [] }],
  request: { body: jsonBody(question, true) },
  responses: {
    200: jsonResponse('The answer.', rehearsal),
    400: refusalResponse('The request cannot be understood.'),
    401: refusalResponse('The token is missing or wrong.'),
    403: refusalResponse('No tokens are configured, or the token is read-only.'),
    413: refusalResponse('The body is too large.'),
    415: refusalResponse('The body was not sent as JSON.'),
    429: refusalResponse('Too many wrong tokens from this address, or another rehearsal with `waits` runs.'),
  },
});

export function createRehearsalRoutes(options: RehearsalRoutesOptions): OpenAPIHono<Env> {
  const { reservations, rehearsals, projectHosts, mayReserve } = options;
  const routes = new OpenAPIHono<Env>({ defaultHook: refuseInvalid });
  const limit = bodyLimit({ maxSize: BODY_BYTES, onError: (c) => refusal(c, 413, 'too-large', 'The request is too large.') });
  routes.on(ask.method, ask.path, mayReserve, limit, refuseOddJson);
  routes.openapi(ask, async (c) => {
    const { people, at, minutes, project, waits: isAsked } = c.req.valid('json');
    const read = project === undefined ? undefined : parseProject(project, { otherHosts: projectHosts() });
    if (read?.kind === 'refused') return refusal(c, 400, 'bad-request', `"project": ${read.reason}`);
    const slot = {
      ...{ seats: people, start: at, end: at + minutes * MINUTE },
      ...(read !== undefined && { project: read.project.url }),
    };
    const seats = reservations.rehearse(slot);
    const found = isAsked ? await rehearsals.waits(slot, () => setImmediate(), c.req.raw.signal) : NOT_ASKED;
    if (found.kind === 'busy') return refusal(c, 429, 'rehearsal-running', 'Another rehearsal runs; try again in a few seconds.');
    return c.json(viewOf(seats, people, at, found.kind === 'waits' ? found : undefined), 200, { 'Cache-Control': 'no-store' });
  });
  return routes;
}

const NOT_ASKED = { kind: 'not-known' } as const;

interface Simulated {
  readonly waits: Waits;
  readonly changes: readonly WaitChange[];
}

function viewOf(
  { seats, answer, changes, isGuess }: Rehearsal,
  people: number,
  at: number,
  simulated: Simulated | undefined,
): z.infer<typeof rehearsal> {
  return {
    ...{ answer, seats, sentence: sentenceOf(answer, seats, people, at) },
    changes: changes.map((change) => ({ kind: change.kind, seats: change.seats, sentence: changeInWords(change, people) })),
    notKnown: [
      ...(isGuess ? ['The project has hardly run here, so the cost of a session is a guess: open it twice to know.'] : []),
      ...(simulated === undefined ? ['How long other people would wait is not known here.'] : []),
    ],
    waits: simulated === undefined ? null : waitsView(simulated.waits, people),
    waitChanges: (simulated?.changes ?? []).map((change) => ({
      kind: change.kind,
      like: 'like' in change ? change.like : null,
      waits: waitsView(change.waits, people, WITH[change.kind]),
    })),
  };
}

const WITH: Readonly<Record<WaitChange['kind'], string>> = {
  reservation: 'With reserved seats, ',
  'two-groups': 'In two groups, one half an hour after the other, ',
  'one-more-server': 'With one more machine, ',
};

function waitsView(
  { runs, atOnce, last, others }: Waits,
  people: number,
  before = 'Without a reservation, ',
): z.infer<typeof waits> {
  const seconds = (value: number) => (Number.isFinite(value) ? Math.round(value) : null);
  const lastSeconds = { from: seconds(last.from), to: seconds(last.to) };
  const othersSeconds = { from: Math.round(others.from), to: Math.round(others.to) };
  const first = atOnce.from === atOnce.to ? `${atOnce.from}` : `${atOnce.from} to ${atOnce.to}`;
  const sentence = `${before}${first} of ${people} get a place at once, and the last one has one ${afterwards(lastSeconds)}.`;
  return { runs, atOnce, lastSeconds, othersSeconds, sentence };
}

function afterwards({ from, to }: z.infer<typeof waits>['lastSeconds']): string {
  if (from === null) return 'only after more than half an hour';
  if (to === null) return `after ${minutesOf(from)} min, or only after more than half an hour`;
  if (to === 0) return 'at once as well';
  return minutesOf(from) === minutesOf(to) ? `within ${minutesOf(to)} min` : `after ${minutesOf(from)} to ${minutesOf(to)} min`;
}

function minutesOf(seconds: number): number {
  return Math.ceil(seconds / MINUTE);
}

function sentenceOf(answer: Rehearsal['answer'], { from, to }: Rehearsal['seats'], people: number, at: number): string {
  const range = from === to ? `${from}` : `${from} to ${to}`;
  const verdict = { yes: `Yes, ${people} fit`, perhaps: `Perhaps ${people} fit`, no: `No, ${people} do not fit` }[answer];
  return `${verdict} at ${isoTime(at)}: there are ${range} seats for classes.`;
}

function changeInWords(change: Change, people: number): string {
  switch (change.kind) {
    case 'one-more-server':
      return `With one more machine like the strongest one, there are ${change.seats} seats.`;
    case 'other-time':
      return `From ${isoTime(change.start)} on, there are enough seats.`;
    case 'two-groups':
      return `In two groups of ${Math.ceil(people / 2)}, one after the other, all fit.`;
  }
}
