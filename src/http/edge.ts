/** Builds the edge that clients see: routes, sockets, limits, and the port they share. */
import type { IncomingMessage } from 'node:http';
import type { Settings } from '../config/settings.ts';
import type { ServerId } from '../core/fleet/endpoint.ts';
import { meanLoad, type ServerFacts } from '../core/fleet/fleet.ts';
import type { Demo } from '../core/views/demo-view.ts';
import { visitorView } from '../core/views/visitor-view.ts';
import { PerClientCounts } from '../core/limits/per-client-counts.ts';
import type { History } from '../core/history/history.ts';
import type { Timeline } from '../core/history/timeline.ts';
import type { Ledger } from '../core/allocation/ledger.ts';
import type { Router } from '../core/fleet/routing.ts';
import type { WaitingLine } from '../core/queue/waiting-line.ts';
import type { RegisteredServers } from '../discovery/registered.ts';
import type { Admission, Admitting } from '../engine/admission.ts';
import type { StartupGate } from '../engine/startup-gate.ts';
import type { Decisions } from '../engine/decisions.ts';
import type { MaintenancePlan } from '../engine/maintenance.ts';
import type { Membership } from '../engine/membership.ts';
import type { OperatorActions } from '../engine/operator-actions.ts';
import type { SharedSignIns } from '../engine/replicas/shared-sign-ins.ts';
import type { ReplicaWatch } from '../engine/replicas/replica-watch.ts';
import type { Rehearsals } from '../engine/rehearsals.ts';
import type { Reservations } from '../engine/reservations.ts';
import type { Notifying } from '../engine/notifying.ts';
import type { MonitorViews } from '../engine/monitor-views.ts';
import type { Poller } from '../engine/poller.ts';
import type { SessionActions } from '../engine/session-actions.ts';
import type { SessionList } from '../engine/session-list.ts';
import type { Topic } from '../engine/topic.ts';
import type { AddressGuard, CalendarReader, Clock, Log, NewId } from '../ports.ts';
import { createAccess, type Access } from './operators/access.ts';
import { isOfHolder } from './operators/credentials.ts';
import { createFleetRoutes } from './operators/fleet-routes.ts';
import { createAdminRoutes } from './operators/admin-routes.ts';
import { createApiRoutes } from './operators/api-routes.ts';
import { createReplicaRoutes } from './operators/replica-routes.ts';
import { addReplicaMetrics } from './replica-metrics.ts';
import { createRehearsalRoutes } from './operators/rehearsal-routes.ts';
import { createReservationRoutes } from './operators/reservation-routes.ts';
import { createCalendarRoutes } from './operators/calendar-routes.ts';
import { createClassRoutes, type RenderClassPage } from './clients/class-routes.ts';
import { createClassesApi } from './clients/classes-api.ts';
import type { EdgePort } from './edge-port.ts';
import { createSessionRoutes } from './operators/session-routes.ts';
import { createAvailabilitySocket } from './clients/availability-socket.ts';
import { clientAddresses, type AddressOf } from './server/client-address.ts';
import { budgetDescriptors, budgetRelays, readDescriptorLimit } from './server/descriptors.ts';
import type { Gateway } from './gateway/gateway.ts';
import { explainView, type ExplainSource } from './operators/explain-view.ts';
import { createDemoRoutes, type RenderDemoPage } from './demo/demo-routes.ts';
import { createHealthRoutes } from './health.ts';
import { createHistoryRoutes } from './operators/history-routes.ts';
import { addGauges, createMetricsRoutes, type Metrics } from './metrics.ts';
import { createRegisterRoutes, type RegisterRoutes } from './registration/register-routes.ts';
import { timelineSource } from './operators/timeline-source.ts';
import { createMonitorEvents } from './operators/monitor-events.ts';
import { createMonitorRoutes, type MonitorPages } from './operators/monitor-routes.ts';
import type { MonitorSource } from './operators/monitor-source.ts';
import { createApi } from './server/openapi.ts';
import { refuseLostUpgrades } from './server/lost-upgrade.ts';
import type { ReferencePage } from './server/reference-page.ts';
import type { ClientAssets, PageAssets } from './server/page-assets.ts';
import { createRoutes, toListener } from './server/routes.ts';
import { createThrottledValue } from './server/throttled-value.ts';
import { startHttpServer, type HttpServer, type HttpServerOptions, type TurnedAway } from './server/server.ts';
import { createClientRoutes } from './clients/client-routes.ts';
import { createLegacyRoutes, type SentToServer } from './clients/legacy-routes.ts';
import { createSessionSocket, SESSION_PROTOCOL } from './clients/session-socket.ts';
import { SessionTickets } from './clients/session-tickets.ts';
import { createSessionsApi } from './clients/sessions-api.ts';
import { createSockets, type Sockets } from './server/sockets.ts';
import {
  createVisitorPages,
  createVisitorRoutes,
  languagesFor,
  pageFor,
  type RenderVisitorPages,
  type VisitorAssets,
} from './clients/visitor-routes.ts';

export interface EdgeOptions {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  readonly version: string;
  /** Seconds since the epoch. */
  readonly startedAt: number;
  /** The current settings. */
  readonly settings: () => Settings;
  readonly poller: Poller;
  readonly ledger: Ledger;
  readonly router: Router;
  readonly line: WaitingLine;
  readonly requests: Admitting['requests'];
  readonly queue: Admitting['queue'];
  readonly prospects: Admission['prospects'];
  readonly waitingList: Admission['waitingList'];
  readonly sessionList: SessionList;
  readonly sessionActions: SessionActions;
  readonly decisions: Decisions;
  readonly monitorViews: MonitorViews;
  readonly history: History;
  readonly timeline: Timeline;
  readonly maintenance: MaintenancePlan;
  readonly membership: Pick<Membership, 'withLabel'>;
  readonly operatorActions: OperatorActions;
  readonly reservations: Reservations;
  readonly rehearsals: Rehearsals;
  readonly notifying: Notifying;
  readonly registered: RegisteredServers;
  readonly metrics: Metrics;
  /** The server that changed last: clients on it may be affected, because it was drained or is down. */
  readonly serverChanges: Pick<Topic<ServerFacts | undefined>, 'subscribe'>;
  /** The addresses that a server which registered itself may have; `undefined` for all others. */
  readonly addressGuard: (id: ServerId) => AddressGuard | undefined;
  /** Answers may be given. */
  readonly answers: StartupGate;
  /** Clients may wait and get servers: the state of the last run is loaded, and with it the waiting line. */
  readonly sessions: StartupGate;
  /** Absent: it is the only session server of its fleet. */
  readonly leading?: { readonly watch: ReplicaWatch; readonly signIns: SharedSignIns; readonly port: EdgePort };
  /** Absent: this is not the demo. */
  readonly demo?: Demo;
}

/** The pages, the client package and the reader of calendars, which the edge uses without knowing them. */
export interface Pages {
  readonly monitor: { readonly assets: PageAssets; readonly pages: MonitorPages };
  readonly visitors: { readonly assets: VisitorAssets; readonly render: RenderVisitorPages & { readonly demo: RenderDemoPage } };
  readonly classes: { readonly assets: PageAssets; readonly render: RenderClassPage };
  readonly client: ClientAssets;
  readonly reference: ReferencePage;
  readonly calendars: CalendarReader;
}

export interface Edge {
  readonly port: number;
  /** Absent: the gateway is switched off. */
  readonly gateway: { readonly port: number | undefined; readonly redirectPort: number | undefined } | undefined;
  /** Applies changed settings that are not read at each use. */
  reconfigure(): void;
  /** Disconnects all clients within `grace` seconds. */
  close(grace: number): Promise<void>;
}

/** Throws the `listen` error of the port. */
export async function startEdge(options: EdgeOptions, pages: Pages): Promise<Edge> {
  const closers = new Closers();
  try {
    return await assemble(options, pages, closers);
  } catch (error) {
    await closers.close(0);
    throw error;
  }
}

/** What was started, and how it is stopped: at the end, or when a later part fails to start. */
class Closers {
  readonly #closers: ((grace: number) => unknown)[] = [];

  add(close: (grace: number) => unknown): void {
    this.#closers.push(close);
  }

  /** All at once; clients have `grace` seconds. */
  async close(grace: number): Promise<void> {
    await Promise.all(this.#closers.map((close) => close(grace)));
  }
}

/** What all listeners have in common. */
type SharedListening = Pick<HttpServerOptions, 'handle' | 'upgrade' | 'maxClients' | 'places' | 'turnedAway'>;

/** What the routes and sockets are built from. */
interface Parts {
  readonly options: EdgeOptions;
  readonly closers: Closers;
  readonly addressOf: AddressOf;
  readonly gateway: Gateway | undefined;
  readonly port: () => number;
}

async function assemble(options: EdgeOptions, pages: Pages, closers: Closers): Promise<Edge> {
  const { settings, poller, metrics, leading } = options;
  const maxima = connectionMaxima(options);
  const addresses = leading?.port.addresses ?? clientAddresses(settings);
  const addressOf = addresses.of;
  /** Filled below; the metrics and the cookie's name are read later. */
  const own: { server?: Pick<HttpServer, 'port' | 'connections'>; sockets?: Sockets } = {};
  const connections = () => own.server?.connections() ?? 0;
  addGauges(metrics.registry, {
    ...options,
    availability: options.prospects.availability,
    waiting: () => options.queue.length,
    notifying: () => options.notifying.statistics(),
    longestWait: () => options.line.longestWait(options.clock.now()),
    meanLoad: () => meanLoad(poller.servers()),
    connections,
    sockets: () => own.sockets?.count() ?? 0,
    limits: () => ({
      clients: maxima.clients(),
      descriptors: maxima.descriptors,
      metricsServers: settings().limits.metricsServers,
    }),
  });
  if (leading !== undefined) addReplicaMetrics(metrics.registry, leading.watch.replication);
  const gateway = await gatewayIfEnabled(options, { addressOf, registry: metrics.registry, maxRelays: maxima.relays });
  if (gateway !== undefined) options.sessionList.addGateway(gateway.sessions);
  closers.add((grace) => gateway?.close(grace));
  const parts: Parts = { options, closers, addressOf, gateway, port: () => own.server?.port ?? settings().port };
  const handle = refuseLostUpgrades(toListener(routesOf(parts, pages)), options.log);
  own.sockets = leading?.port.sockets ?? socketsOf(parts, maxima.clients);
  const shared: SharedListening = {
    ...{ handle, upgrade: own.sockets.upgrade, maxClients: maxima.clients },
    places: {
      peerKey: addresses.peerKey,
      isPrivileged: (request) => addressOf(request).limitKey === undefined || isOfHolder(request, settings().admin.tokens),
      shares: leading?.port.shares ?? new PerClientCounts(),
    },
    turnedAway: (why, request) => reportTurnedAway(parts, why, addressOf(request as IncomingMessage).address, maxima.clients()),
  };
  own.server = leading === undefined ? await listen(parts, shared) : serveOn(leading.port, parts, shared);
  await gateway?.start({ ...shared, otherConnections: connections });
  options.serverChanges.subscribe((facts) => {
    if (facts !== undefined) gateway?.serverChanged(facts, poller.state(facts));
  });
  return {
    port: own.server.port,
    gateway: gateway && { port: gateway.port(), redirectPort: gateway.redirectPort() },
    reconfigure: () => addresses.reconfigure(),
    close: (grace) => closers.close(grace),
  };
}

/** How many clients and relays this process may have, given its file descriptors and the size of the fleet. */
function connectionMaxima({ settings, poller }: EdgeOptions) {
  const descriptors = readDescriptorLimit();
  const relays = () =>
    settings().gateway.enabled ? budgetRelays(descriptors, poller.size, settings().gateway.limits.relays) : 0;
  const clients = () => budgetDescriptors(descriptors, poller.size + relays(), settings().limits.clients).clients;
  return { descriptors, relays, clients };
}

function reportTurnedAway({ options }: Parts, why: TurnedAway, address: string, max: number): void {
  options.metrics.turnedAway(why);
  if (why === 'too-many-of-address') {
    const text = `connections of ${address} are turned away: it has half of the ${max} that are possible (limits.clients, file descriptors)`;
    options.log.limited('warn', why, text, { address });
    return;
  }
  options.log.limited(
    'warn',
    why,
    `clients are turned away: ${max} connections are open, which is the maximum (limits.clients, file descriptors)`,
  );
}

function routesOf(parts: Parts, { monitor, visitors, classes, client, reference, calendars }: Pages) {
  const { options, closers, addressOf, gateway } = parts;
  const { clock, newId, log, settings, poller, metrics, answers, sessions, leading } = options;
  let stopping = false;
  const access = accessOf(parts);
  const source = monitorSource(options);
  const { mayRead, readsOn } = access;
  const events = createMonitorEvents({ source, clock, newId, log, addressOf, mayRead, readsOn });
  const rules = () => settings().registration;
  const register = createRegisterRoutes({ addressOf, clock, log, registered: options.registered, rules });
  closers.add(() => {
    stopping = true;
  });
  closers.add(() => events.stop());
  const visitorOptions = visitorOptionsOf(options, visitors, access);
  const visitorPages = createVisitorPages(visitorOptions);
  const groups = [
    createLegacyRoutes({
      ...{ requests: options.requests, queue: options.queue, availability: options.prospects.availability },
      ...{ gateway, answers, sessions, addressOf, pages: visitorPages },
      meanLoad: () => meanLoad(poller.servers()),
      hold: () => settings().waiting.hold,
    }),
    createHealthRoutes({
      ...{ isReady: answers.isReady, isStopping: () => stopping },
      reachesStore: leading && (() => leading.watch.replication().reachesStore),
    }),
    createMetricsRoutes({ registry: metrics.registry, mayRead, clock }),
    access.routes,
    register.form,
    events.routes,
    createMonitorRoutes({
      ...{ source, clock, access, ...monitor },
      title: () => settings().monitor.title,
      hasTokens: () => settings().admin.tokens.length > 0,
    }),
    createCalendarRoutes({ clock, reservations: options.reservations, tokens: () => settings().admin.tokens }),
    createClassRoutes({ ...classes, reservations: options.reservations, languages: () => settings().languages, addressOf }),
    createVisitorRoutes(visitorOptions, visitorPages),
    ...demoRoutes(options, visitors, visitorOptions),
    createClientRoutes(client),
    apiOf(parts, access, source, register.api, { reference, calendars }),
  ];
  return createRoutes({ log, groups });
}

function accessOf({ options, addressOf, port }: Parts): Access {
  const { clock, newId, log, settings, leading } = options;
  return createAccess({
    ...{ addressOf, clock, newId, log, shared: leading?.signIns },
    // Replicas have ports of their own, and one cookie.
    port: () => (leading === undefined ? port() : 0),
    tokens: () => settings().admin.tokens,
    reading: () => settings().monitor.access,
    origin: () => settings().monitor.origin,
    sharesSite: () => settings().portRewrite || settings().gateway.enabled,
  });
}

function monitorSource(options: EdgeOptions): MonitorSource {
  const { monitorViews, history, reservations } = options;
  return {
    snapshot: () => monitorViews.snapshot(),
    history: (query) => history.query(query),
    sparklines: () => history.sparklines(),
    ...timelineSource(options),
    reserved: (time, step) => reservations.seatsOverTime(time, step),
  };
}

/** What a server in the view of visitors costs, as bytes of a list that would cost as much to write. */
const VIEWED_SERVER = 50;

function visitorOptionsOf(
  { clock, settings, poller, monitorViews, demo }: EdgeOptions,
  visitors: Pages['visitors'],
  access: Access,
) {
  return {
    ...visitors,
    fleet: createThrottledValue(clock, () => {
      const states = Array.from(poller.servers(), (facts) => poller.state(facts));
      return { value: visitorView(monitorViews.fleet(), states), bytes: states.length * VIEWED_SERVER };
    }),
    site: () => settings().monitor.title,
    languages: () => settings().languages,
    isReader: access.isReader,
    hasTokens: () => settings().admin.tokens.length > 0,
    demo: demo !== undefined,
  };
}

function demoRoutes({ demo }: EdgeOptions, { render }: Pages['visitors'], options: ReturnType<typeof visitorOptionsOf>) {
  if (demo === undefined) return [];
  return [
    createDemoRoutes({
      ...{ demo, render: render.demo },
      page: (c) => pageFor(c, options),
      languages: (c) => languagesFor(c, options),
    }),
  ];
}

function apiOf(
  { options, closers, addressOf, gateway }: Parts,
  { mayRead, mayAct, mayReserve, maySeeReservations }: Access,
  source: MonitorSource,
  registration: RegisterRoutes['api'],
  { reference, calendars }: Pick<Pages, 'reference' | 'calendars'>,
) {
  const { clock, newId, log, version, settings, requests, queue, monitorViews, operatorActions, sessions } = options;
  const sent: SentToServer = (...arrival) => gateway?.sent(...arrival);
  const tickets = new SessionTickets({ requests, queue, clock, newId, log, resume: () => settings().waiting.resume });
  closers.add(() => tickets.stop());
  return createApi({
    version,
    reference,
    groups: [
      createSessionsApi({ tickets, addressOf, sent, ...sessions, bodyBytes: () => settings().limits.bodyBytes }),
      createApiRoutes({
        ...{ source, clock, addressOf, mayRead },
        availability: () => monitorViews.fleet(),
        explain: (url, labels) => explainView(explainSource(options), url, labels),
      }),
      createHistoryRoutes({ source, clock, mayRead }),
      createReplicaRoutes({ view: () => options.leading?.watch.view(), mayRead }),
      createAdminRoutes({
        ...{ actions: operatorActions, clock, mayAct },
        projectHosts: () => settings().projects.otherHosts,
      }),
      createFleetRoutes({
        ...{ actions: operatorActions, plan: options.maintenance, clock, mayRead, mayAct },
        serversWith: (label) => options.membership.withLabel(label),
      }),
      createSessionRoutes({
        ...{ clock, mayRead, mayAct, actions: options.sessionActions },
        waiting: (max) => options.waitingList.list(max),
        sessions: (max, server) => options.sessionList.list(max, server),
      }),
      createReservationRoutes({
        ...{ reservations: options.reservations, mayReserve, maySeeReservations, calendars, clock },
        projectHosts: () => settings().projects.otherHosts,
      }),
      createRehearsalRoutes({
        ...{ reservations: options.reservations, rehearsals: options.rehearsals, mayReserve },
        projectHosts: () => settings().projects.otherHosts,
      }),
      createClassesApi({ reservations: options.reservations, addressOf }),
      registration,
    ],
  });
}

function socketsOf({ options, closers, addressOf, gateway }: Parts, maxSockets: () => number): Sockets {
  const { clock, log, settings, queue, prospects, monitorViews, answers, sessions } = options;
  const bufferBytes = () => settings().limits.bufferBytes;
  const whyClosed = () => {
    const { open, availability: sentence } = monitorViews.fleet();
    return open ? undefined : sentence;
  };
  const availability = createAvailabilitySocket({
    ...{ clock, log, bufferBytes, availability: prospects.availability, ready: answers.ready },
  });
  const sockets = createSockets({
    ...{ clock, log, bufferBytes, addressOf, maxSockets, subprotocols: [SESSION_PROTOCOL] },
    allowedOrigins: () => settings().allowedOrigins,
    handlers: {
      '/': availability.handler,
      '/session': createSessionSocket({
        ...{ queue, log, ready: sessions.ready, addressOf, bufferBytes, whyClosed },
        sent: (...arrival) => gateway?.sent(...arrival),
      }),
    },
    relayOf: (path) => gateway?.socketHandlerOf(path),
  });
  closers.add(() => availability.stop());
  closers.add((grace) => sockets.close(grace));
  return sockets;
}

async function listen({ options, closers, addressOf, gateway }: Parts, shared: SharedListening): Promise<HttpServer> {
  const { limits, port, listen: host } = options.settings();
  const server = await startHttpServer({
    ...{ ...shared, host, port, limits, addressOf },
    otherConnections: () => gateway?.connections() ?? 0,
  });
  closers.add((grace) => server.close(grace));
  return server;
}

/** On the port of the replica, which stays open. */
function serveOn(port: EdgePort, parts: Parts, { handle, maxClients }: SharedListening): EdgePort {
  const { closers, gateway } = parts;
  const stop = port.serve({
    ...{ handle, maxClients },
    relayOf: (path) => gateway?.socketHandlerOf(path),
    sent: (...arrival) => gateway?.sent(...arrival),
    turnedAway: (why, address) => reportTurnedAway(parts, why, address, maxClients()),
    otherConnections: () => gateway?.connections() ?? 0,
  });
  closers.add(stop);
  return port;
}

/** The gateway is not even loaded while it is switched off. */
async function gatewayIfEnabled(
  { clock, newId, log, settings, queue, poller, notifying, addressGuard, sessions, reservations }: EdgeOptions,
  more: { readonly addressOf: AddressOf; readonly registry: Metrics['registry']; readonly maxRelays: () => number },
): Promise<Gateway | undefined> {
  if (!settings().gateway.enabled) return undefined;
  const { createGateway } = await import('./gateway/gateway.ts');
  return createGateway({
    ...{ clock, newId, log, settings, queue, ready: sessions.ready, ...more },
    addressGuard,
    endpoint: (id) => poller.facts(id)?.endpoint,
    isEndDue: (bookingId) => reservations.isEndDue(bookingId),
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
