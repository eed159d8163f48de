/**
 * The composition root: from settings to a running session server, in order; reload by section; stop in reverse. The only file that knows all the others.
 */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { readSimulationServer } from './config/read-server.ts';
import { compareSettings, inForce } from './config/reload.ts';
import type { Settings } from './config/settings.ts';
import { configuredNotifiers } from './configured-notifiers.ts';
import { DEFAULT_ALLOCATION, type AllocationParameters } from './core/allocation-parameters.ts';
import type { Endpoint, ServerId } from './core/endpoint.ts';
import { fleetLoads, type FleetRules, type ServerFacts, type Transition } from './core/fleet.ts';
import { insideEndpoint } from './core/gateway-routes.ts';
import { isNetworkProved, refuseAddress, refuseFigures } from './core/registration.ts';
import { History } from './core/history.ts';
import { incidentRules } from './core/incidents.ts';
import { maskedAddress } from './core/mail-address.ts';
import { Ledger } from './core/ledger.ts';
import type { ChannelView } from './core/monitor-view.ts';
import { Router } from './core/routing.ts';
import { TokenBuckets, type TokenBucketRules } from './core/token-bucket.ts';
import { WaitingLine } from './core/waiting-line.ts';
import { Admission } from './engine/admission.ts';
import { createBeginning } from './engine/beginning.ts';
import { RegisteredServers } from './discovery/registered.ts';
import { Decisions } from './engine/decisions.ts';
import { Levers } from './engine/levers.ts';
import { Membership } from './engine/membership.ts';
import { Notifying } from './engine/notifying.ts';
import { Overview } from './engine/overview.ts';
import { Poller } from './engine/poller.ts';
import { restoreHistory, startHistoryKeeping } from './engine/history-keeping.ts';
import { createRecalling } from './engine/recalling.ts';
import { startRecording } from './engine/recording.ts';
import { startRemembering } from './engine/remembering.ts';
import { stateDocuments, takeUp } from './state-documents.ts';
import { Suspicions } from './engine/suspicions.ts';
import { lackOfDescriptors, readDescriptorLimit } from './http/descriptors.ts';
import { startEdge, type Edge, type EdgeOptions } from './http/edge.ts';
import { readMonitorAssets } from './http/monitor-assets.ts';
import type { MonitorPages } from './http/monitor-routes.ts';
import type { AddressGuard, Clock, HistoryFile, Log, NameLookup, NewId, Notifier, Probe, Random, StateStore } from './ports.ts';
import { checkAnnounced } from './probes/announced.ts';
import { createGuardedLookup } from './probes/guarded-lookup.ts';
import { createLoadProbe, type LoadProbeOptions } from './probes/load.ts';
import { createRoutedProbe } from './probes/routed.ts';
import { packageRoot } from './package-root.ts';
import { createFileStore } from './stores/file.ts';
import { createHistoryFile } from './stores/history-file.ts';
import { createMemoryBookings } from './stores/memory.ts';

export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly log: Log;
  readonly names: NameLookup;
  readonly version: string;
}

/** What touches the outside. Simulations of whole days hand in others. */
export interface Adapters {
  readonly createProbe: (settings: Settings, surroundings: Surroundings, guard?: Guard) => Probe;
  readonly createStore: (settings: Settings, log: Log) => StateStore;
  /** Absent: the history of the charts is not kept. */
  readonly createHistoryFile?: (settings: Settings) => HistoryFile;
  readonly createNotifiers: (settings: Settings, surroundings: Surroundings) => Notifier[];
  readonly startEdge: (options: EdgeOptions) => Promise<Edge>;
}

type Guard = NonNullable<LoadProbeOptions['guard']>;

/** The page is loaded when somebody looks at it: it takes a tenth of the memory of an idle session server. */
const pages: MonitorPages = {
  monitor: async (...page) => (await import('./web/render.ts')).renderMonitorPage(...page),
  entrance: async (...page) => (await import('./web/render.ts')).renderEntrancePage(...page),
};

export const realAdapters: Adapters = {
  createProbe: loadProbe,
  createStore: ({ stateDir: folder }, log) => createFileStore({ folder, log }),
  createHistoryFile: ({ stateDir }) => createHistoryFile(stateDir),
  createNotifiers: configuredNotifiers,
  async startEdge(options) {
    const assets = await readMonitorAssets(join(packageRoot, 'dist', 'web'));
    return startEdge(options, { assets, pages });
  },
};

export interface App {
  /** Port listened on. */
  readonly port: number;
  /** Ports of the gateway; absent when it is switched off. */
  readonly gateway: Edge['gateway'];
  /** Puts new settings in force without dropping a socket. Returns the keys that need a restart. */
  reload(settings: Settings): Promise<readonly string[]>;
  /** Answers what is in flight, says good-bye to the sockets, writes down what must survive. Takes less than 2 s. */
  stop(): Promise<void>;
}

/** Seconds after which answers are given even if not every server was heard: what has not answered by then is unknown, not idle. */
const FIRST_ANSWERS = 1;
/** Seconds that clients have to take what is in flight at the end, and notifiers to send what waits. */
const GRACE = 1.2;
const MOST_ADDRESSES = 100_000;

/** Throws the `listen` error of the port; everything else that is wrong with the outside is told in the log. */
export async function startApp(initial: Settings, surroundings: Surroundings, adapters: Adapters = realAdapters): Promise<App> {
  const { clock, random, newId, log, names, version } = surroundings;
  let settings = initial;
  const startedAt = clock.wallTime();
  const recalling = createRecalling(
    { store: adapters.createStore(settings, log), historyFile: adapters.createHistoryFile?.(settings) },
    { clock, log },
  );
  const { store, historyFile } = recalling.memory;

  const ledger = new Ledger(allocationParameters(settings), random);
  const router = new Router();
  const line = new WaitingLine(settings.waiting);
  const buckets = new TokenBuckets(bucketRules(settings));
  const history = new History();
  const decisions = new Decisions((decision) => {
    edge.metrics.waited(decision.waited, decision.kind);
    if (decision.kind !== 'allocated') return;
    if (decision.server === undefined) return;
    history.handedOut(decision.server, decision.at);
  });
  const notifying = new Notifying({
    ...{ clock, random, newId, log, store },
    rules: incidentRules(settings.pollInterval),
    loadOf: (id) => poller.facts(id)?.load,
  });
  const suspicions = new Suspicions({ ledger, notifying, log, addressOf: (id) => poller.facts(id)?.endpoint.address });

  const refuseRegistered = (ip: string) => refuseAddress(ip, settings.registration);
  const guarded: AddressGuard = { refuse: refuseRegistered, lookup: createGuardedLookup(refuseRegistered, names.lookup) };
  // Asked at each connection, so that a name of a registered server cannot lead elsewhere later.
  const addressGuard = (id: ServerId) => (membership.get(id)?.source === 'registered' ? guarded : undefined);
  const guard: Guard = (id) => addressGuard(id)?.lookup;
  const poller: Poller = new Poller({
    ...{ clock, random, log },
    probe: adapters.createProbe(settings, surroundings, guard),
    rules: fleetRules(settings),
    interval: settings.pollInterval,
    events: {
      sampled(id, load, at, latency) {
        ledger.report(id, load, at);
        history.sampled(id, clock.wallTime(), load, ledger.booked(id));
        edge.metrics.probed(latency);
        suspicions.look();
      },
      missed(id, at) {
        ledger.miss(id, at);
        history.failed(id);
      },
      changed(facts, transition) {
        if (transition !== undefined) changedState(facts, transition);
        else membership.route(facts);
        edge.serverChanged(facts);
        if (facts.drain === undefined) levers.resumed(facts.endpoint.id);
        admission.refresh();
      },
      added: (facts) => levers.joined(facts.endpoint.id),
    },
  });
  const descriptors = readDescriptorLimit();
  const membership = new Membership({
    ...{ poller, ledger, router },
    changed(ids) {
      const lack = lackOfDescriptors(descriptors, ids.length);
      if (lack !== undefined) log.limited('warn', 'descriptors', lack);
      history.fleetIs(ids);
      admission.refresh();
    },
    countsSessions: (endpoint) => insideOf(endpoint) !== undefined,
    removed(id) {
      notifying.removed(id);
      decisions.forget(id);
    },
  });
  const admission: Admission = new Admission({
    ...{ clock, newId, log, router, line, buckets, decisions },
    bookings: createMemoryBookings(ledger, clock, (id) => membership.booked(id)),
    settings: () => ({
      handOutSsl: settings.handOutSsl,
      otherHosts: settings.projects.otherHosts,
      settle: settings.allocation.settle[1],
      resume: settings.waiting.resume,
    }),
    endpoint: (id) => poller.facts(id)?.endpoint,
    explain: (project, labels, handOut) => overview.explain(project, labels, handOut),
    costOf: (project) => ledger.fleetCost(project?.key).value,
  });
  const overview = new Overview({
    ...{ clock, poller, ledger, router, line, decisions, membership, admission },
    incidents: () => notifying.incidents(200),
    incidentsVersion: () => notifying.version,
    settings: () => ({
      ...{
        version,
        startedAt,
        title: settings.monitor.title,
        server: settings.server,
        target: settings.allocation.target,
        loadThreshold: settings.loadThreshold,
      },
      ...{ pollInterval: settings.pollInterval, recent: settings.allocation.recent, ssl: settings.ssl },
    }),
    channels: () => channelViews(notifying, settings),
  });
  const levers = new Levers({
    ...{ clock, log, store, poller, membership, readServer: readSimulationServer },
    sendTest: () => notifying.test(),
    forget(id, by) {
      const facts = poller.facts(id);
      return facts !== undefined && poller.state(facts) === 'down' && registered.leave(id, `${by} removed it`);
    },
  });

  /** Before anything is remembered there is nothing to hurry. */
  let hurry: () => void = () => undefined;
  const insideOf = (endpoint: Endpoint) =>
    settings.gateway.enabled ? insideEndpoint(settings.gateway.routes, endpoint, settings.server) : undefined;
  const registered = new RegisteredServers({
    ...{ clock, log, membership, readServer: readSimulationServer },
    check(endpoint, signal) {
      const { pollSsl, handOutSsl, pollTimeout: timeout } = settings;
      const inside = insideOf(endpoint);
      const common = { timeout, names, now: () => clock.now() };
      // Where the routes lead is what the operator wrote.
      return inside !== undefined
        ? checkAnnounced(inside, { ...common, pollSsl: false, handOutSsl: false, refuseAddress: () => undefined }, signal)
        : checkAnnounced(endpoint, { ...common, pollSsl, handOutSsl, refuseAddress: refuseRegistered }, signal);
    },
    refuse: (endpoint) => (insideOf(endpoint) === undefined ? refuseFigures(endpoint.host, settings.registration) : undefined),
    downSince(id) {
      const facts = poller.facts(id);
      return facts !== undefined && poller.state(facts) === 'down' ? facts.failedSince : undefined;
    },
    isNetworkProved: () =>
      isNetworkProved(
        Array.from(poller.servers(), ({ endpoint, failures, load }) => ({
          host: endpoint.host,
          heard: failures === 0 && load !== undefined,
        })),
      ),
    rules: () => ({ ...settings.registration, enabled: settings.registration.token !== undefined }),
    changed: () => hurry(),
  });

  const changedState = (facts: ServerFacts, transition: Transition) => {
    membership.route(facts);
    notifying.observe(transition);
    edge.metrics.transition(transition.to);
    sayTransition(log, transition);
  };

  const answers = createBeginning();
  const sessions = createBeginning();
  const answer = () => {
    if (answers.isReady()) return;
    admission.refresh();
    answers.begin();
  };
  const edge = await adapters.startEdge({
    ...{
      clock,
      newId,
      log,
      version,
      startedAt,
      settings: () => settings,
      poller,
      ledger,
      router,
      line,
      admission,
      addressGuard,
      decisions,
      overview,
      history,
      levers,
      notifying,
      registered,
    },
    answers,
    sessions,
  });

  // Listening comes first: a port that is taken is found before anything is probed, and nothing was written yet. From now on nothing delays the first answers.
  const waits = new AbortController();
  void clock.sleep(FIRST_ANSWERS, waits.signal).then(answer);
  // Before what is recalled, or whoever waited would hear that there is no server for them.
  membership.set('configured', settings.simulationServers);
  notifying.start(createNotifiers(settings));
  let isRecalled = false;
  const documents = stateDocuments({ clock, ledger, decisions, registered, admission });
  await recalling.wait(recall, () => {
    void poller.firstRound().then(() => {
      reconcileIncidents();
      admission.refresh();
    });
  });
  const remembering = startRemembering({
    ...{ clock, log, store },
    documents: [...documents.independent, documents.waitingLine, ...levers.documents],
  });
  hurry = () => remembering.hurry();
  const historyKeeping = historyFile && startHistoryKeeping({ clock, log, history, file: historyFile });
  const recording = startRecording({
    ...{ clock, log, history },
    loads: () => fleetLoads(poller.servers(), (id) => ledger.booked(id)),
    waiting: () => admission.waiting,
  });
  poller.begin();
  const firstRound = poller.firstRound();
  void firstRound.then(reconcileIncidents);
  void Promise.race([firstRound, clock.sleep(FIRST_ANSWERS, waits.signal)]).then(() => {
    waits.abort();
    answer();
    sessions.begin();
  });

  return {
    port: edge.port,
    gateway: edge.gateway,
    async reload(wanted) {
      const { settings: next, afterRestart } = inForce(initial, wanted);
      const { sections, servers } = compareSettings(settings, next);
      const before = settings;
      settings = next;
      if (sections.size === 0) return afterRestart;
      const { added, removed, changed, reordered } = servers;
      ledger.reconfigure(allocationParameters(next));
      line.configure(next.waiting);
      buckets.reconfigure(bucketRules(next));
      poller.reconfigure({
        rules: fleetRules(next),
        interval: next.pollInterval,
        ...(probesDiffer(before, next) && { probe: adapters.createProbe(next, surroundings, guard) }),
      });
      if (added.length + removed.length + changed.length > 0 || reordered) membership.set('configured', next.simulationServers);
      else membership.reroute();
      if (
        ['mail', 'webhooks', 'pollInterval', 'server', 'ssl', 'portRewrite', 'gateway'].some((name) =>
          sections.has(name as keyof Settings),
        )
      ) {
        await notifying.reconfigure({
          rules: incidentRules(next.pollInterval),
          notifiers: createNotifiers(next),
        });
      }
      registered.reconfigure();
      edge.reconfigure();
      reconcileIncidents();
      admission.refresh();
      return afterRestart;
    },
    async stop() {
      waits.abort();
      const closed = edge.close(GRACE);
      await Promise.all([poller.stop(), recording.stop(), admission.stop(), registered.stop()]);
      await Promise.all([closed, remembering.stop(), historyKeeping?.stop(), notifying.stop(GRACE)]);
    },
  };

  /** Their messages link to where the session server is listened on, which may be any free port. */
  function createNotifiers(wanted: Settings): Notifier[] {
    const gateway = { ...wanted.gateway, port: edge.gateway?.port ?? wanted.gateway.port };
    return adapters.createNotifiers({ ...wanted, port: edge.port, gateway }, surroundings);
  }

  /** Incidents that nothing will end any more: of servers that were removed while the program was down, or by rules that hold no longer. */
  function reconcileIncidents(): void {
    // Of what is not known yet nothing was removed. On a slow disk servers may come after their incidents; it is done when all have come.
    if (!isRecalled) return;
    const at = clock.now();
    notifying.reconcile(
      [...poller.servers()].map((facts) => ({
        id: facts.endpoint.id,
        address: facts.endpoint.address,
        to: poller.state(facts),
        at,
        ...(facts.failures === 0 && facts.load !== undefined && { load: facts.load }),
      })),
    );
  }

  /** What survived the last run. */
  async function recall(): Promise<void> {
    await Promise.all([
      notifying.recall().then(() => levers.recall()),
      historyFile && restoreHistory({ clock, log, history, file: historyFile }),
      ...documents.independent.map((document) => takeUp(store, document)),
    ]);
    // Too late, who waited was told so and stands in line anew.
    await takeUp(store, documents.waitingLine, () => !recalling.isLate());
    history.fleetIs(Array.from(poller.servers(), ({ endpoint }) => endpoint.id));
    isRecalled = true;
  }
}

function allocationParameters({ allocation, loadThreshold }: Settings): AllocationParameters {
  return { ...allocation, threshold: loadThreshold, margin: DEFAULT_ALLOCATION.margin };
}

function fleetRules({ loadThreshold, downAfter, allocation: { target, recent } }: Settings): FleetRules {
  return { loadThreshold, downAfter, target, recent };
}

function bucketRules({ limits: { rateBurst, ratePerSecond } }: Settings): TokenBucketRules {
  return { burst: rateBurst, rate: ratePerSecond, mostKeys: MOST_ADDRESSES };
}

function loadProbe(settings: Settings, { clock, names }: Surroundings, guard?: Guard): Probe {
  const { pollSsl, pollTimeout, pollInterval, gateway, server } = settings;
  // A connection has to outlive the pause between two polls, else each would connect anew.
  const common = { timeout: pollTimeout, keepAlive: 3 * pollInterval + 5, names, now: () => clock.now() };
  const outside = createLoadProbe({ ...common, ssl: pollSsl, ...(guard !== undefined && { guard }) });
  if (!gateway.enabled) return outside;
  // Not guarded: where the routes lead is what the operator wrote.
  const inside = createLoadProbe({ ...common, ssl: false });
  return createRoutedProbe({ outside, inside, locate: (endpoint) => insideEndpoint(gateway.routes, endpoint, server) });
}

/** Who is told of incidents, as the page may show it. */
function channelViews(notifying: Notifying, { monitor: { access } }: Settings): readonly ChannelView[] {
  return notifying.channels().map(({ name, recipient }) => ({
    notifier: name,
    recipient: recipient === undefined ? null : access === 'open' ? maskedAddress(recipient) : recipient,
  }));
}

/** What `loadProbe` reads. */
function probesDiffer(a: Settings, b: Settings): boolean {
  const read = ({ pollSsl, pollTimeout, pollInterval, gateway: { enabled, routes }, server, registration }: Settings) => {
    // Kept connections of registered servers were made by the rules of then.
    const { allowPrivate, allowLoopback } = registration;
    return [pollSsl, pollTimeout, pollInterval, enabled, routes, server, allowPrivate, allowLoopback] as const;
  };
  return !isDeepStrictEqual(read(a), read(b));
}

/**
 * What a single failed probe was about, and that it is over, is told by the poller, once: a server that fails at every second probe must not fill the log.
 * The kinds of transition are counted apart, so that none of them pushes another out.
 */
function sayTransition(log: Log, { address, id, from, to, load, failure, first }: Transition): void {
  const sentence = `${address} simulation server is ${to}${failure === undefined ? '' : `: ${failure.reason}`}`;
  const fields = { from, ...(load !== undefined && { load }) };
  const isBlip = to === 'unknown' || (from === 'unknown' && first !== true && to !== 'down');
  if (isBlip) log.debug(sentence, fields);
  else log.limited(to === 'down' || to === 'full' ? 'warn' : 'info', `${to} ${id}`, sentence, fields);
}
