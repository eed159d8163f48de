/** The edge that clients see, put together: routes, sockets, limits, and the port they share. */
import type { Settings } from '../config/settings.ts';
import type { ServerId } from '../core/fleet/endpoint.ts';
import { meanLoad, type ServerFacts } from '../core/fleet/fleet.ts';
import type { History } from '../core/history/history.ts';
import type { Ledger } from '../core/allocation/ledger.ts';
import type { Router } from '../core/fleet/routing.ts';
import type { WaitingLine } from '../core/queue/waiting-line.ts';
import type { RegisteredServers } from '../discovery/registered.ts';
import type { Admission } from '../engine/admission.ts';
import type { StartupGate } from '../engine/startup-gate.ts';
import type { Decisions } from '../engine/decisions.ts';
import type { OperatorActions } from '../engine/operator-actions.ts';
import type { Notifying } from '../engine/notifying.ts';
import type { MonitorViews } from '../engine/monitor-views.ts';
import type { Poller } from '../engine/poller.ts';
import type { Topic } from '../engine/topic.ts';
import type { AddressGuard, Clock, Log, NewId } from '../ports.ts';
import { createAccess } from './operators/access.ts';
import { createAdminRoutes } from './operators/admin-routes.ts';
import { createApiRoutes } from './operators/api-routes.ts';
import { createAvailabilitySocket } from './clients/availability-socket.ts';
import { createAddressOf, parseNetworks, type AddressOf } from './server/client-address.ts';
import { budgetDescriptors, budgetRelays, readDescriptorLimit } from './server/descriptors.ts';
import type { Gateway } from './gateway/gateway.ts';
import { explainView, type ExplainSource } from './operators/explain-view.ts';
import { createHealthRoutes } from './health.ts';
import { createHistoryRoutes } from './operators/history-routes.ts';
import { addGauges, createMetricsRoutes, type Metrics } from './metrics.ts';
import { createRegisterRoutes } from './registration/register-routes.ts';
import { createMonitorEvents } from './operators/monitor-events.ts';
import type { MonitorAssets } from './operators/monitor-assets.ts';
import { createMonitorRoutes, type MonitorPages } from './operators/monitor-routes.ts';
import type { MonitorSource } from './operators/monitor-source.ts';
import { createApi } from './server/openapi.ts';
import { createRoutes, toListener } from './server/routes.ts';
import { startHttpServer } from './server/server.ts';
import { createLegacyRoutes } from './clients/legacy-routes.ts';
import { createSessionSocket, SESSION_PROTOCOL } from './clients/session-socket.ts';
import { SessionTickets } from './clients/session-tickets.ts';
import { createSessionsApi } from './clients/sessions-api.ts';
import { createSockets } from './server/sockets.ts';

export interface EdgeOptions {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  readonly version: string;
  /** Seconds since the epoch. */
  readonly startedAt: number;
  /** As in force now. */
  readonly settings: () => Settings;
  readonly poller: Poller;
  readonly ledger: Ledger;
  readonly router: Router;
  readonly line: WaitingLine;
  readonly requests: Admission['requests'];
  readonly queue: Admission['queue'];
  readonly prospects: Admission['prospects'];
  readonly decisions: Decisions;
  readonly monitorViews: MonitorViews;
  readonly history: History;
  readonly operatorActions: OperatorActions;
  readonly notifying: Notifying;
  readonly registered: RegisteredServers;
  readonly metrics: Metrics;
  /** The server of which something changed last. Clients on it may have to be told. */
  readonly serverChanges: Pick<Topic<ServerFacts | undefined>, 'subscribe'>;
  /** Where a server that came by itself may lead; `undefined` for all others. */
  readonly addressGuard: (id: ServerId) => AddressGuard | undefined;
  readonly answers: StartupGate;
  /** Clients may wait and get servers: what survived the last run is known, and with it who was in line before. */
  readonly sessions: StartupGate;
}

/** The monitor page, which the edge serves and does not know. */
export interface MonitorFiles {
  readonly assets: MonitorAssets;
  readonly pages: MonitorPages;
}

export interface Edge {
  readonly port: number;
  /** Absent: it is switched off. */
  readonly gateway: { readonly port: number | undefined; readonly redirectPort: number | undefined } | undefined;
  /** Takes over what changed in the settings and is kept here. */
  reconfigure(): void;
  /** Says good-bye to all clients within `grace` seconds. */
  close(grace: number): Promise<void>;
}

/** Throws the `listen` error of the port. */
export async function startEdge(options: EdgeOptions, monitor: MonitorFiles): Promise<Edge> {
  const { clock, newId, log, version, settings, poller, requests, queue, prospects } = options;
  const { history, monitorViews, operatorActions, metrics, answers, sessions } = options;
  const { limits, port, listen } = settings();
  const descriptors = readDescriptorLimit();
  const mostRelays = () =>
    settings().gateway.enabled ? budgetRelays(descriptors, poller.size, settings().gateway.limits.relays) : 0;
  const mostClients = () => budgetDescriptors(descriptors, poller.size + mostRelays(), settings().limits.clients).clients;
  let stopping = false;

  let trusted = createAddressOf(parseNetworks(settings().trustedProxies).networks);
  const addressOf: AddressOf = (request) => trusted(request);
  const access = createAccess({
    tokens: () => settings().admin.tokens,
    reading: () => settings().monitor.access,
    port: () => server.port,
    addressOf,
    clock,
    newId,
    log,
  });
  const source: MonitorSource = {
    snapshot: () => monitorViews.snapshot(),
    history: (query) => history.query(query),
    sparklines: () => history.sparklines(),
  };
  const events = createMonitorEvents({ source, clock, newId, log, mayRead: access.mayRead, readsOn: access.readsOn });
  const tickets = new SessionTickets({ requests, queue, clock, newId, log, resume: () => settings().waiting.resume });
  const register = createRegisterRoutes({
    ...{ addressOf, clock, log, registered: options.registered },
    rules: () => settings().registration,
  });
  const currentMeanLoad = () => meanLoad(poller.servers());

  addGauges(metrics.registry, {
    ...options,
    availability: prospects.availability,
    waiting: () => queue.length,
    notifying: () => options.notifying.statistics(),
    longestWait: () => options.line.longestWait(clock.now()),
    meanLoad: currentMeanLoad,
    connections: () => server.connections(),
    sockets: () => sockets.count(),
    limits: () => ({ clients: mostClients(), descriptors, metricsServers: settings().limits.metricsServers }),
  });
  const gateway = await gatewayIfEnabled(options, { addressOf, registry: metrics.registry, mostRelays });
  const routes = createRoutes({
    log,
    groups: [
      createLegacyRoutes({
        ...{ requests, queue, gateway, answers, sessions },
        availability: prospects.availability,
        addressOf,
        meanLoad: currentMeanLoad,
        hold: () => settings().waiting.hold,
      }),
      createHealthRoutes({ isReady: answers.isReady, isStopping: () => stopping }),
      createMetricsRoutes({ registry: metrics.registry, mayRead: access.mayRead }),
      access.routes,
      register.form,
      events.routes,
      createMonitorRoutes({
        ...{ source, clock, access, ...monitor },
        title: () => settings().monitor.title,
        hasTokens: () => settings().admin.tokens.length > 0,
      }),
      createApi({
        version,
        groups: [
          createSessionsApi({ tickets, addressOf, ...sessions, bodyBytes: () => settings().limits.bodyBytes }),
          createApiRoutes({
            ...{ source, clock, addressOf },
            mayRead: access.mayRead,
            availability: () => monitorViews.fleet(),
            explain: (url, labels) => explainView(explainSource(options), url, labels),
          }),
          createHistoryRoutes({ source, clock, mayRead: access.mayRead }),
          createAdminRoutes({ operatorActions, clock, mayAct: access.mayAct }),
          register.api,
        ],
      }),
    ],
  });
  const bufferBytes = () => settings().limits.bufferBytes;
  const availability = createAvailabilitySocket({
    ...{ clock, log, bufferBytes },
    availability: prospects.availability,
    ready: answers.ready,
  });
  const sockets = createSockets({
    ...{
      clock,
      log,
      bufferBytes,
      subprotocols: [SESSION_PROTOCOL],
      allowedOrigins: () => settings().allowedOrigins,
    },
    handlers: {
      '/': availability.handler,
      '/session': createSessionSocket({ queue, ready: sessions.ready, addressOf, bufferBytes }),
    },
    relayOf: (path) => gateway?.socketHandlerOf(path),
  });
  const handle = toListener(routes);
  const refused = (why: 'too-many-clients') => {
    metrics.turnedAway(why);
    log.limited(
      'warn',
      why,
      `clients are turned away: ${mostClients()} connections are open, which is the limit (limits.clients, file descriptors)`,
    );
  };
  const server = await startHttpServer({
    ...{ host: listen, port, limits, mostClients, addressOf, handle, refused },
    upgrade: sockets.upgrade,
    others: () => gateway?.connections() ?? 0,
  }).catch(async (error: unknown) => {
    await Promise.all([availability.stop(), sockets.close(0)]);
    throw error;
  });
  await gateway
    ?.start({ ...{ mostClients, handle, refused }, upgrade: sockets.upgrade, others: () => server.connections() })
    .catch(async (error: unknown) => {
      await Promise.all([gateway.close(0), availability.stop(), sockets.close(0), server.close(0)]);
      throw error;
    });

  options.serverChanges.subscribe((facts) => {
    if (facts !== undefined) gateway?.serverChanged(facts, poller.state(facts));
  });

  return {
    port: server.port,
    gateway: gateway && { port: gateway.port(), redirectPort: gateway.redirectPort() },
    reconfigure() {
      trusted = createAddressOf(parseNetworks(settings().trustedProxies).networks);
    },
    async close(grace) {
      stopping = true;
      await Promise.all([
        availability.stop(),
        events.stop(),
        tickets.stop(),
        sockets.close(grace),
        server.close(grace),
        gateway?.close(grace),
      ]);
    },
  };
}

/** What is switched off is not even loaded. */
async function gatewayIfEnabled(
  { clock, newId, log, settings, queue, poller, notifying, addressGuard, sessions }: EdgeOptions,
  more: { readonly addressOf: AddressOf; readonly registry: Metrics['registry']; readonly mostRelays: () => number },
): Promise<Gateway | undefined> {
  if (!settings().gateway.enabled) return undefined;
  const { createGateway } = await import('./gateway/gateway.ts');
  return createGateway({
    ...{ clock, newId, log, settings, queue, ready: sessions.ready, ...more },
    addressGuard,
    endpoint: (id) => poller.facts(id)?.endpoint,
    notify: (reason) => {
      const { server } = settings();
      notifying.send('certificate', [{ id: server, address: server, reason }]);
    },
  });
}

function explainSource({ settings, router, prospects, monitorViews }: EdgeOptions): ExplainSource {
  return {
    otherHosts: () => settings().projects.otherHosts,
    route: (project, labels) => router.route(project, labels),
    prospect: (project, labels) => prospects.prospect(project, labels),
    explain: (project, labels) => monitorViews.explain(project, labels),
  };
}
