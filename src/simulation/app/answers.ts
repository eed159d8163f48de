/** What the port of the server answers, from the engine and the current settings. */
import { cpus, hostname, release, type as systemType } from 'node:os';
import type { Clock } from '../../ports.ts';
import { metricsText } from '../http/metrics.ts';
import { monitorPage } from '../http/monitor-page.ts';
import type { SimulationApi, SimulationHttpOptions } from '../http/server.ts';
import type { SimulationSettings } from '../settings/settings.ts';
import type { Engine } from './build.ts';
import type { Machine } from './machine.ts';

export interface AnswersOptions {
  readonly clock: Clock;
  readonly engine: Engine;
  readonly machine: Machine;
  readonly settings: () => SimulationSettings;
  /** Sentences for the operator. */
  readonly warnings: readonly string[];
}

export type Answers = Pick<SimulationHttpOptions, 'load' | 'monitor' | 'metrics' | 'api' | 'token'>;

export function answersOf(options: AnswersOptions): Answers {
  const { clock, engine, settings } = options;
  return {
    load: () => loadOf(engine, settings()),
    monitor: () => pageOf(options),
    metrics: () => metricsOf(options),
    token: () => settings().api.token,
    api: apiOf(engine, clock),
  };
}

function loadOf({ simulator, meter, metering, sessions }: Engine, { maxConnections }: SimulationSettings) {
  const load = simulator.usesProject ? meter.load() : shareOf(sessions.taken(), maxConnections);
  return load === undefined ? undefined : { text: String(load), headers: metering.headers(sessions.counts()) };
}

/**
 * The load of a server with the demo, percent: the share of its places that are taken. Its sessions cost next to nothing, and
 * it is for computers that are busy with other work.
 */
function shareOf(taken: number, places: number): number {
  return (100 * taken) / places;
}

function pageOf({ engine: { meter, sessions, simulator }, machine, settings, warnings }: AnswersOptions): string {
  const { title, shareIdleTime, notify, ...current } = settings();
  return monitorPage({
    ...{ title, load: meter.load(), measurement: meter.measurement(), host: hostname() },
    ...{ system: `${systemType()} ${release()}`, processor: processorName(), shareIdleTime, notify, warnings },
    ...{ isolation: machine.isolation.facts, workspaces: machine.workspaces.name, simulator: simulator.name },
    ...{ sessions: sessions.counts(), draining: sessions.draining, ...listsOf(current) },
  });
}

function processorName(): string {
  const all = cpus();
  return `${all[0]?.model ?? 'Unknown'} (${all.length} processors)`;
}

function listsOf({
  allowedRepositories,
  blockedRepositories,
  description,
}: Pick<SimulationSettings, 'allowedRepositories' | 'blockedRepositories' | 'description'>) {
  return {
    ...(allowedRepositories !== undefined && { allowedRepositories }),
    ...(blockedRepositories !== undefined && { blockedRepositories }),
    ...(description !== undefined && { description }),
  };
}

function metricsOf({ engine: { sessions, metering, meter, sweeping, projects }, machine }: AnswersOptions): string {
  const counts = sessions.counts();
  const { points, pending } = metering.facts(counts);
  return metricsText({
    ...{ sessions: counts, ended: sessions.ended, load: meter.load(), points, pending, leftovers: sweeping.found },
    ...{ cache: projects.counts, isolation: machine.isolation.facts.name },
    streamBytes: sessions.all.reduce((sum, { port }) => sum + (port?.bytes() ?? 0), 0),
  });
}

function apiOf({ sessions, metering }: Engine, clock: Clock): SimulationApi {
  const list = () =>
    sessions.all.map(({ id, life, project, acceptedAt, port, running }) => ({
      ...{ id, state: life.phase, busy: life.busy, age: Math.round(clock.now() - acceptedAt) },
      ...(project !== undefined && { project: project.url }),
      ...(port !== undefined && { port: port.port, watchers: port.watchers(), streamBytes: port.bytes() }),
      ...(running !== undefined && { points: metering.of(id)?.points ?? 0, usage: metering.of(id)?.usage }),
    }));
  return {
    sessions: () => ({ sessions: list() }),
    costs: () => ({ version: metering.version, projects: metering.costs.list(), sessions: list() }),
    end: (id) => sessions.end(id),
    drain: (seconds) => {
      sessions.drain(seconds);
    },
    resume: () => {
      sessions.resume();
    },
  };
}
