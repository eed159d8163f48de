/** The composition root of the simulation server: builds everything from checked settings, in order, and stops it in reverse. */
import { randomBytes } from 'node:crypto';
import { mkdir, statfs } from 'node:fs/promises';
import { cpus, hostname, totalmem, type as systemType, release } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { announcedUrl } from '../core/simulation/client-lines.ts';
import { STRENGTHS } from '../core/simulation/launch-plan.ts';
import { startLoop } from '../engine/loop.ts';
import { createAddressOf, parseNetworks } from '../http/server/client-address.ts';
import type { Clock, Log } from '../ports.ts';
import { findCgroups } from './cgroups/cgroups.ts';
import { startAnnouncing } from './engine/announcing.ts';
import { Metering } from './engine/metering.ts';
import { Sessions } from './engine/sessions.ts';
import { Sweeping, type Keeper } from './engine/sweeping.ts';
import { createClientSockets } from './http/client-socket.ts';
import { metricsText } from './http/metrics.ts';
import { monitorPage } from './http/monitor-page.ts';
import { postForm } from './http/post-form.ts';
import { startSimulationHttp, type SimulationApi } from './http/server.ts';
import { leadsThroughLink } from './http/stream-path.ts';
import { createStreamPorts } from './http/stream-ports.ts';
import { takeInstance } from './instance.ts';
import { chooseIsolation } from './isolations/index.ts';
import { createLauncher } from './launcher/launcher.ts';
import { startMachineMeter } from './meters/machine-meter.ts';
import { MonitorLog } from './meters/monitor-log.ts';
import { isDisplayMissing, missingParts } from './missing.ts';
import { createGitProjects } from './projects/git.ts';
import { folderSize } from './projects/folder-size.ts';
import type { Disk, Isolation, Workspaces } from './ports.ts';
import { maxSessionTime, type SimulationSettings } from './settings/settings.ts';
import { createSimulator, worldExtension } from './simulators/index.ts';
import { chooseWorkspaces } from './workspaces/index.ts';

export interface SimulationSurroundings {
  readonly clock: Clock;
  readonly log: Log;
  /** Program and arguments of the built-in simulator. Absent: it is not part of this installation. */
  readonly demo?: readonly string[];
}

export interface SimulationApp {
  readonly port: number;
  /** Sentences for the operator. */
  readonly warnings: readonly string[];
  readonly isolation: string;
  /** Takes new settings for sessions to come; returns the keys that need a restart. */
  reload(settings: SimulationSettings): readonly string[];
  stop(): Promise<void>;
}

/** Seconds between two checks of the cache. */
const EVICT_EVERY = 60;

/** Rejects with the error of the socket, such as `EADDRINUSE`, or with the code `in-use` when another server uses the folder. */
export async function startSimulation(
  started: SimulationSettings,
  { clock, log, demo }: SimulationSurroundings,
): Promise<SimulationApp> {
  let settings = started;
  const now = () => settings;
  const instance = await takeInstance(started.stateDir);
  const run = join(started.stateDir, 'run');
  const empty = join(started.stateDir, 'empty');
  for (const folder of [run, empty, started.cache.dir]) await mkdir(folder, { recursive: true, mode: 0o700 });

  const wantsCgroups = started.isolation.use !== 'none';
  const cgroups = wantsCgroups ? await findCgroups({ instance: instance.name, clock }) : undefined;
  const launcher = createLauncher({ home: cgroups?.home ?? [] });
  const displayMissing = () => isDisplayMissing(now().display);
  const chosen = await chooseIsolation({ instance: instance.name, launcher, clock, cgroups, settings: now, displayMissing });
  const { isolation } = chosen;
  const workspaces = await chooseWorkspaces({ folder: run, launcher, limits: () => now().limits, sizeOf: folderSize });
  const disk: Disk = { free: freeBytes };
  const projects = createGitProjects({ settings: now, launcher, clock, disk, log });
  const simulator = createSimulator(started.simulator, now, demo);
  const addressOf = createAddressOf(parseNetworks(started.trustedProxies).networks);

  const monitorLog = started.monitorLogEnabled ? openMonitorLog(started, clock, log) : undefined;
  const meter = startMachineMeter({
    ...{ clock, log },
    sample: (sample) => monitorLog?.write({ ...sample, ...sessions.counts() }),
  });
  const metering = new Metering({
    ...{ clock, log, processors: cpus().length, memory: totalmem(), disk: () => now().limits.disk },
    sessions: () => sessions.all,
  });
  const sessions: Sessions = new Sessions({
    ...{ clock, log, projects, workspaces: workspaces.workspaces, isolation, simulator, emptyFolder: empty, leadsThroughLink },
    ports: createStreamPorts({
      ...{ host: started.listen, port: started.port, addressOf, log, via: `simulation-${instance.name}` },
      ...{ maxSessions: () => now().maxConnections, server: () => now().server },
    }),
    newId: () => randomBytes(8).toString('hex'),
    lifeLimits: () => lifeLimitsOf(now()),
    resourceLimits: () => now().limits,
    address: now,
    maxSessions: () => now().maxConnections,
    rules: () => rulesOf(now()),
    reading: () => ({ hosts: now().projects.hosts, extension: worldExtension(now()) }),
    isolated: () => STRENGTHS.indexOf(isolation.facts.strength) >= STRENGTHS.indexOf(now().isolation.foreign),
    load: () => meter.load(),
    pending: () => metering.pending(),
    limits: () => now().limits,
  });
  const sweeping = new Sweeping({
    ...{ clock, log, living: () => new Set(sessions.all.map(({ id }) => id)) },
    keepers: keepersOf(isolation, workspaces.workspaces),
  });
  const sockets = createClientSockets({ clock, log, addressOf, accept: (client) => sessions.accept(client) });
  const warnings = warningsOf(started, chosen.reasons, workspaces.reason);
  for (const warning of warnings) log.warn(warning);

  await sweeping.sweep();
  const http = await startSimulationHttp({
    ...{ host: started.listen, port: started.port, addressOf, log, sockets, ready: () => true },
    // Sessions, connections without a start message yet, and programs that call.
    maxClients: () => now().maxConnections + now().limits.accepted + 200,
    load() {
      const load = simulator.usesProject ? meter.load() : shareOf(sessions.taken(), now().maxConnections);
      return load === undefined ? undefined : { text: String(load), headers: metering.headers(sessions.counts()) };
    },
    monitor: () =>
      monitorPage({
        ...{ title: now().title, load: meter.load(), measurement: meter.measurement(), host: hostname(), system: systemName() },
        ...{ processor: processorName(), shareIdleTime: now().shareIdleTime, notify: now().notify, isolation: isolation.facts },
        ...{ simulator: simulator.name, workspaces: workspaces.workspaces.name, sessions: sessions.counts() },
        ...{ draining: sessions.draining, warnings, ...listsOf(now()) },
      }),
    metrics: () => {
      const counts = sessions.counts();
      const { points, pending } = metering.facts(counts);
      return metricsText({
        ...{ sessions: counts, ended: sessions.ended, load: meter.load(), points, pending, leftovers: sweeping.found },
        ...{ cache: projects.counts, isolation: isolation.facts.name },
        streamBytes: sessions.all.reduce((sum, { port }) => sum + (port?.bytes() ?? 0), 0),
      });
    },
    token: () => now().api.token,
    api: apiOf(sessions, metering, clock),
  }).catch(async (error: unknown) => {
    await stopAll();
    throw error;
  });
  sweeping.start();
  const evicting = startLoop({
    ...{ clock, delay: EVICT_EVERY },
    cycle: async () => {
      await projects.evict();
      return EVICT_EVERY;
    },
    failed: (error) => {
      log.error('checking the cache failed', { error });
      return EVICT_EVERY;
    },
  });
  const announcing = startAnnouncing({ clock, log, receivers: started.notify, form: formOf(started), post: postForm });

  async function stopAll(): Promise<void> {
    await sessions.stop();
    await Promise.all([metering.stop(), meter.stop(), sockets.close()]);
    await launcher.close();
    await cgroups?.close();
    monitorLog?.close();
    await instance.release();
  }

  return {
    ...{ port: http.port, warnings, isolation: isolation.facts.name },
    reload(next) {
      const { inForce, afterRestart } = withoutRestartKeys(started, next);
      settings = inForce;
      return afterRestart;
    },
    async stop() {
      await Promise.all([...announcing.map((loop) => loop.stop()), evicting.stop(), sweeping.stop()]);
      const closing = http.close(1);
      await stopAll();
      await closing;
    },
  };
}

/** Ends what is left of a server that was killed. Rejects with the code `in-use` while one runs. */
export async function sweepLeftovers(
  settings: SimulationSettings,
  { clock, log }: Pick<SimulationSurroundings, 'clock' | 'log'>,
): Promise<number> {
  const instance = await takeInstance(settings.stateDir);
  const folder = join(settings.stateDir, 'run');
  const cgroups = settings.isolation.use === 'none' ? undefined : await findCgroups({ instance: instance.name, clock });
  const launcher = createLauncher({ home: cgroups?.home ?? [] });
  const common = { instance: instance.name, launcher, clock, cgroups, settings: () => settings, displayMissing: () => true };
  const { isolation } = await chooseIsolation(common);
  const { workspaces } = await chooseWorkspaces({ folder, launcher, limits: () => settings.limits, sizeOf: folderSize });
  const sweeping = new Sweeping({ clock, log, living: () => new Set(), keepers: keepersOf(isolation, workspaces) });
  const count = await sweeping.sweep();
  await launcher.close();
  await cgroups?.close();
  await instance.release();
  return count;
}

/** Programs before their files. */
function keepersOf(isolation: Isolation, workspaces: Workspaces): readonly Keeper[] {
  return [
    { name: 'program', list: () => isolation.list(), remove: (id) => isolation.remove(id) },
    { name: 'files', list: () => workspaces.list(), remove: (id) => workspaces.remove(id) },
  ];
}

function apiOf(sessions: Sessions, metering: Metering, clock: Clock): SimulationApi {
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

function lifeLimitsOf(settings: SimulationSettings) {
  const { limits, cache } = settings;
  return {
    ...{ startMessage: limits.startMessage, fetch: cache.fetchTimeout, prepare: limits.prepareTimeout, load: limits.loadTimeout },
    time: maxSessionTime(settings),
    ...(limits.idle !== undefined && { idle: limits.idle }),
  };
}

function rulesOf({ allowedRepositories, blockedRepositories, shareIdleTime }: SimulationSettings) {
  return {
    ...{ blocked: blockedRepositories ?? [], shareIdleTime },
    ...(allowedRepositories !== undefined && { allowed: allowedRepositories }),
  };
}

function listsOf({ allowedRepositories, blockedRepositories, description }: SimulationSettings) {
  return {
    ...(allowedRepositories !== undefined && { allowedRepositories }),
    ...(blockedRepositories !== undefined && { blockedRepositories }),
    ...(description !== undefined && { description }),
  };
}

function formOf(settings: SimulationSettings): Readonly<Record<string, string>> {
  return {
    url: announcedUrl(settings, settings.port),
    shareIdleTime: String(settings.shareIdleTime),
    allowedRepositories: (settings.allowedRepositories ?? []).join(','),
  };
}

function warningsOf(settings: SimulationSettings, reasons: readonly string[], workspaces: string | undefined): readonly string[] {
  const warnings = reasons.map((reason) => `An isolation is not available here: ${reason}.`);
  if (workspaces !== undefined)
    warnings.push(`The files of each session are copied, because layers are not available: ${workspaces}.`);
  for (const { subject, text, fix } of missingParts(settings)) warnings.push(`${subject}: ${text}; ${fix}.`);
  return warnings;
}

/** Keys that need a restart keep the values of the start. */
function withoutRestartKeys(
  started: SimulationSettings,
  next: SimulationSettings,
): { readonly inForce: SimulationSettings; readonly afterRestart: readonly string[] } {
  const kept = Object.fromEntries(RESTART_KEYS.map((key) => [key, started[key]])) as Pick<
    SimulationSettings,
    (typeof RESTART_KEYS)[number]
  >;
  const afterRestart: string[] = RESTART_KEYS.filter((key) => !isDeepStrictEqual(started[key], next[key]));
  if (started.isolation.use !== next.isolation.use) afterRestart.push('isolation.use');
  if (started.cache.dir !== next.cache.dir) afterRestart.push('cache.dir');
  return {
    inForce: {
      ...{ ...next, ...kept },
      isolation: { ...next.isolation, use: started.isolation.use },
      cache: { ...next.cache, dir: started.cache.dir },
    },
    afterRestart,
  };
}

const RESTART_KEYS = [
  ...(['port', 'docker', 'logDir', 'monitorLogEnabled', 'debug', 'listen', 'trustedProxies', 'stateDir'] as const),
  ...(['logFormat', 'simulator'] as const),
] as const;

function openMonitorLog({ logDir }: SimulationSettings, clock: Clock, log: Log): MonitorLog {
  return new MonitorLog({
    path: join(logDir, 'simulation', 'monitor.csv'),
    now: () => clock.now(),
    complain: (sentence) => {
      log.limited('warn', 'monitor', sentence);
    },
  });
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function systemName(): string {
  return `${systemType()} ${release()}`;
}

function processorName(): string {
  const all = cpus();
  return `${all[0]?.model ?? 'Unknown'} (${all.length} processors)`;
}

/**
 * The load of a server with the demo, percent: the share of its places that are taken. Its sessions cost next to nothing, and
 * it is for computers that are busy with other work.
 */
function shareOf(taken: number, places: number): number {
  return (100 * taken) / places;
}
