/**
 * What programs may read under `/api/v1`: the fleet, why a server was or would be chosen, decisions, incidents, and
 * whether a session can start now. All but the last obey `monitor.access`; clients without a token need the last.
 *
 * There is no limit on reading, so the cost must not grow with the number of readers: lists are computed a few times a
 * second at most (`throttled-value.ts`), and explanations, which all differ, are limited by address and in total.
 */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import type { ExplainView, MonitorSnapshot } from '../../core/views/monitor-view.ts';
import { projectParameter, shown } from '../../core/fleet/project.ts';
import type { Labels } from '../../core/fleet/routing.ts';
import { TokenBuckets } from '../../core/limits/token-bucket.ts';
import type { Clock } from '../../ports.ts';
import {
  availability,
  decision,
  explanation,
  incident,
  server,
  serverParameter,
  type AvailabilityView,
} from '../server/api-schemas.ts';
import type { AddressOf } from '../server/client-address.ts';
import type { MonitorSource } from './monitor-source.ts';
import { jsonResponse, readingRefusals, readingSecurity, refusal, refusalResponse, refuseInvalid } from '../server/refusal.ts';
import type { Env } from '../server/routes.ts';
import { createThrottledValue } from '../server/throttled-value.ts';

export interface ApiRoutesOptions {
  readonly source: Pick<MonitorSource, 'snapshot'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly addressOf: AddressOf;
  /** Open to all clients, so it should cost little. */
  readonly availability: () => AvailabilityView;
  /** What a session request would get now; see `explain-view.ts`. */
  readonly explain: (projectUrl: string | undefined, labels: Labels | undefined) => ExplainView;
  readonly mayRead: MiddlewareHandler<Env>;
}

const MAX_DECISIONS = 200;
const MAX_LABELS = 20;
/** Explanations for one address: a person who tries projects on the page, and a program. */
const EXPLANATIONS = { burst: 30, rate: 2, maxKeys: 10_000 };
/** Servers explained for all addresses together: some twenty explanations a second of a large fleet, a tenth of a processor. */
const EXPLAINED_SERVERS = { burst: 40_000, rate: 20_000, maxKeys: 1 };
/** Approximate size of one server's view. */
const SERVER_BYTES = 700;

const at = z.number().describe('Seconds since the epoch.');

const listServers = createRoute({
  method: 'get',
  path: '/api/v1/servers',
  operationId: 'listServers',
  tags: ['servers'],
  summary: 'All simulation servers, in the configured order',
  security: readingSecurity,
  responses: { 200: jsonResponse('The fleet.', z.object({ at, servers: z.array(server).readonly() })), ...readingRefusals },
});
const oneServer = createRoute({
  method: 'get',
  path: '/api/v1/servers/{id}',
  operationId: 'getServer',
  tags: ['servers'],
  summary: 'One simulation server',
  security: readingSecurity,
  request: { params: serverParameter },
  responses: {
    200: jsonResponse('The server.', server),
    404: refusalResponse('There is no such simulation server.'),
    ...readingRefusals,
  },
});
const explain = createRoute({
  method: 'get',
  path: '/api/v1/explain',
  operationId: 'explainRequest',
  tags: ['decisions'],
  summary: 'Whether a project would get a server now, and why, for each server',
  security: readingSecurity,
  request: {
    query: z.object({
      url: z
        .string()
        .optional()
        .describe('URL of the project that a client would request. Absent: any project.')
        .openapi({ example: 'https://github.com/owner/name/blob/main/worlds/world.wbt' }),
      label: z
        .union([z.string(), z.array(z.string())])
        .optional()
        .describe('A label the server must have, as `name=value`. May be repeated.')
        .openapi({ type: 'array', items: { type: 'string' }, example: ['room=B12'] }),
    }),
  },
  responses: { 200: jsonResponse('The explanation, also for a project that would be refused.', explanation), ...readingRefusals },
});
const listDecisions = createRoute({
  method: 'get',
  path: '/api/v1/decisions',
  operationId: 'listDecisions',
  tags: ['decisions'],
  summary: `The last ${MAX_DECISIONS} decisions, or the last of one kind, with their reasons; newest first`,
  security: readingSecurity,
  request: {
    query: z.object({
      kind: decision.shape.kind
        .optional()
        .describe(`Only decisions of this kind: its last ${MAX_DECISIONS}, however many others followed. Absent: all kinds.`)
        .openapi({ example: 'refused' }),
    }),
  },
  responses: { 200: jsonResponse('Decisions.', z.object({ at, decisions: z.array(decision).readonly() })), ...readingRefusals },
});
const listIncidents = createRoute({
  method: 'get',
  path: '/api/v1/incidents',
  operationId: 'listIncidents',
  tags: ['decisions'],
  summary: 'Incidents of servers, newest first',
  security: readingSecurity,
  responses: { 200: jsonResponse('Incidents.', z.object({ at, incidents: z.array(incident).readonly() })), ...readingRefusals },
});
const showAvailability = createRoute({
  method: 'get',
  path: '/api/v1/availability',
  operationId: 'getAvailability',
  tags: ['sessions'],
  summary: 'Whether a session can start now, and how long the waiting line is',
  responses: { 200: jsonResponse('The fleet as a whole.', availability) },
});

export function createApiRoutes(options: ApiRoutesOptions): OpenAPIHono<Env> {
  const routes = new OpenAPIHono<Env>({ defaultHook: refuseInvalid });
  for (const { path } of [listServers, oneServer, explain, listDecisions, listIncidents])
    routes.on('GET', path.replace('{id}', ':id'), options.mayRead);
  addListRoutes(routes, options);
  addExplainRoute(routes, options);
  routes.openapi(showAvailability, (c) => {
    const { open, availability, places, placesRange, counted, waiting, meanLoad } = options.availability();
    return c.json({ open, availability, places, placesRange, counted, waiting, meanLoad }, 200, NO_STORE);
  });
  return routes;
}

function addListRoutes(routes: OpenAPIHono<Env>, options: ApiRoutesOptions): void {
  const { fleet, decisions, decisionsOf, incidents } = throttledLists(options);
  routes.openapi(listServers, () => encodedResponse(fleet().body()));
  routes.openapi(oneServer, (c) => {
    const { id } = c.req.valid('param');
    const found = fleet().byId.get(id);
    if (found === undefined) return refusal(c, 404, 'unknown-server', `There is no simulation server "${shown(id)}".`);
    return c.json(found, 200, NO_STORE);
  });
  routes.openapi(listDecisions, (c) => {
    const { kind } = c.req.valid('query');
    const list = (kind && decisionsOf.get(kind)) ?? decisions;
    return encodedResponse(list());
  });
  routes.openapi(listIncidents, () => encodedResponse(incidents()));
}

/** The lists, as JSON that is computed a few times a second at most. */
function throttledLists({ source, clock }: ApiRoutesOptions) {
  const fleet = createThrottledValue(clock, () => {
    const { at, servers } = source.snapshot();
    const byId = new Map(servers.map((server) => [server.id, server]));
    return { value: { byId, body: lazily(() => encode({ at, servers })) }, bytes: servers.length * SERVER_BYTES };
  });
  const list = (part: (snapshot: MonitorSnapshot) => object) =>
    createThrottledValue(clock, () => {
      const snapshot = source.snapshot();
      const body = encode({ at: snapshot.at, ...part(snapshot) });
      return { value: body, bytes: body.byteLength + snapshot.servers.length * SERVER_BYTES };
    });
  const decisions = list(({ decisions }) => ({ decisions: decisions.slice(0, MAX_DECISIONS) }));
  const decisionsOf = new Map(
    decision.shape.kind.options.map((wanted) => [
      wanted,
      list((snapshot) => ({ decisions: snapshot.decisions.filter(({ kind }) => kind === wanted).slice(0, MAX_DECISIONS) })),
    ]),
  );
  const incidents = list(({ incidents }) => ({ incidents }));
  return { fleet, decisions, decisionsOf, incidents };
}

function addExplainRoute(routes: OpenAPIHono<Env>, options: ApiRoutesOptions): void {
  const limit = new ExplainLimit(options.clock);
  routes.openapi(explain, (c) => {
    const { label = [] } = c.req.valid('query');
    const labels = readLabels(typeof label === 'string' ? [label] : label);
    if (typeof labels === 'string') return refusal(c, 400, 'bad-request', labels);
    const wait = Math.ceil(limit.take(options.addressOf(c.env.incoming).limitKey));
    if (wait > 0) {
      c.header('Retry-After', String(wait));
      return refusal(c, 429, 'too-many-explanations', `Too many explain requests; try again in ${wait} s.`);
    }
    // Not the decoded parameter: clients append the project URL as it is, so a plus in it is a plus.
    const project = projectParameter(new URL(c.req.url).search);
    const view = options.explain(project, labels);
    limit.explained(view.servers.length);
    return c.json(view, 200, NO_STORE);
  });
}

/** Each explanation is computed separately, so explanations are limited by address and in total. */
class ExplainLimit {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #byAddress = new TokenBuckets(EXPLANATIONS);
  readonly #servers = new TokenBuckets(EXPLAINED_SERVERS);

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** Seconds until the address may send an explain request; 0: now, and it is counted. */
  take(limitKey: string | undefined): number {
    const now = this.#clock.now();
    const wait = limitKey === undefined ? 0 : this.#byAddress.take(limitKey, now);
    if (wait > 0) return wait;
    return this.#servers.wait('', now);
  }

  explained(servers: number): void {
    this.#servers.take('', this.#clock.now(), servers);
  }
}

const NO_STORE = { 'Cache-Control': 'no-store' } as const;

type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();

function encode(value: object): Bytes {
  return encoder.encode(JSON.stringify(value));
}

/** Computes the value when it is first needed. */
function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** JSON that is encoded already. The framework can check only values that it encodes itself; a test compares these with the document. */
function encodedResponse(body: Bytes): never {
  return new Response(body, { headers: { 'Content-Type': 'application/json', ...NO_STORE } }) as never;
}

/** The labels, or what is wrong with them. */
function readLabels(texts: readonly string[]): Labels | string | undefined {
  if (texts.length === 0) return undefined;
  if (texts.length > MAX_LABELS) return `"label": give at most ${MAX_LABELS} of them.`;
  const labels = new Map<string, string>();
  for (const text of texts) {
    const [, name = '', value = ''] = /^([^=]{1,60})=(.{0,200})$/su.exec(text) ?? [];
    if (name === '' || name === '__proto__') return `"label": write name=value, not "${shown(text)}".`;
    labels.set(name, value);
  }
  return Object.fromEntries(labels);
}
