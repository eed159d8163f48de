/**
 * What programs may read under `/api/v1`: the fleet, why a server was or would be taken, decisions, incidents, and whether a session can start now. All but
 * the last obey `monitor.access`; the last is what clients without a token have to know.
 *
 * Anybody may read as often as it likes, so nothing here costs more the more ask: lists are drawn up a few times a second at most (`shared-value.ts`), and
 * explanations, of which each is another one, are limited by address and in all.
 */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import type { ExplainView, MonitorSnapshot } from '../../core/views/monitor-view.ts';
import { projectParameter, shown } from '../../core/fleet/project.ts';
import type { Labels } from '../../core/fleet/routing.ts';
import { TokenBuckets } from '../../core/limits/token-bucket.ts';
import type { Clock } from '../../ports.ts';
import { availability, decision, explanation, incident, server, type AvailabilityView } from '../server/api-schemas.ts';
import type { AddressOf } from '../server/client-address.ts';
import type { MonitorSource } from './monitor-source.ts';
import { readingRefusals, readingSecurity, refusal, refusalResponse, refuseInvalid } from '../server/refusal.ts';
import type { Env } from '../server/routes.ts';
import { createThrottledValue } from '../server/throttled-value.ts';

export interface ApiRoutesOptions {
  readonly source: Pick<MonitorSource, 'snapshot'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly addressOf: AddressOf;
  /** Asked by everybody, so it should cost little. */
  readonly availability: () => AvailabilityView;
  /** What would become of a session request now: see `explain-view.ts`. */
  readonly explain: (projectUrl: string | undefined, labels: Labels | undefined) => ExplainView;
  readonly mayRead: MiddlewareHandler<Env>;
}

const MAX_DECISIONS = 200;
const MAX_LABELS = 20;
/** Explanations of one address: those of a person who tries projects on the page, and a program's. */
const EXPLANATIONS = { burst: 30, rate: 2, maxKeys: 10_000 };
/** Servers explained for all addresses together: of a large fleet some twenty explanations a second, which are a tenth of a processor. */
const EXPLAINED = { burst: 40_000, rate: 20_000, maxKeys: 1 };
/** About the bytes of one server's view. */
const SERVER_BYTES = 700;

const at = z.number().describe('Seconds since the epoch.');

function answerOf<T extends z.ZodType>(description: string, schema: T) {
  return { description, content: { 'application/json': { schema } } } as const;
}

const listServers = createRoute({
  method: 'get',
  path: '/api/v1/servers',
  summary: 'All simulation servers, in the configured order',
  security: readingSecurity,
  responses: { 200: answerOf('The fleet.', z.object({ at, servers: z.array(server).readonly() })), ...readingRefusals },
});
const oneServer = createRoute({
  method: 'get',
  path: '/api/v1/servers/{id}',
  summary: 'One simulation server',
  security: readingSecurity,
  request: {
    params: z.object({
      id: z
        .string()
        .min(1)
        .max(300)
        .describe('Identity of a simulation server, `host:port`.')
        .openapi({ example: 'sim1.example.org:2000' }),
    }),
  },
  responses: {
    200: answerOf('The server.', server),
    404: refusalResponse('There is no such simulation server.'),
    ...readingRefusals,
  },
});
const explain = createRoute({
  method: 'get',
  path: '/api/v1/explain',
  summary: 'Whether a project would get a server now, and what each server says to it',
  security: readingSecurity,
  request: {
    query: z.object({
      url: z
        .string()
        .optional()
        .describe('What a client would ask to run. Absent: anything.')
        .openapi({ example: 'https://github.com/owner/name/blob/main/worlds/world.wbt' }),
      label: z
        .union([z.string(), z.array(z.string())])
        .optional()
        .describe('A label that the server must have, `name=value`; may be repeated.')
        .openapi({ type: 'array', items: { type: 'string' }, example: ['room=B12'] }),
    }),
  },
  responses: { 200: answerOf('A project that would be refused is explained too.', explanation), ...readingRefusals },
});
const listDecisions = createRoute({
  method: 'get',
  path: '/api/v1/decisions',
  summary: `The last ${MAX_DECISIONS} decisions with their reasons, newest first; or of one kind`,
  security: readingSecurity,
  request: {
    query: z.object({
      kind: decision.shape.kind
        .optional()
        .describe(`Only these; of refusals the last ${MAX_DECISIONS}, however much was handed out since. Absent: any.`)
        .openapi({ example: 'refused' }),
    }),
  },
  responses: { 200: answerOf('Decisions.', z.object({ at, decisions: z.array(decision).readonly() })), ...readingRefusals },
});
const listIncidents = createRoute({
  method: 'get',
  path: '/api/v1/incidents',
  summary: 'What happened to servers and was worth telling a person, newest first',
  security: readingSecurity,
  responses: { 200: answerOf('Incidents.', z.object({ at, incidents: z.array(incident).readonly() })), ...readingRefusals },
});
const showAvailability = createRoute({
  method: 'get',
  path: '/api/v1/availability',
  summary: 'Whether a session can start now, and how long the waiting line is',
  responses: { 200: answerOf('The fleet as a whole.', availability) },
});

export function createApiRoutes(options: ApiRoutesOptions): OpenAPIHono<Env> {
  const { source, mayRead, clock, addressOf } = options;
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
  const explanations = new TokenBuckets(EXPLANATIONS);
  const explained = new TokenBuckets(EXPLAINED);
  /** Seconds until the address may ask for an explanation; 0: now. */
  const untilExplained = (limitKey: string | undefined): number => {
    const now = clock.now();
    const seconds = limitKey === undefined ? 0 : explanations.take(limitKey, now);
    return seconds > 0 ? seconds : explained.wait('', now);
  };
  const routes = new OpenAPIHono<Env>({ defaultHook: refuseInvalid });
  for (const { path } of [listServers, oneServer, explain, listDecisions, listIncidents])
    routes.on('GET', path.replace('{id}', ':id'), mayRead);

  routes.openapi(listServers, () => answered(fleet().body()));
  routes.openapi(oneServer, (c) => {
    const { id } = c.req.valid('param');
    const found = fleet().byId.get(id);
    if (found === undefined) return refusal(c, 404, 'unknown-server', `There is no simulation server "${shown(id)}".`);
    return c.json(found, 200, NO_STORE);
  });
  routes.openapi(explain, (c) => {
    const { label = [] } = c.req.valid('query');
    const labels = readLabels(typeof label === 'string' ? [label] : label);
    if (typeof labels === 'string') return refusal(c, 400, 'bad-request', labels);
    const seconds = untilExplained(addressOf(c.env.incoming).limitKey);
    if (seconds > 0) {
      const wait = Math.ceil(seconds);
      c.header('Retry-After', String(wait));
      return refusal(c, 429, 'too-many-explanations', `Too many explanations are asked for; try again in ${wait} s.`);
    }
    // Not the decoded parameter: clients append the project's URL as it is, and a plus in it is a plus.
    const project = projectParameter(new URL(c.req.url).search);
    const view = options.explain(project, labels);
    explained.take('', clock.now(), view.servers.length);
    return c.json(view, 200, NO_STORE);
  });
  routes.openapi(listDecisions, (c) => {
    const { kind } = c.req.valid('query');
    const listed = (kind && decisionsOf.get(kind)) ?? decisions;
    return answered(listed());
  });
  routes.openapi(listIncidents, () => answered(incidents()));
  routes.openapi(showAvailability, (c) => {
    const { open, availability, places, waiting, meanLoad } = options.availability();
    return c.json({ open, availability, places, waiting, meanLoad }, 200, NO_STORE);
  });
  return routes;
}

const NO_STORE = { 'Cache-Control': 'no-store' } as const;

type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();

function encode(value: object): Bytes {
  return encoder.encode(JSON.stringify(value));
}

/** Made when it is asked for the first time. */
function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** JSON that was written already. The framework types answers by the values it writes itself; that these fit the document is tested. */
function answered(body: Bytes): never {
  return new Response(body, { headers: { 'Content-Type': 'application/json', ...NO_STORE } }) as never;
}

/** Labels, or why they are none. */
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
