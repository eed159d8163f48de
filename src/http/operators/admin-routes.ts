/**
 * Operator actions: drain and resume a server, add and remove servers while running, forget learned costs, test the notifications.
 *
 * A response means that the action has taken effect: after the response to *drain* the server gets no new sessions. The
 * actions themselves log who did what.
 */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import type { Forgettable } from '../../core/allocation/ledger.ts';
import { MAX_PROJECT_URL, parseProject } from '../../core/fleet/project.ts';
import type { DrainRequest, OperatorActions } from '../../engine/operator-actions.ts';
import type { Clock } from '../../ports.ts';
import { bodyLimit } from '../server/body-limit.ts';
import { channelTest, serverParameter } from '../server/api-schemas.ts';
import { refuseOddJson } from '../server/json-body.ts';
import { jsonBody, jsonResponse, refusal, refusalResponse, refuseInvalid } from '../server/refusal.ts';
import type { Env } from '../server/routes.ts';
import { EXPECTED_TIME, timeText } from '../server/time-text.ts';

/** Each resolves when the action has taken effect. */
export type AdminActions = Pick<
  OperatorActions,
  'drain' | 'resume' | 'addServer' | 'removeServer' | 'forgetCosts' | 'testNotification'
>;

export interface AdminRoutesOptions {
  readonly actions: AdminActions;
  /** Hosts besides `github.com` from which projects may come. */
  readonly projectHosts: () => readonly string[];
  readonly clock: Pick<Clock, 'wallTime'>;
  readonly mayAct: MiddlewareHandler<Env>;
}

const BODY_BYTES = 65_536;
const MAX_REASON = 1000;
const MAX_ID = 300;
const YEAR = 366 * 86_400;

/** Of one server, or of several. */
export const drainFields = {
  reason: z.string().max(MAX_REASON, `write at most ${MAX_REASON} characters`).optional().describe('Shown on the monitor page.'),
  until: z
    .union([z.number(), timeText], EXPECTED_TIME)
    .optional()
    .describe('Seconds since the epoch, or ISO 8601. The server is offered again at that time. Absent: when it is resumed.'),
  lasts: z
    .number()
    .min(1, 'write at least 1 second')
    .max(YEAR, 'write at most a year')
    .optional()
    .describe('The same, in seconds from now.'),
};
const drainRequest = z.strictObject(drainFields).openapi('Drain');

const serverEntry = z
  .looseObject({ address: z.string().openapi({ example: 'sim9.example.org/2000' }) })
  .openapi('SimulationServer', { description: 'As an entry of `simulationServers` in the configuration.' });
const learnedCosts = z
  .strictObject({
    server: z.string().max(MAX_ID).optional().describe('Only what was learned on this server.'),
    project: z.string().max(MAX_PROJECT_URL).optional().describe('Only what was learned about this project: its URL.'),
  })
  .refine(({ server, project }) => server === undefined || project === undefined, 'name a server or a project, not both')
  .openapi('LearnedCosts', { example: { server: 'sim1.example.org:2000' } });
const done = z.object({ done: z.literal(true) }).openapi('Done');
const doneResponse = jsonResponse('The action has taken effect.', done);
const refusals = {
  400: refusalResponse('The request cannot be understood.'),
  401: refusalResponse('The token is missing or wrong.'),
  403: refusalResponse('No tokens are configured, the token is read-only, or the request did not come from the monitor page.'),
  409: refusalResponse('The action is not possible now.'),
  413: refusalResponse('The body is too large.'),
  415: refusalResponse('The body was not sent as JSON.'),
  429: refusalResponse('Too many wrong tokens from this address.'),
};
const unknown = { 404: refusalResponse('There is no such simulation server.') };
const security = [{ token: [] }];

const drain = createRoute({
  method: 'post',
  path: '/api/v1/servers/{id}/drain',
  operationId: 'drainServer',
  tags: ['operator actions'],
  summary: 'Drain a server: no new sessions start there, running ones continue',
  security,
  request: { params: serverParameter, body: jsonBody(drainRequest) },
  responses: { 200: doneResponse, ...unknown, ...refusals },
});
const resume = createRoute({
  method: 'post',
  path: '/api/v1/servers/{id}/resume',
  operationId: 'resumeServer',
  tags: ['operator actions'],
  summary: 'Resume a drained server',
  security,
  request: { params: serverParameter },
  responses: { 200: doneResponse, ...unknown, ...refusals },
});
const add = createRoute({
  method: 'post',
  path: '/api/v1/servers',
  operationId: 'addServer',
  tags: ['operator actions'],
  summary: 'Add a server at run time; it is kept across restarts',
  security,
  request: { body: jsonBody(serverEntry, true) },
  responses: {
    201: jsonResponse('The server is added. It gets sessions once it answers probes.', z.object({ id: z.string() })),
    ...refusals,
  },
});
const remove = createRoute({
  method: 'delete',
  path: '/api/v1/servers/{id}',
  operationId: 'removeServer',
  tags: ['operator actions'],
  summary: 'Remove a server that was added at run time, or a registered server that is down',
  security,
  request: { params: serverParameter },
  responses: { 200: doneResponse, ...unknown, ...refusals },
});
const forgetCosts = createRoute({
  method: 'post',
  path: '/api/v1/costs/forget',
  operationId: 'forgetCosts',
  tags: ['operator actions'],
  summary: 'Forget the learned cost of sessions: on all servers, on one server or for one project',
  security,
  request: { body: jsonBody(learnedCosts) },
  responses: {
    200: doneResponse,
    404: refusalResponse('There is no such server, or nothing was learned about the project.'),
    ...refusals,
  },
});
const testNotification = createRoute({
  method: 'post',
  path: '/api/v1/notifications/test',
  operationId: 'testNotifications',
  tags: ['operator actions'],
  summary: 'Send a test notification on every channel',
  security,
  responses: {
    200: jsonResponse(
      'The outcome on each channel, after at most ten seconds. It is not retried.',
      z.object({ channels: z.array(channelTest).readonly() }),
    ),
    ...refusals,
  },
});

export function createAdminRoutes(options: AdminRoutesOptions): OpenAPIHono<Env> {
  const routes = new OpenAPIHono<Env>({ defaultHook: refuseInvalid });
  routes.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  for (const { method, path } of [drain, resume, add, remove, forgetCosts, testNotification]) {
    const limit = bodyLimit({ maxSize: BODY_BYTES, onError: (c) => refusal(c, 413, 'too-large', 'The request is too large.') });
    routes.on(method, path.replace('{id}', ':id'), options.mayAct, limit, refuseOddJson);
  }
  addDrainRoutes(routes, options);
  addFleetRoutes(routes, options);
  addForgetCosts(routes, options);
  routes.openapi(testNotification, async (c) => {
    const outcome = await options.actions.testNotification(c.get('actor'));
    if (outcome.kind === 'refused') return refusal(c, 409, outcome.code, outcome.reason);
    return c.json({ channels: outcome.channels }, 200);
  });
  return routes;
}

function addDrainRoutes(routes: OpenAPIHono<Env>, { actions, clock }: AdminRoutesOptions): void {
  routes.openapi(drain, async (c) => {
    const request = readDrain(c.req.valid('json'), c.get('actor'), clock.wallTime());
    if (request === undefined) return refusal(c, 400, 'bad-request', BAD_END);
    const { id } = c.req.valid('param');
    const outcome = await actions.drain(id, request);
    if (outcome.kind !== 'done') return refuseOutcome(c, id, outcome);
    return c.json({ done: true as const }, 200);
  });
  routes.openapi(resume, async (c) => {
    const { id } = c.req.valid('param');
    const outcome = await actions.resume(id, c.get('actor'));
    if (outcome.kind !== 'done') return refuseOutcome(c, id, outcome);
    return c.json({ done: true as const }, 200);
  });
}

export const BAD_END = '"until" must be in the future and at most a year ahead.';

/** `undefined`: the end is not possible. `now`: seconds since the epoch. */
export function readDrain(
  { reason, until, lasts }: z.output<z.ZodObject<typeof drainFields>>,
  by: string,
  now: number,
): DrainRequest | undefined {
  const end = lasts === undefined ? until : now + lasts;
  if (end !== undefined && (end <= now || end > now + YEAR)) return undefined;
  const trimmed = reason?.trim() ?? '';
  return { by, ...(trimmed !== '' && { reason: trimmed }), ...(end !== undefined && { until: end }) };
}

function addFleetRoutes(routes: OpenAPIHono<Env>, { actions }: AdminRoutesOptions): void {
  routes.openapi(add, async (c) => {
    const outcome = await actions.addServer(c.req.valid('json'), c.get('actor'));
    if (outcome.kind === 'refused') return refusal(c, outcome.code === 'bad-server' ? 400 : 409, outcome.code, outcome.reason);
    return c.json({ id: outcome.id }, 201);
  });
  routes.openapi(remove, async (c) => {
    const { id } = c.req.valid('param');
    const outcome = await actions.removeServer(id, c.get('actor'));
    if (outcome.kind !== 'done') return refuseOutcome(c, id, outcome);
    return c.json({ done: true as const }, 200);
  });
}

function addForgetCosts(routes: OpenAPIHono<Env>, { actions, projectHosts }: AdminRoutesOptions): void {
  routes.openapi(forgetCosts, async (c) => {
    const { server, project } = c.req.valid('json');
    const read = project === undefined ? undefined : parseProject(project, { otherHosts: projectHosts() });
    if (read?.kind === 'refused') return refusal(c, 400, 'bad-request', read.reason);
    const what = forgettable(server, read?.project.key);
    const outcome = await actions.forgetCosts(what, c.get('actor'));
    if (outcome.kind === 'done') return c.json({ done: true as const }, 200);
    if (what.kind === 'server') return refuseOutcome(c, what.server, { kind: 'unknown-server' });
    return refusal(c, 404, 'nothing-learned', 'Nothing was learned about this project.');
  });
}

function forgettable(server: string | undefined, project: string | undefined): Forgettable {
  if (server !== undefined) return { kind: 'server', server };
  return project === undefined ? { kind: 'fleet' } : { kind: 'project', project };
}

/** What can go wrong with an action on one server. */
type ServerOutcome = Awaited<ReturnType<AdminActions['removeServer']>>;

function refuseOutcome(c: Context, id: string, outcome: Exclude<ServerOutcome, { kind: 'done' }>) {
  if (outcome.kind === 'refused') return refusal(c, 409, outcome.code, outcome.reason);
  return refusal(c, 404, 'unknown-server', `There is no simulation server ${id}.`);
}
