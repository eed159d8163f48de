/**
 * `/metrics` for Prometheus. Most values are read from their owners at each scrape, so that a metric cannot disagree with
 * the page.
 */
import { Hono, type MiddlewareHandler } from 'hono';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ServerFacts } from '../core/fleet/fleet.ts';
import type { DecisionKind } from '../core/views/monitor-view.ts';
import type { AccountView, Ledger } from '../core/allocation/ledger.ts';
import type { Decisions } from '../engine/decisions.ts';
import type { NotifyingStatistics } from '../engine/notifying.ts';
import type { Poller } from '../engine/poller.ts';
import { TokenBuckets } from '../core/limits/token-bucket.ts';
import type { Topic } from '../engine/topic.ts';
import type { Clock } from '../ports.ts';
import { methodNotAllowed } from './server/cors.ts';
import type { Env } from './server/routes.ts';

/** Where the gauges read their values. */
export interface MetricsSources {
  readonly version: string;
  /** Seconds since the epoch. */
  readonly startedAt: number;
  readonly poller: Poller;
  readonly ledger: Ledger;
  /** Can a session be started now. */
  readonly availability: Pick<Topic<boolean>, 'value'>;
  /** Clients in line. */
  readonly waiting: () => number;
  readonly decisions: Decisions;
  readonly notifying: () => NotifyingStatistics;
  /** Seconds the first client in line has waited. */
  readonly longestWait: () => number | undefined;
  readonly meanLoad: () => number | undefined;
  readonly connections: () => number;
  readonly sockets: () => number;
  readonly limits: () => { readonly clients: number; readonly descriptors: number | undefined; readonly metricsServers: number };
}

export interface Metrics {
  readonly registry: Registry;
  /** Seconds a successful probe took. */
  probed(latency: number): void;
  transition(to: string): void;
  /** Seconds in line before the request had this outcome. */
  waited(seconds: number, outcome: DecisionKind): void;
  turnedAway(why: string): void;
}

const OUTCOMES: readonly DecisionKind[] = ['allocated', 'refused', 'abandoned'];
const STATES = ['unknown', 'available', 'full', 'draining', 'down'] as const;

/** The metrics of events. They need nothing else, so they are created before everything that has events. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const probe = new Histogram({
    name: 'session_server_probe_duration_seconds',
    help: 'Duration of successful probes.',
    buckets: [0.005, 0.02, 0.1, 0.5, 1, 2, 4],
    registers: [registry],
  });
  const wait = new Histogram({
    name: 'session_server_wait_seconds',
    help: 'Time in the waiting line by outcome of the request; 0 for clients that did not wait.',
    labelNames: ['outcome'],
    buckets: [0, 1, 5, 15, 30, 60, 120, 300, 900],
    registers: [registry],
  });
  const transitions = new Counter({
    name: 'session_server_transitions_total',
    help: 'Changes of server state by new state.',
    labelNames: ['state'],
    registers: [registry],
  });
  const turnedAway = new Counter({
    name: 'session_server_turned_away_total',
    help: 'Connections refused because of a limit.',
    labelNames: ['reason'],
    registers: [registry],
  });
  for (const outcome of OUTCOMES) wait.zero({ outcome });
  for (const state of STATES) transitions.inc({ state }, 0);
  for (const reason of ['too-many-clients', 'too-many-of-address']) turnedAway.inc({ reason }, 0);
  return {
    registry,
    probed: (latency) => probe.observe(latency),
    transition: (state) => transitions.inc({ state }),
    waited: (seconds, outcome) => wait.observe({ outcome }, seconds),
    turnedAway: (reason) => turnedAway.inc({ reason }),
  };
}

/** The metrics that are read from their owners at each scrape, and those of the process. */
export function addGauges(registry: Registry, sources: MetricsSources): void {
  collectDefaultMetrics({ register: registry });
  // Gauges named like counters, which Prometheus's own check rejects. The metrics by type add up to the same.
  for (const what of ['handles', 'requests', 'resources']) registry.removeSingleMetric(`nodejs_active_${what}_total`);
  fleetMetrics(registry, sources);
  serverMetrics(registry, sources);
  decisionMetrics(registry, sources);
  clientMetrics(registry, sources);
  notificationMetrics(registry, sources);
}

export interface MetricsRoutesOptions {
  readonly registry: Pick<Registry, 'metrics' | 'contentType'>;
  readonly mayRead: MiddlewareHandler<Env>;
  readonly clock: Pick<Clock, 'now'>;
}

/** In bytes of text: writing one takes ten times as long as a byte of a list. For a fleet of 800, a second passes between two. */
const TEXTS = { burst: 800_000, rate: 400_000, maxKeys: 1 };

/** In a flood all readers get the last text. Those that ask at once share one, as bytes: a string would be encoded for each of them. */
function sharedText(
  registry: MetricsRoutesOptions['registry'],
  clock: MetricsRoutesOptions['clock'],
): () => Promise<Uint8Array<ArrayBuffer>> {
  const allowance = new TokenBuckets(TEXTS);
  let last: Promise<Uint8Array<ArrayBuffer>> | undefined;
  let isWriting = false;
  const write = async () => {
    isWriting = true;
    try {
      const text = await registry.metrics();
      allowance.take('', clock.now(), text.length);
      return new TextEncoder().encode(text);
    } finally {
      isWriting = false;
    }
  };
  return () => {
    if (last === undefined || (!isWriting && allowance.wait('', clock.now()) === 0)) last = write();
    return last;
  };
}

export function createMetricsRoutes({ registry, mayRead, clock }: MetricsRoutesOptions): Hono<Env> {
  const textOf = sharedText(registry, clock);
  const routes = new Hono<Env>();
  routes.get('/metrics', mayRead, async (c) =>
    c.body(await textOf(), 200, { 'Content-Type': registry.contentType, 'Cache-Control': 'no-store' }),
  );
  routes.all('/metrics', (c) => methodNotAllowed(c, 'GET, HEAD'));
  return routes;
}

/** A gauge that is read at each scrape; `undefined` leaves it out. */
function gauge(registry: Registry, name: string, help: string, read: () => number | undefined): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      const value = read();
      // `reset` would set it to 0, which is a load like any other.
      if (value === undefined) this.remove();
      else this.set(value);
    },
  });
}

type Labelled = readonly [labels: Readonly<Record<string, string>>, value: number];

function gauges(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
  read: () => Iterable<Labelled>,
): void {
  new Gauge({
    ...{ name, help, labelNames, registers: [registry] },
    collect() {
      this.reset();
      for (const [labels, value] of read()) this.set(labels, value);
    },
  });
}

function counters(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
  read: () => Iterable<Labelled>,
): void {
  new Counter({
    ...{ name, help, labelNames, registers: [registry] },
    collect() {
      this.reset();
      for (const [labels, value] of read()) this.inc(labels, value);
    },
  });
}

function fleetMetrics(
  registry: Registry,
  { version, startedAt, poller, ledger, availability, waiting, meanLoad, longestWait }: MetricsSources,
): void {
  gauges(registry, 'session_server_info', 'Version of the session server.', ['version'], () => [[{ version }, 1]]);
  gauge(registry, 'session_server_start_time_seconds', 'When the session server started.', () => startedAt);
  gauge(registry, 'session_server_available', 'Whether a session can start now: 1 or 0.', () => Number(availability.value));
  gauge(registry, 'session_server_mean_load_percent', 'Mean load of the simulation servers that answer.', meanLoad);
  gauges(registry, 'session_server_simulation_servers', 'Simulation servers by state.', ['state'], () => countStates(poller));
  gauge(
    registry,
    'session_server_suspected_servers',
    'Simulation servers that look idle although they were given sessions.',
    () => ledger.suspects().length,
  );
  gauge(
    registry,
    'session_server_cost_percent',
    'Learned cost of a session on an average simulation server.',
    () => ledger.fleetCost().value,
  );
  gauge(registry, 'session_server_waiting_tickets', 'Clients in the waiting line.', waiting);
  gauge(
    registry,
    'session_server_longest_wait_seconds',
    'Time the first client in line has waited; 0 if the line is empty.',
    () => longestWait() ?? 0,
  );
  counters(registry, 'session_server_probes_total', 'Probes by outcome: sample, or the kind of failure.', ['outcome'], () =>
    [...poller.outcomes].map(([outcome, count]): Labelled => [{ outcome }, count]),
  );
}

/** Above `limits.metricsServers` only fleet metrics are exported: ten thousand servers would cost the scraper and us too much time. */
function serverMetrics(registry: Registry, { poller, ledger, limits }: MetricsSources): void {
  const each = (read: (facts: ServerFacts, account: AccountView | undefined) => number | undefined) => (): Labelled[] => {
    if (poller.size > limits().metricsServers) return [];
    return [...poller.servers()].flatMap((facts): Labelled[] => {
      const value = read(facts, ledger.account(facts.endpoint.id));
      return value === undefined ? [] : [[{ server: facts.endpoint.address }, value]];
    });
  };
  const answering = ({ failures, load }: ServerFacts) => (failures === 0 ? load : undefined);
  gauges(
    registry,
    'session_server_server_load_percent',
    'Last reported load of a simulation server that answers.',
    ['server'],
    each(answering),
  );
  gauges(
    registry,
    'session_server_server_predicted_load_percent',
    'Reported plus booked load of a simulation server.',
    ['server'],
    each((facts, account) => (answering(facts) === undefined ? undefined : account?.predicted)),
  );
  gauges(
    registry,
    'session_server_server_booked_load_percent',
    'Load of allocated sessions that the reports of a simulation server do not show yet.',
    ['server'],
    each((_, account) => account?.booked),
  );
  gauges(
    registry,
    'session_server_server_cost_percent',
    'Learned cost of a session on a simulation server.',
    ['server'],
    each((_, account) => account?.cost.value),
  );
  gauges(
    registry,
    'session_server_server_bookings',
    'Active bookings of a simulation server.',
    ['server'],
    each((_, account) => account?.bookings),
  );
  gauges(
    registry,
    'session_server_server_up',
    'Whether the simulation server answers: 1 or 0.',
    ['server'],
    each((facts) => Number(answering(facts) !== undefined)),
  );
}

function decisionMetrics(registry: Registry, { decisions }: MetricsSources): void {
  counters(registry, 'session_server_decisions_total', 'Session requests by outcome and reason.', ['kind', 'code'], () =>
    [...decisions.counts()].map(({ kind, code, count }): Labelled => [{ kind, code }, count]),
  );
}

function clientMetrics(registry: Registry, { connections, sockets, limits }: MetricsSources): void {
  gauge(registry, 'session_server_connections', 'Open client connections.', connections);
  gauge(registry, 'session_server_websockets', 'Open WebSockets.', sockets);
  gauge(registry, 'session_server_connections_limit', 'Maximum number of client connections.', () => limits().clients);
  gauge(
    registry,
    'session_server_file_descriptors_limit',
    'Maximum number of open file descriptors of the process.',
    () => limits().descriptors,
  );
}

function notificationMetrics(registry: Registry, { notifying }: MetricsSources): void {
  counters(
    registry,
    'session_server_notifications_total',
    'Attempts to send a notification, by notifier and outcome.',
    ['notifier', 'outcome'],
    () =>
      notifying().notifiers.flatMap(({ notifier: name, sent, failed }): Labelled[] => [
        [{ notifier: name, outcome: 'sent' }, sent],
        [{ notifier: name, outcome: 'failed' }, failed],
      ]),
  );
  gauges(registry, 'session_server_notifications_pending', 'Notifications waiting to be sent, by notifier.', ['notifier'], () =>
    notifying().notifiers.map(({ notifier: name, pending }): Labelled => [{ notifier: name }, pending]),
  );
}

function countStates(poller: Poller): Labelled[] {
  const counts = new Map<string, number>(STATES.map((state) => [state, 0]));
  for (const facts of poller.servers()) {
    const state = poller.state(facts);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return [...counts].map(([state, count]) => [{ state }, count]);
}
