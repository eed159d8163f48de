/** Starts the parts in order: listen, restore the state of the last run, poll, answer. */
import type { Settings } from '../config/settings.ts';
import { fleetLoads } from '../core/fleet/fleet.ts';
import { documentKey } from '../core/replicas/shared-state.ts';
import { startHistorySampler } from '../engine/history-sampler.ts';
import { readHistory, restoreHistory, startHistorySaver, type HistorySaver } from '../engine/history-saver.ts';
import { startLoop, type Loop } from '../engine/loop.ts';
import { readInTime } from '../engine/state-loader.ts';
import { startStateSaver, type Document, type StateSaver } from '../engine/state-saver.ts';
import type { Edge } from '../http/edge.ts';
import type { Notifier, StateStore } from '../ports.ts';
import type { Adapters, Leading } from './adapters.ts';
import type { Parts } from './build.ts';
import type { NotifierSettings } from './configured-notifiers.ts';
import { reconcileIncidents } from './events.ts';
import { pollingPlan } from './polling-plan.ts';
import { readDocuments, restoreDocuments, stateDocuments } from './state-documents.ts';

export interface Running {
  readonly edge: Edge;
  readonly createNotifiers: (settings: NotifierSettings) => Notifier[];
  /** Resolves the names of simulation servers again; woken by a reload. */
  readonly nameChecks: Loop;
  /** Answers what is in flight, closes the sockets, saves the state. Takes less than 2 s. */
  stop(): Promise<void>;
}

/** Seconds after which answers are given even if not every server has reported: one that has not answered by then is unknown, not idle. */
const FIRST_ANSWERS = 1;
/** Seconds between two times that the names of simulation servers are resolved, so that an address is at most a minute old also while DNS is slow. */
const NAME_CHECKS = 30;
/** Seconds that clients have to take what is in flight at the end, and notifiers to send what waits. */
const GRACE = 1.2;

/** Throws the `listen` error of the port. */
export async function start(parts: Parts, initial: Settings, adapters: Adapters): Promise<Running> {
  const { clock, log, poller, membership, notifying, history, timeline, ledger, queue, registered, reservations } = parts;
  // First: a port that is taken is found before anything is probed or written.
  const edge = await adapters.startEdge(parts);
  const createNotifiers = notifierFactory(parts, edge, adapters);
  const waits = new AbortController();
  void clock.sleep(FIRST_ANSWERS, waits.signal).then(() => {
    answer(parts);
  });
  // Before the waiting line is restored, or its clients would be refused because there is no server.
  membership.set('configured', initial.simulationServers);
  notifying.start(createNotifiers(initial));
  const savers = await restoreAndSave(parts, initial, adapters);
  parts.leading?.watch.lead({ notifying, journal: parts.leading.journal });
  const sampler = startHistorySampler({
    ...{ clock, log, history, timeline },
    loads: () => fleetLoads(poller.servers(), (id) => ledger.booked(id)),
    waiting: () => queue.length,
  });
  startPolling(parts, waits);
  const nameChecks = startNameChecks(parts);
  return {
    edge,
    createNotifiers,
    nameChecks,
    async stop() {
      waits.abort();
      const closed = edge.close(GRACE);
      const loops = [poller, sampler, queue, registered, nameChecks, reservations, parts.maintenance];
      await Promise.all(loops.map((loop) => loop.stop()));
      await Promise.all([closed, ...savers.map((saver) => saver.stop()), notifying.stop(GRACE)]);
    },
  };
}

/** Restores what the last run saved and saves from now on. What could not be read is never overwritten. */
async function restoreAndSave(parts: Parts, initial: Settings, adapters: Adapters): Promise<(StateSaver | HistorySaver)[]> {
  const { clock, log, history, timeline, poller, notifying, registrations, urgentChanges, leading } = parts;
  const store = adapters.createStore(initial, log);
  const file = adapters.createHistoryFile?.(initial);
  const { restored, saved } = stateDocuments(parts);
  const state = await readInTime(
    async () => {
      const [documents, past] = await Promise.all([readDocuments(store, restored), file && readHistory(file, clock.wallTime())]);
      return { documents, past };
    },
    { clock, log },
  );
  if (state === undefined) {
    beginActions(parts);
    leading?.journal.begin();
    return [];
  }
  if (file !== undefined && state.past !== undefined) await restoreHistory(state.past, { log, history, file });
  await restoreDocuments(store, state.documents);
  leading?.journal.begin();
  const ids = Array.from(poller.servers(), ({ endpoint }) => endpoint.id);
  history.fleetIs(ids);
  timeline.fleetIs(ids, clock.wallTime());
  notifying.startSaving(store);
  beginActions(parts, store);
  const stateSaver = startStateSaver({ clock, log, store, documents: saved });
  for (const changes of [registrations, urgentChanges])
    changes.subscribe(() => {
      stateSaver.hurry();
    });
  if (leading !== undefined) commitUrgent(leading, saved);
  return file === undefined ? [stateSaver] : [stateSaver, startHistorySaver({ clock, log, history, file })];
}

/** What must not be lost, such as taken seats, is committed together with the decisions that it belongs to. */
function commitUrgent({ journal }: Leading, documents: readonly Document[]): void {
  const urgent = documents.filter(({ urgent }) => urgent === true);
  const committed = new Map(urgent.map(({ name, version }) => [name, version()]));
  journal.beforeCommit(() => {
    for (const { name, version, save } of urgent) {
      if (Object.is(committed.get(name), version())) continue;
      committed.set(name, version());
      journal.set(documentKey(name), save());
    }
  });
}

/** What operators did in the last run is restored, or cannot be. */
function beginActions({ operatorActions, reservations, maintenance }: Parts, store?: StateStore): void {
  operatorActions.begin(store);
  reservations.begin();
  maintenance.begin();
}

/** Clients get sessions when every server was probed once, or after a second. */
function startPolling(parts: Parts, waits: AbortController): void {
  const { clock, poller, sessions, leading } = parts;
  leading?.polling.lead({ poller, journal: leading.journal, plan: pollingPlan(parts) });
  poller.begin();
  const firstRound = poller.firstRound();
  void firstRound.then(() => {
    reconcileIncidents(parts);
  });
  void Promise.race([firstRound, clock.sleep(FIRST_ANSWERS, waits.signal)]).then(() => {
    waits.abort();
    answer(parts);
    sessions.begin();
  });
}

function startNameChecks({ clock, log, poller }: Parts): Loop {
  return startLoop({
    clock,
    delay: NAME_CHECKS,
    cycle() {
      poller.recheckNames();
      return NAME_CHECKS;
    },
    failed(error) {
      log.error('resolving names again failed inside the session server', { error });
      return NAME_CHECKS;
    },
  });
}

function answer({ answers, queue }: Parts): void {
  if (answers.isReady()) return;
  queue.refresh();
  answers.begin();
}

/** The messages link to the port that is listened on, which may be any free one. */
function notifierFactory(parts: Parts, edge: Edge, adapters: Adapters): (settings: NotifierSettings) => Notifier[] {
  return (settings) => {
    const gateway = { ...settings.gateway, port: edge.gateway?.port ?? settings.gateway.port };
    return adapters.createNotifiers({ ...settings, port: edge.port, gateway }, parts);
  };
}
