/**
 * What a replica answers while another one leads: health checks, metrics and the list of replicas. Everything else it refuses. A reverse proxy sends the
 * clients elsewhere, by the status of `/readyz` or of the response itself.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Hono } from 'hono';
import { Registry } from 'prom-client';
import type { Settings } from '../config/settings.ts';
import type { Replication } from '../engine/replicas/heartbeats.ts';
import type { ReplicaWatch } from '../engine/replicas/replica-watch.ts';
import type { Clock, Log, NewId } from '../ports.ts';
import { UNREACHABLE } from './health.ts';
import { createMetricsRoutes } from './metrics.ts';
import { createAccess } from './operators/access.ts';
import { createReplicaRoutes } from './operators/replica-routes.ts';
import { addReplicaMetrics } from './replica-metrics.ts';
import { createAddressOf, parseNetworks } from './server/client-address.ts';
import { toListener, type Env } from './server/routes.ts';

export interface FollowerServerOptions {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  /** The present ones. */
  readonly settings: () => Settings;
  readonly watch: Pick<ReplicaWatch, 'replication' | 'view'>;
}

export interface FollowerServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Connections at the same time. Health checks need a few; clients should not be here. */
const MAX_CONNECTIONS = 500;
/** Milliseconds. */
const TIMEOUT = 5000;
const HEADERS = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store', Connection: 'close' } as const;

/** Throws the `listen` error of the port. */
export async function startFollowerServer(options: FollowerServerOptions): Promise<FollowerServer> {
  const { watch, settings } = options;
  const { listen: host, port } = settings();
  const limits = { headersTimeout: TIMEOUT, requestTimeout: TIMEOUT, keepAliveTimeout: TIMEOUT };
  const server = createServer(limits, toListener(routesOf(options)));
  server.maxConnections = MAX_CONNECTIONS;
  // A request for a WebSocket gets the same answer.
  server.on('upgrade', (request, socket) => {
    const text = explanation(watch.replication());
    socket.end(
      `HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
    );
    socket.on('error', () => socket.destroy());
    request.resume();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function routesOf({ clock, newId, log, settings, watch }: FollowerServerOptions): Hono<Env> {
  const addressOf = createAddressOf(parseNetworks(settings().trustedProxies).networks);
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
  routes.get('/livez', (c) => c.body('ok\n', 200, HEADERS));
  routes.get('/readyz', (c) => {
    const { reachesStore } = watch.replication();
    if (c.req.query('of') === 'store' && reachesStore) return c.body('ok\n', 200, HEADERS);
    return c.body(c.req.query('of') === 'store' ? UNREACHABLE : explanation(watch.replication()), 503, HEADERS);
  });
  routes.route('/', createMetricsRoutes({ registry, mayRead, clock }));
  routes.route('/', createReplicaRoutes({ view: watch.view, mayRead }));
  routes.notFound((c) => c.body(explanation(watch.replication()), 503, { ...HEADERS, 'Retry-After': '1' }));
  return routes;
}

function explanation({ reachesStore, leader, foreignFormat }: Replication): string {
  if (!reachesStore) return UNREACHABLE;
  if (foreignFormat !== undefined)
    return 'the replicas share a format that this version does not know, so that it cannot lead; upgrade it\n';
  return leader === undefined ? 'no replica leads at the moment\n' : `this replica follows; ${leader.name} leads\n`;
}
