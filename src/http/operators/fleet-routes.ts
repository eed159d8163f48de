/** Actions on several servers at once, by their identities or by a label, and maintenance that is planned ahead. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { shown } from '../../core/fleet/project.ts';
import type { MaintenancePlan } from '../../engine/maintenance.ts';
import type { OnServers, OperatorActions } from '../../engine/operator-actions.ts';
import type { Clock } from '../../ports.ts';
import { bodyLimit } from '../server/body-limit.ts';
import { maintenance } from '../server/api-schemas.ts';
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
import { EXPECTED_TIME, timeText } from '../server/time-text.ts';
import { maintenanceView } from '../../engine/maintenance-view.ts';
import { BAD_END, drainFields, readDrain } from './admin-routes.ts';

export interface FleetRoutesOptions {
  readonly actions: Pick<OperatorActions, 'drainAll' | 'resumeAll'>;
  readonly plan: Pick<MaintenancePlan, 'plan' | 'cancel' | 'planned'>;
  /** `name=value`. */
  readonly serversWith: (label: string) => readonly string[];
  readonly clock: Pick<Clock, 'wallTime'>;
  readonly mayRead: MiddlewareHandler<Env>;
  readonly mayAct: MiddlewareHandler<Env>;
}

const MAX_SERVERS = 1000;
const BODY_BYTES = 400_000;
const YEAR = 366 * 86_400;

const selection = {
  servers: z.array(z.string().min(1).max(300)).min(1).max(MAX_SERVERS).optional().describe('Identities of servers.'),
  label: z
    .string()
    .regex(/^[^=]{1,60}=.{0,200}$/su, 'write name=value')
    .optional()
    .describe('Instead: all servers with this label, as `name=value`.')
    .openapi({ example: 'room=B12' }),
};
const oneOf = 'write either "servers" or "label"';
const isOne = ({ servers, label }: { servers?: readonly string[] | undefined; label?: string | undefined }) =>
  (servers === undefined) !== (label === undefined);
const time = z.union([z.number().min(0).max(1e11), timeText], EXPECTED_TIME);

const drainSeveral = z
  .strictObject({ ...selection, ...drainFields })
  .refine(isOne, oneOf)
  .openapi('DrainSeveral');
const resumeSeveral = z.strictObject(selection).refine(isOne, oneOf).openapi('ResumeSeveral');
const wish = z
  .strictObject({
    ...selection,
    reason: drainFields.reason,
    from: time.describe('When the servers are drained: seconds since the epoch, or ISO 8601.'),
    until: time.describe('When they are offered again.'),
  })
  .refine(isOne, oneOf)
  .openapi('PlannedMaintenance');
const onServers = z
  .object({ done: z.array(z.string()).readonly(), unknown: z.array(z.string()).readonly().describe('Not in the fleet.') })
  .openapi('OnServers');

const security = [{ token: [] }];
const refusals = {
  400: refusalResponse('The request cannot be understood.'),
  401: refusalResponse('The token is missing or wrong.'),
  403: refusalResponse('No tokens are configured, the token is read-only, or the request did not come from the monitor page.'),
  404: refusalResponse('There is no such server, label or maintenance.'),
  413: refusalResponse('The body is too large.'),
  415: refusalResponse('The body was not sent as JSON.'),
  429: refusalResponse('Too many wrong tokens from this address.'),
};

const drain = createRoute({
  method: 'post',
  path: '/api/v1/drain',
  operationId: 'drainServers',
  tags: ['operator actions'],
  summary: 'Drain several servers, or all with a label',
  security,
  request: { body: jsonBody(drainSeveral, true) },
  responses: { 200: jsonResponse('The action has taken effect.', onServers), ...refusals },
});
const resume = createRoute({
  method: 'post',
  path: '/api/v1/resume',
  operationId: 'resumeServers',
  tags: ['operator actions'],
  summary: 'Resume several servers, or all with a label',
  security,
  request: { body: jsonBody(resumeSeveral, true) },
  responses: { 200: jsonResponse('The action has taken effect.', onServers), ...refusals },
});
const plan = createRoute({
  method: 'post',
  path: '/api/v1/maintenance',
  operationId: 'planMaintenance',
  tags: ['operator actions'],
  summary: 'Plan maintenance: servers are drained from one time until another',
  security,
  request: { body: jsonBody(wish, true) },
  responses: {
    201: jsonResponse('It is planned.', z.object({ id: z.string() })),
    409: refusalResponse('The maximum number is reached.'),
    ...refusals,
  },
});
const list = createRoute({
  method: 'get',
  path: '/api/v1/maintenance',
  operationId: 'listMaintenance',
  tags: ['operator actions'],
  summary: 'Planned maintenance that has not begun, the earliest first',
  security: readingSecurity,
  responses: { 200: jsonResponse('The plan.', z.object({ planned: z.array(maintenance).readonly() })), ...readingRefusals },
});
const cancel = createRoute({
  method: 'delete',
  path: '/api/v1/maintenance/{id}',
  operationId: 'cancelMaintenance',
  tags: ['operator actions'],
  summary: 'Cancel planned maintenance that has not begun',
  security,
  request: { params: z.object({ id: z.string().min(1).max(200) }) },
  responses: { 200: jsonResponse('It is cancelled.', z.object({ done: z.literal(true) })), ...refusals },
});

export function createFleetRoutes(options: FleetRoutesOptions): OpenAPIHono<Env> {
  const routes = new OpenAPIHono<Env>({ defaultHook: refuseInvalid });
  const limit = bodyLimit({ maxSize: BODY_BYTES, onError: (c) => refusal(c, 413, 'too-large', 'The request is too large.') });
  for (const { method, path } of [drain, resume, plan, cancel])
    routes.on(method, path.replace('{id}', ':id'), options.mayAct, limit, refuseOddJson);
  routes.on('GET', list.path, options.mayRead);
  addActions(routes, options);
  addMaintenance(routes, options);
  return routes;
}

function addActions(routes: OpenAPIHono<Env>, { actions, serversWith, clock }: FleetRoutesOptions): void {
  routes.openapi(drain, async (c) => {
    const { servers, label, ...rest } = c.req.valid('json');
    const request = readDrain(rest, c.get('actor'), clock.wallTime());
    if (request === undefined) return refusal(c, 400, 'bad-request', BAD_END);
    const ids = servers ?? serversWith(label ?? '');
    return answer(c, await actions.drainAll([...new Set(ids)], request), label);
  });
  routes.openapi(resume, async (c) => {
    const { servers, label } = c.req.valid('json');
    const ids = servers ?? serversWith(label ?? '');
    return answer(c, await actions.resumeAll([...new Set(ids)], c.get('actor')), label);
  });
}

function answer(c: Context, { done, unknown }: OnServers, label: string | undefined) {
  if (done.length > 0) return c.json({ done, unknown }, 200);
  if (label !== undefined) return refusal(c, 404, 'no-server-has-label', `No simulation server has the label ${shown(label)}.`);
  return refusal(c, 404, 'unknown-server', 'None of these simulation servers is in the fleet.');
}

function addMaintenance(routes: OpenAPIHono<Env>, { plan: maintenances, clock }: FleetRoutesOptions): void {
  routes.openapi(plan, async (c) => {
    const { servers = [], label, from, until, reason } = c.req.valid('json');
    const now = clock.wallTime();
    if (until <= now || until <= from) return refusal(c, 400, 'bad-request', '"until" must be in the future, and after "from".');
    if (until > now + YEAR) return refusal(c, 400, 'bad-request', '"until" must be at most a year ahead.');
    const trimmed = reason?.trim() ?? '';
    const outcome = await maintenances.plan({
      ...{ servers: [...new Set(servers)], from, until, by: c.get('actor') },
      ...(label !== undefined && { label }),
      ...(trimmed !== '' && { reason: trimmed }),
    });
    return outcome.kind === 'done' ? c.json({ id: outcome.id }, 201) : refusal(c, 409, outcome.code, outcome.reason);
  });
  routes.openapi(list, (c) => c.json({ planned: maintenances.planned.map(maintenanceView) }, 200));
  routes.openapi(cancel, async (c) => {
    if (await maintenances.cancel(c.req.valid('param').id, c.get('actor'))) return c.json({ done: true as const }, 200);
    return refusal(c, 404, 'unknown-maintenance', 'There is no such planned maintenance; perhaps it has begun.');
  });
}
