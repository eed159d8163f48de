/** `POST /api/v1/rehearsals`: would so many fit? Nothing is reserved. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { MAX_PROJECT_URL, parseProject } from '../../core/fleet/project.ts';
import type { Change, Rehearsal } from '../../core/reservations/rehearsal.ts';
import { isoTime } from '../../core/text/iso-time.ts';
import type { Reservations } from '../../engine/reservations.ts';
import { bodyLimit } from '../server/body-limit.ts';
import { refuseOddJson } from '../server/json-body.ts';
import { jsonBody, jsonResponse, refusal, refusalResponse, refuseInvalid } from '../server/refusal.ts';
import type { Env } from '../server/routes.ts';
import { EXPECTED_TIME, timeText } from '../server/time-text.ts';

export interface RehearsalRoutesOptions {
  readonly reservations: Pick<Reservations, 'rehearse'>;
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
  })
  .openapi('RehearsalRequest');

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
    429: refusalResponse('Too many wrong tokens from this address.'),
  },
});

export function createRehearsalRoutes({ reservations, projectHosts, mayReserve }: RehearsalRoutesOptions): OpenAPIHono<Env> {
  const routes = new OpenAPIHono<Env>({ defaultHook: refuseInvalid });
  const limit = bodyLimit({ maxSize: BODY_BYTES, onError: (c) => refusal(c, 413, 'too-large', 'The request is too large.') });
  routes.on(ask.method, ask.path, mayReserve, limit, refuseOddJson);
  routes.openapi(ask, (c) => {
    const { people, at, minutes, project } = c.req.valid('json');
    const read = project === undefined ? undefined : parseProject(project, { otherHosts: projectHosts() });
    if (read?.kind === 'refused') return refusal(c, 400, 'bad-request', `"project": ${read.reason}`);
    const found = reservations.rehearse({
      ...{ seats: people, start: at, end: at + minutes * MINUTE },
      ...(read !== undefined && { project: read.project.url }),
    });
    return c.json(viewOf(found, people, at), 200, { 'Cache-Control': 'no-store' });
  });
  return routes;
}

function viewOf({ seats, answer, changes, isGuess }: Rehearsal, people: number, at: number): z.infer<typeof rehearsal> {
  return {
    ...{ answer, seats, sentence: sentenceOf(answer, seats, people, at) },
    changes: changes.map((change) => ({ kind: change.kind, seats: change.seats, sentence: changeInWords(change, people) })),
    notKnown: [
      ...(isGuess ? ['The project has hardly run here, so the cost of a session is a guess: open it twice to know.'] : []),
      'How long other people would wait is not known here.',
    ],
  };
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
