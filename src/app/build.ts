/** Builds the parts of the session server and connects them. Nothing runs yet: no port is open, no server is probed, nothing was read. */
import { readSimulationServer } from '../config/read-server.ts';
import type { Settings } from '../config/settings.ts';
import { DEFAULT_ALLOCATION, type AllocationParameters } from '../core/allocation/allocation-parameters.ts';
import { Ledger } from '../core/allocation/ledger.ts';
import type { Endpoint, ServerId } from '../core/fleet/endpoint.ts';
import type { Maintenance } from '../core/fleet/maintenance.ts';
import type { FleetRules, ServerFacts } from '../core/fleet/fleet.ts';
import { isNetworkProved, refuseAddress, refuseIpHost } from '../core/fleet/registration.ts';
import { Router } from '../core/fleet/routing.ts';
import { insideEndpoint } from '../core/gateway/gateway-routes.ts';
import { History } from '../core/history/history.ts';
import { Timeline } from '../core/history/timeline.ts';
import { incidentRules } from '../core/incidents/incidents.ts';
import { parseProject } from '../core/fleet/project.ts';
import { AnnouncedEnds } from '../core/reservations/announced-ends.ts';
import { ReservationBook } from '../core/reservations/reservation-book.ts';
import { ReservedSeats } from '../core/reservations/reserved-seats.ts';
import { fleetClasses } from '../engine/fleet-classes.ts';
import { Reservations } from '../engine/reservations.ts';
import { TokenBuckets, type TokenBucketRules } from '../core/limits/token-bucket.ts';
import { Turns } from '../core/queue/turns.ts';
import { WaitingLine } from '../core/queue/waiting-line.ts';
import { isoTime } from '../core/text/iso-time.ts';
import { maskedAddress } from '../core/text/mail-address.ts';
import type { ChannelView } from '../core/views/monitor-view.ts';
import { RegisteredServers } from '../discovery/registered.ts';
import { createAdmission, type Admission } from '../engine/admission.ts';
import { observedBookings } from '../engine/admission-observer.ts';
import { ledgerBookings } from '../engine/bookings.ts';
import { CountedSessions } from '../engine/counted-sessions.ts';
import { Decisions } from '../engine/decisions.ts';
import { FairTurns } from '../engine/fair-turns.ts';
import { maintenanceView } from '../engine/maintenance-view.ts';
import { MaintenancePlan } from '../engine/maintenance.ts';
import { Membership } from '../engine/membership.ts';
import { MonitorViews } from '../engine/monitor-views.ts';
import { Notifying } from '../engine/notifying.ts';
import { OperatorActions } from '../engine/operator-actions.ts';
import { Poller } from '../engine/poller.ts';
import type { Prospects } from '../engine/prospects.ts';
import { Rehearsals } from '../engine/rehearsals.ts';
import { SessionActions } from '../engine/session-actions.ts';
import { SessionList } from '../engine/session-list.ts';
import { createStartupGate } from '../engine/startup-gate.ts';
import { Suspicions } from '../engine/suspicions.ts';
import { createTopic } from '../engine/topic.ts';
import { createMetrics } from '../http/metrics.ts';
import { readDescriptorLimit } from '../http/server/descriptors.ts';
import type { AddressGuard, Probe } from '../ports.ts';
import { checkAnnounced } from '../probes/announced.ts';
import { createGuardedLookup } from '../probes/guarded-lookup.ts';
import type { Adapters, Environment, ProbeSettings } from './adapters.ts';
import { createFleetEvents, recordDecision, type FleetEvents } from './events.ts';
import type { Chosen } from './settings-keys.ts';

export type Parts = ReturnType<typeof build>;

type Core = ReturnType<typeof buildCore>;
type Fleet = ReturnType<typeof buildFleet>;

/** Addresses whose request rate is remembered. */
const MAX_ADDRESSES = 100_000;
/** Incidents that the page lists. */
const MAX_INCIDENTS = 200;

export function build(initial: Settings, environment: Environment, adapters: Adapters) {
  const core = buildCore(initial, environment);
  // Events start only after everything is built, so they may reach parts that are created later.
  const fleet = buildFleet(core, adapters, (): FleetEvents => events);
  const classes = buildReservations(core, fleet, () => {
    queue.refresh();
  });
  const admission: Admission = buildAdmission(core, fleet, classes, (): MonitorViews => monitorViews);
  const { queue, prospects } = admission;
  const sessionList = buildSessionList(core, fleet);
  const monitorViews = buildMonitorViews(core, fleet, {
    prospects,
    reservations: classes.reservations,
    counted: classes.counted,
    sessions: sessionList,
    maintenance: () => maintenance.planned,
  });
  const registered = buildRegistered(core, fleet);
  const operatorActions = buildOperatorActions(core, fleet, registered);
  const maintenance: MaintenancePlan = buildMaintenance(core, fleet, operatorActions);
  const sessionActions = buildSessionActions(core, queue, sessionList);
  const { reservations, counted, rehearsals } = classes;
  const operators = { monitorViews, registered, operatorActions, maintenance, sessionList, sessionActions };
  const parts = { ...core, ...fleet, ...admission, ...operators, reservations, rehearsals, counted };
  const events = createFleetEvents({ ...parts, descriptors: readDescriptorLimit() });
  return parts;
}

/** What depends on no other part. */
function buildCore(initial: Settings, environment: Environment) {
  const { clock, random } = environment;
  const current = { settings: initial };
  const metrics = createMetrics();
  const history = new History();
  const turns = new Turns();
  return {
    ...environment,
    current,
    settings: (): Settings => current.settings,
    startedAt: clock.wallTime(),
    metrics,
    history,
    timeline: new Timeline(),
    ledger: new Ledger(allocationParameters(initial), random),
    router: new Router(),
    turns,
    line: new WaitingLine(initial.waiting, environment.leading?.admission.line, (turn) => turns.running(turn)),
    buckets: new TokenBuckets(bucketRules(initial)),
    decisions: new Decisions((decision) => {
      recordDecision(decision, metrics, history);
      environment.decided?.(decision);
    }),
    /** The server of which something changed last. */
    serverChanges: createTopic<ServerFacts | undefined>(undefined),
    /** The version of the servers that registered themselves. */
    registrations: createTopic(0),
    /** Moves on when something has to be saved that is not reported again. */
    urgentChanges: createTopic(0),
    /** Clients are answered. */
    answers: createStartupGate(),
    /** Clients can wait and get servers. */
    sessions: createStartupGate(),
  };
}

function buildFleet(core: Core, adapters: Adapters, events: () => FleetEvents) {
  const { clock, random, newId, log, settings, ledger, router, leading } = core;
  const initial = settings();
  const addressGuard = createAddressGuards(core, (id) => membership.get(id)?.source === 'registered');
  const createProbe = (chosen: ProbeSettings): Probe => adapters.createProbe(chosen, core, (id) => addressGuard(id)?.lookup);
  const poller: Poller = new Poller({
    ...{ clock, random, log },
    probe: createProbe(initial),
    rules: fleetRules(initial),
    interval: initial.pollInterval,
    events: {
      sampled: (...sample) => {
        events().sampled(...sample);
      },
      missed: (...miss) => {
        events().missed(...miss);
      },
      changed: (...change) => {
        events().changed(...change);
      },
      added: (facts) => {
        events().added(facts);
      },
      ...(leading !== undefined && {
        probed: (...ended) => {
          leading.polling.probed(...ended);
        },
      }),
    },
  });
  const notifying = new Notifying({
    ...{ clock, random, newId, log },
    rules: incidentRules(initial.pollInterval),
    loadOf: (id) => poller.facts(id)?.load,
  });
  const membership: Membership = new Membership({
    ...{ poller, ledger, router },
    changed: (ids) => {
      events().fleetChanged(ids);
    },
    removed: (id) => {
      events().removed(id);
    },
    countsSessions: (endpoint) => countsSessions(settings(), endpoint),
  });
  const suspicions = new Suspicions({ ledger, notifying, log, addressOf: (id) => poller.facts(id)?.endpoint.address });
  return { addressGuard, createProbe, poller, notifying, membership, suspicions };
}

type ReservationParts = ReturnType<typeof buildReservations>;

function buildReservations(core: Core, { poller, notifying }: Fleet, changed: () => void) {
  const { clock, newId, log, router, line, ledger, settings, urgentChanges } = core;
  const read = (url: string) => parseProject(url, { otherHosts: settings().projects.otherHosts });
  const projectOf = (url: string | undefined) => {
    const result = url === undefined ? undefined : read(url);
    return result?.kind === 'project' ? result.project : undefined;
  };
  const keyOf = (url: string) => projectOf(url)?.key;
  const target = () => settings().allocation.target;
  const takesSessions = (id: ServerId) => {
    const facts = poller.facts(id);
    const state = facts && poller.state(facts);
    return state !== undefined && state !== 'draining' && state !== 'down';
  };
  const eligible = ({ project }: { readonly project?: string }) => router.eligible(projectOf(project)).filter(takesSessions);
  const book = new ReservationBook(keyOf);
  const counted = new CountedSessions({ clock, ledger, sessionLength: () => settings().allocation.sessionLength, target });
  const ends = new AnnouncedEnds();
  const seats = new ReservedSeats({
    ...{ ledger, book, eligible, keyOf, ends },
    keepsEnds(id) {
      const endpoint = settings().reservations.announcedEnds ? poller.facts(id)?.endpoint : undefined;
      return endpoint !== undefined && countsSessions(settings(), endpoint);
    },
    parameters: () => ({ target: target(), lengths: counted.lengthForReserve() }),
    lengthsOf: (project) => counted.lengthForReserve(project),
  });
  const { leading } = core;
  const reservations = new Reservations({
    ...{ clock, log, newId, book, seats, counted, ledger, eligible, keyOf, target, changed },
    ...(leading !== undefined && { committed: () => leading.journal.collected() }),
    waiting: (id) => line.lengthOf(id),
    notify: (kind, { id, start }, reason) => {
      notifying.send(kind, [{ id, address: `the class at ${isoTime(start)}`, reason }]);
    },
    saveSoon: () => {
      urgentChanges.publish(urgentChanges.value + 1);
    },
  });
  const rehearsals = new Rehearsals({
    ...{ clock, ledger, history: core.history, counted, eligible, keyOf },
    parameters: () => allocationParameters(settings()),
  });
  return { book, seats, counted, ends, reservations, rehearsals };
}

function buildAdmission(
  core: Core,
  { poller, membership }: Fleet,
  { book, seats, counted, ends, reservations }: ReservationParts,
  monitorViews: () => MonitorViews,
): Admission {
  const { clock, newId, log, router, line, buckets, decisions, ledger, settings, leading } = core;
  const bookings = ledgerBookings(
    ledger,
    clock,
    (id) => {
      membership.booked(id);
    },
    {
      seats,
      began: (bookingId) => {
        counted.began(bookingId);
        ends.began(bookingId);
      },
      left: (bookingId) => {
        counted.ended(bookingId);
        ends.left(bookingId);
        book.leave(bookingId);
      },
      wallTime: () => clock.wallTime(),
    },
  );
  return createAdmission({
    ...{ clock, newId, log, router, line, buckets, decisions },
    bookings: leading === undefined ? bookings : observedBookings(bookings, leading.admission.bookings),
    outcomeObserver: leading?.admission.outcomes,
    ...(leading !== undefined && { isGone: leading.isGone }),
    classes: reservations,
    ...(settings().fairness.order === 'turns' && { turns: buildTurns(core) }),
    settings: () => {
      const { handOutSsl, projects, allocation, waiting } = settings();
      return { handOutSsl, otherHosts: projects.otherHosts, settle: allocation.settle[1], resume: waiting.resume };
    },
    endpoint: (id) => poller.facts(id)?.endpoint,
    explain: (project, labels, handOut) => monitorViews().explain(project, labels, handOut),
    costOf: (project) => ledger.fleetCost(project?.key).value,
  });
}

function buildTurns({ clock, turns, line, ledger, settings }: Core): FairTurns {
  return new FairTurns({
    ...{ clock, turns, line, by: settings().fairness.by },
    sessionLength: () => settings().allocation.sessionLength,
    isThere: (bookingId) => ledger.serverOf(bookingId) !== undefined,
  });
}

function buildSessionList({ clock, ledger }: Core, { poller }: Fleet): SessionList {
  return new SessionList({ clock, ledger, endpoints: () => Array.from(poller.servers(), ({ endpoint }) => endpoint) });
}

function buildSessionActions({ log, ledger }: Core, queue: Admission['queue'], sessions: SessionList): SessionActions {
  return new SessionActions({ log, queue, sessions, serverOf: (bookingId) => ledger.serverOf(bookingId) });
}

/** What the monitor shows besides the fleet. */
interface Shown {
  readonly prospects: Prospects;
  readonly reservations: Reservations;
  readonly counted: CountedSessions;
  readonly sessions: SessionList;
  readonly maintenance: () => readonly Maintenance[];
}

function buildMonitorViews(
  core: Core,
  { poller, membership, notifying }: Fleet,
  { prospects, reservations, counted, sessions, maintenance }: Shown,
): MonitorViews {
  const { clock, ledger, router, line, decisions, settings, version, startedAt } = core;
  return new MonitorViews({
    ...{ clock, poller, ledger, router, line, decisions, membership, prospects, sessions },
    incidents: () => notifying.incidents(MAX_INCIDENTS),
    incidentsVersion: () => notifying.version,
    counted: (unreserved) => counted.view(unreserved),
    classes: () => fleetClasses(reservations.views()),
    seatShares: () => reservations.seatShares(),
    settings: () => {
      const { monitor, server, allocation, loadThreshold, pollInterval, ssl } = settings();
      const { target, recent } = allocation;
      return { version, startedAt, title: monitor.title, server, target, recent, loadThreshold, pollInterval, ssl };
    },
    maintenance: () => maintenance().map(maintenanceView),
    channels: () => channelViews(notifying, settings()),
    replicas: () => core.leading?.watch.view() ?? null,
  });
}

function buildOperatorActions(
  core: Core,
  { poller, membership, notifying }: Fleet,
  registered: RegisteredServers,
): OperatorActions {
  const { clock, ledger, log } = core;
  return new OperatorActions({
    ...{ clock, log, poller, membership, readServer: readSimulationServer },
    forgetCosts: (what) => ledger.forget(what, clock.now()),
    sendTest: () => notifying.test(),
    forget(id, by) {
      const facts = poller.facts(id);
      return facts !== undefined && poller.state(facts) === 'down' && registered.leave(id, `${by} removed it`);
    },
  });
}

function buildMaintenance(core: Core, { poller, membership }: Fleet, actions: OperatorActions): MaintenancePlan {
  const { clock, log, newId, urgentChanges } = core;
  return new MaintenancePlan({
    ...{ clock, log, newId, actions },
    drainOf: (id) => poller.facts(id)?.drain,
    serversWith: (label) => membership.withLabel(label),
    saveSoon: () => {
      urgentChanges.publish(urgentChanges.value + 1);
    },
  });
}

function buildRegistered(core: Core, { poller, membership }: Fleet): RegisteredServers {
  const { clock, log, names, settings, registrations } = core;
  const registered = new RegisteredServers({
    ...{ clock, log, membership, readServer: readSimulationServer },
    check(endpoint, signal) {
      const { pollSsl, handOutSsl, pollTimeout: timeout, registration } = settings();
      const inside = insideOf(settings(), endpoint);
      const common = { timeout, names, now: () => clock.now() };
      // Every address is allowed inside: the operator wrote where the routes go.
      return inside !== undefined
        ? checkAnnounced(inside, { ...common, pollSsl: false, handOutSsl: false, refuseAddress: () => undefined }, signal)
        : checkAnnounced(
            endpoint,
            { ...common, pollSsl, handOutSsl, refuseAddress: (ip) => refuseAddress(ip, registration) },
            signal,
          );
    },
    refuse: (endpoint) =>
      insideOf(settings(), endpoint) === undefined ? refuseIpHost(endpoint.host, settings().registration) : undefined,
    downSince(id) {
      const facts = poller.facts(id);
      return facts !== undefined && poller.state(facts) === 'down' ? facts.failedSince : undefined;
    },
    isNetworkProved: () => isNetworkProved(Array.from(poller.servers(), hostAndSuccess)),
    rules: () => ({ ...settings().registration, enabled: settings().registration.token !== undefined }),
    changed: () => {
      registrations.publish(registered.version);
    },
  });
  return registered;
}

/** Where the gateway's routes send connections to it; `undefined`: directly to it. */
function insideOf(
  { gateway, server }: Chosen<'gateway.enabled' | 'gateway.routes' | 'server'>,
  endpoint: Endpoint,
): Endpoint | undefined {
  return gateway.enabled ? insideEndpoint(gateway.routes, endpoint, server) : undefined;
}

/** Whether the beginning and the end of each session of the server are known: the gateway sees them only where it relays `/client` itself. */
export function countsSessions(settings: Settings, endpoint: Endpoint): boolean {
  return settings.waiting.relay && insideOf(settings, endpoint) !== undefined;
}

/** Guards of servers that registered themselves. Applied to each connection, so that a name cannot resolve to a forbidden address later. */
export function createAddressGuards(
  { settings, names }: Pick<Core, 'settings' | 'names'>,
  isRegistered: (id: ServerId) => boolean,
) {
  const refuse = (ip: string) => refuseAddress(ip, settings().registration);
  const guard: AddressGuard = { refuse, lookup: createGuardedLookup(refuse, names.lookup) };
  return (id: ServerId): AddressGuard | undefined => (isRegistered(id) ? guard : undefined);
}

function hostAndSuccess({ endpoint, failures, load }: ServerFacts): { host: string; responds: boolean } {
  return { host: endpoint.host, responds: failures === 0 && load !== undefined };
}

/** The notification channels, as the page may show them. */
function channelViews(notifying: Notifying, { monitor: { access } }: Settings): readonly ChannelView[] {
  return notifying.channels().map(({ name, recipient }) => ({
    notifier: name,
    recipient: recipient === undefined ? null : access === 'open' ? maskedAddress(recipient) : recipient,
  }));
}

export function allocationParameters({
  allocation,
  loadThreshold,
}: Chosen<'allocation' | 'loadThreshold'>): AllocationParameters {
  return { ...allocation, threshold: loadThreshold, margin: DEFAULT_ALLOCATION.margin };
}

type FleetSettings = Chosen<'loadThreshold' | 'downAfter' | 'allocation.target' | 'allocation.recent'>;

export function fleetRules({ loadThreshold, downAfter, allocation: { target, recent } }: FleetSettings): FleetRules {
  return { loadThreshold, downAfter, target, recent };
}

type LimitSettings = Chosen<'limits.rateBurst' | 'limits.ratePerSecond'>;

export function bucketRules({ limits: { rateBurst, ratePerSecond } }: LimitSettings): TokenBucketRules {
  return { burst: rateBurst, rate: ratePerSecond, maxKeys: MAX_ADDRESSES };
}
