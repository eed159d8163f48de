/** What a follower answers by itself: health checks, metrics and the list of replicas. */
import { Hono } from 'hono';
import { Registry } from 'prom-client';
import type { Settings } from '../../config/settings.ts';
import type { Replication } from '../../engine/replicas/heartbeats.ts';
import type { ReplicaWatch } from '../../engine/replicas/replica-watch.ts';
import type { Clock, Log, NewId } from '../../ports.ts';
import { UNREACHABLE } from '../health.ts';
import { createMetricsRoutes } from '../metrics.ts';
import { createAccess } from '../operators/access.ts';
import { createReplicaRoutes } from '../operators/replica-routes.ts';
import { addReplicaMetrics } from '../replica-metrics.ts';
import type { AddressOf } from '../server/client-address.ts';
import type { Env } from '../server/routes.ts';

export interface FollowerRoutesOptions {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  /** The present ones. */
  readonly settings: () => Settings;
  readonly addressOf: AddressOf;
  readonly watch: Pick<ReplicaWatch, 'replication' | 'view'>;
  /** Clients may come: a leader is known, or another one is about to lead. */
  readonly serves: () => boolean;
}

const OWN: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics', '/api/v1/replicas']);
export const PLAIN = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' } as const;

/** Whether a follower answers a request with this target by itself. */
export function isOfFollower(target: string): boolean {
  return OWN.has(target.replace(/\?.*$/s, ''));
}

export function createFollowerRoutes({
  clock,
  newId,
  log,
  settings,
  addressOf,
  watch,
  serves,
}: FollowerRoutesOptions): Hono<Env> {
  const { mayRead } = createAccess({
    ...{ addressOf, clock, newId, log, port: () => 0 },
    tokens: () => settings().admin.tokens,
    reading: () => settings().monitor.access,
    origin: () => settings().monitor.origin,
    sharesSite: () => true,
  });
  const registry = new Registry();
  addReplicaMetrics(registry, watch.replication);
  const routes = new Hono<Env>();
  routes.get('/livez', (c) => c.body('ok\n', 200, PLAIN));
  routes.get('/readyz', (c) => {
    const state = watch.replication();
    if (c.req.query('of') === 'store') return state.reachesStore ? c.body('ok\n', 200, PLAIN) : c.body(UNREACHABLE, 503, PLAIN);
    return serves() ? c.body('ok\n', 200, PLAIN) : c.body(explanation(state), 503, PLAIN);
  });
  routes.route('/', createMetricsRoutes({ registry, mayRead, clock }));
  routes.route('/', createReplicaRoutes({ view: watch.view, mayRead }));
  return routes;
}

/** Why a follower does not serve clients. */
export function explanation({ reachesStore, leader, foreignFormat }: Replication): string {
  if (!reachesStore) return UNREACHABLE;
  if (foreignFormat !== undefined)
    return 'the replicas share a format that this version does not know, so that it cannot lead; upgrade it\n';
  return leader === undefined ? 'no replica leads at the moment\n' : `this replica follows; ${leader.name} leads\n`;
}
