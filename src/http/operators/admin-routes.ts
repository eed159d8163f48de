/**
 * What holders of a token can do: stop and restart handing out a server, add and remove servers while running, try the notifications.
 *
 * An answer means that the act is in force: after the reply to *drain* no session is handed out there. The operatorActions themselves write each act to the log.
 */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { OperatorActionOutcome, OperatorActions } from '../../engine/operator-actions.ts';
import type { Clock } from '../../ports.ts';
import { channelTest } from '../server/api-schemas.ts';
import { refuseOddJson } from '../server/json-body.ts';
import { refusal, refusalResponse, refuseInvalid } from '../server/refusal.ts';
import type { Env } from '../server/routes.ts';
import { EXPECTED_TIME, timeText } from '../server/time-text.ts';

/** What the routes call. */
export type AdminActions = Pick<OperatorActions, 'drain' | 'resume' | 'addServer' | 'removeServer' | 'testNotification'>;

export interface AdminRoutesOptions {
  readonly operatorActions: AdminActions;
  readonly clock: Pick<Clock, 'wallTime'>;
  readonly mayAct: MiddlewareHandler<Env>;
}

const BODY_BYTES = 65_536;
const MAX_REASON = 1000;
const YEAR = 366 * 86_400;

const serverId = z.object({
  id: z
    .string()
    .min(1)
    .max(300)
    .describe('Identity of a simulation server, `host:port`.')
    .openapi({ example: 'sim1.example.org:2000' }),
});

const drainRequest = z
  .strictObject({
    reason: z.string().max(MAX_REASON, `write at most ${MAX_REASON} characters`).optional().describe('Shown to everybody.'),
    until: z
      .union([z.number(), timeText], EXPECTED_TIME)
      .optional()
      .describe('Seconds since the epoch, or ISO 8601; at that time the server is offered again. Absent: when resumed.'),
    lasts: z
      .number()
      .min(1, 'write at least 1 second')
      .max(YEAR, 'write at most a year')
      .optional()
      .describe('The same as seconds from now.'),
  })
  .openapi('Drain');

const done = z.object({ done: z.literal(true) }).openapi('Done');
const doneResponse = { description: 'It is in force.', content: { 'application/json': { schema: done } } } as const;
const refusals = {
  400: refusalResponse('The request cannot be understood.'),
  401: refusalResponse('The token is missing or wrong.'),
  403: refusalResponse('No tokens are configured, or the act did not come from the monitor page.'),
  409: refusalResponse('The act makes no sense now.'),
  413: refusalResponse('The body is too large.'),
  415: refusalResponse('The body was not sent as JSON.'),
  429: refusalResponse('Too many wrong tokens from this address.'),
};
const unknown = { 404: refusalResponse('There is no such simulation server.') };
const security = [{ token: [] }];

const drain = createRoute({
  method: 'post',
  path: '/api/v1/servers/{id}/drain',
  summary: 'Hand out no more sessions on a server; those that run go on',
  security,
  request: { params: serverId, body: { content: { 'application/json': { schema: drainRequest } } } },
  responses: { 200: doneResponse, ...unknown, ...refusals },
});
const resume = createRoute({
  method: 'post',
  path: '/api/v1/servers/{id}/resume',
  summary: 'Hand out sessions on a server again',
  security,
  request: { params: serverId },
  responses: { 200: doneResponse, ...unknown, ...refusals },
});
const add = createRoute({
  method: 'post',
  path: '/api/v1/servers',
  summary: 'Add a server while running; it survives a restart',
  security,
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z
            .looseObject({ address: z.string().openapi({ example: 'sim9.example.org/2000' }) })
            .openapi('SimulationServer', {
              description: 'As an entry of `simulationServers` in the configuration.',
            }),
        },
      },
    },
  },
  responses: {
    201: {
      description: 'It is probed, and offered once it answers.',
      content: { 'application/json': { schema: z.object({ id: z.string() }) } },
    },
    ...refusals,
  },
});
const remove = createRoute({
  method: 'delete',
  path: '/api/v1/servers/{id}',
  summary: 'Remove a server that was added while running',
  security,
  request: { params: serverId },
  responses: { 200: doneResponse, ...unknown, ...refusals },
});
const testNotification = createRoute({
  method: 'post',
  path: '/api/v1/notifications/test',
  summary: 'Send a test notification on every channel',
  security,
  responses: {
    200: {
      description: 'What became of it on each channel, after at most ten seconds. It is not tried again.',
      content: { 'application/json': { schema: z.object({ channels: z.array(channelTest).readonly() }) } },
    },
    ...refusals,
  },
});

export function createAdminRoutes({ operatorActions, clock, mayAct }: AdminRoutesOptions): OpenAPIHono<Env> {
  const routes = new OpenAPIHono<Env>({ defaultHook: refuseInvalid });
  routes.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  for (const { method, path } of [drain, resume, add, remove, testNotification]) {
    const limit = bodyLimit({ maxSize: BODY_BYTES, onError: (c) => refusal(c, 413, 'too-large', 'The request is too large.') });
    routes.on(method, path.replace('{id}', ':id'), mayAct, limit, refuseOddJson);
  }

  routes.openapi(drain, async (c) => {
    const { reason, until, lasts } = c.req.valid('json');
    const now = clock.wallTime();
    const end = lasts === undefined ? until : now + lasts;
    if (end !== undefined && (end <= now || end > now + YEAR))
      return refusal(c, 400, 'bad-request', '"until" must be in the future and at most a year ahead.');
    const { id } = c.req.valid('param');
    const by = c.get('actor');
    const said = reason?.trim() ?? '';
    const request = { by, ...(said !== '' && { reason: said }), ...(end !== undefined && { until: end }) };
    const outcome = await operatorActions.drain(id, request);
    if (outcome.kind !== 'done') return refuseOutcome(c, id, outcome);
    return c.json({ done: true as const }, 200);
  });
  routes.openapi(resume, async (c) => {
    const { id } = c.req.valid('param');
    const by = c.get('actor');
    const outcome = await operatorActions.resume(id, by);
    if (outcome.kind !== 'done') return refuseOutcome(c, id, outcome);
    return c.json({ done: true as const }, 200);
  });
  routes.openapi(add, async (c) => {
    const by = c.get('actor');
    const outcome = await operatorActions.addServer(c.req.valid('json'), by);
    if (outcome.kind === 'refused') return refusal(c, outcome.code === 'bad-server' ? 400 : 409, outcome.code, outcome.reason);
    return c.json({ id: outcome.id }, 201);
  });
  routes.openapi(remove, async (c) => {
    const { id } = c.req.valid('param');
    const by = c.get('actor');
    const outcome = await operatorActions.removeServer(id, by);
    if (outcome.kind !== 'done') return refuseOutcome(c, id, outcome);
    return c.json({ done: true as const }, 200);
  });
  routes.openapi(testNotification, async (c) => {
    const by = c.get('actor');
    const outcome = await operatorActions.testNotification(by);
    if (outcome.kind === 'refused') return refusal(c, 409, outcome.code, outcome.reason);
    return c.json({ channels: outcome.channels }, 200);
  });
  return routes;
}

function refuseOutcome(c: Context, id: string, outcome: Exclude<OperatorActionOutcome, { kind: 'done' }>) {
  if (outcome.kind === 'refused') return refusal(c, 409, outcome.code, outcome.reason);
  return refusal(c, 404, 'unknown-server', `There is no simulation server ${id}.`);
}
