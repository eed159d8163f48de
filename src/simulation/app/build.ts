/** Builds the engine of the simulation server on a machine: projects, sessions, meters and the sweep. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { STRENGTHS } from '../../core/simulation/launch-plan.ts';
import type { LifeLimits } from '../../core/simulation/session-life.ts';
import { isAllowed, type RepositoryRules } from '../../core/simulation/rules.ts';
import type { AddressOf } from '../../http/server/client-address.ts';
import type { Clock, Log } from '../../ports.ts';
import { Metering } from '../engine/metering.ts';
import type { SessionParts } from '../engine/session.ts';
import { Sessions } from '../engine/sessions.ts';
import { Sweeping } from '../engine/sweeping.ts';
import { leadsThroughLink } from '../http/stream-path.ts';
import { createStreamPorts } from '../http/stream-ports.ts';
import { startMachineMeter, type MachineMeter } from '../meters/machine-meter.ts';
import { MonitorLog } from '../meters/monitor-log.ts';
import { ProjectBuilds } from '../builds/project-builds.ts';
import type { Disk, Preparation, Simulator } from '../ports.ts';
import { CHECKOUTS, createGitProjects, type GitProjects } from '../projects/git.ts';
import { maxSessionTime, type SimulationSettings } from '../settings/settings.ts';
import { createSimulator, worldExtension } from '../simulators/index.ts';
import { keepersOf, type Machine } from './machine.ts';

export interface EngineOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Those of the start. */
  readonly started: SimulationSettings;
  /** The current ones. */
  readonly settings: () => SimulationSettings;
  readonly instance: string;
  readonly machine: Machine;
  /** What simulators that run nothing of a project get as project. */
  readonly emptyFolder: string;
  readonly addressOf: AddressOf;
  /** Program and arguments of the built-in simulator. Absent: it is not part of this installation. */
  readonly demo?: readonly string[];
}

export interface Engine {
  readonly simulator: Simulator;
  readonly projects: GitProjects;
  readonly builds: ProjectBuilds;
  readonly sessions: Sessions;
  readonly metering: Metering;
  readonly meter: MachineMeter;
  readonly sweeping: Sweeping;
  /** Ends all sessions, then what measures them. */
  stop(): Promise<void>;
}

export function buildEngine(options: EngineOptions): Engine {
  const { clock, log, started, settings, machine, demo } = options;
  const simulator = createSimulator(started.simulator, settings, demo);
  const disk: Disk = { free: freeBytes };
  const projects = createGitProjects({ settings, launcher: machine.launcher, clock, disk, log });
  const monitorLog = started.monitorLogEnabled ? openMonitorLog(started, clock, log) : undefined;
  const meter = startMachineMeter({
    ...{ clock, log },
    sample: (sample) => monitorLog?.write({ ...sample, ...sessions.counts() }),
  });
  const metering = new Metering({
    ...{ clock, log, processors: cpus().length, memory: totalmem(), disk: () => settings().limits.disk },
    sessions: () => sessions.all,
  });
  const builds = new ProjectBuilds({
    ...{ clock, log, settings, simulator, workspaces: machine.workspaces, isolation: machine.isolation, newId },
    allowed: (project) => isAllowed(rulesOf(settings()), project),
    isKept: (build) => existsSync(join(settings().cache.dir, CHECKOUTS, build)),
  });
  const sessions: Sessions = new Sessions({
    ...sessionParts(options, simulator, projects, builds),
    ...{ newId, rules: () => rulesOf(settings()) },
    reading: () => ({ hosts: settings().projects.hosts, extension: worldExtension(settings()) }),
    isolated: () => STRENGTHS.indexOf(machine.isolation.facts.strength) >= STRENGTHS.indexOf(settings().isolation.foreign),
    ...{ load: () => meter.load(), pending: () => metering.pending(), limits: () => settings().limits },
  });
  const living = () => new Set([...sessions.all.map(({ id }) => id), ...builds.living]);
  return {
    ...{ simulator, projects, builds, sessions, metering, meter },
    sweeping: new Sweeping({ clock, log, living, keepers: keepersOf(machine) }),
    async stop() {
      await sessions.stop();
      await Promise.all([metering.stop(), meter.stop()]);
      monitorLog?.close();
    },
  };
}

function sessionParts(
  options: EngineOptions,
  simulator: Simulator,
  projects: GitProjects,
  preparation: Preparation,
): SessionParts {
  const { clock, log, started, settings, instance, machine, emptyFolder, addressOf } = options;
  const maxSessions = () => settings().maxConnections;
  return {
    ...{ clock, log, projects, simulator, emptyFolder, leadsThroughLink, maxSessions, address: settings },
    ...{ preparation, workspaces: machine.workspaces, isolation: machine.isolation },
    ports: createStreamPorts({
      ...{ host: started.listen, port: started.port, addressOf, log, via: `simulation-${instance}` },
      ...{ maxSessions, server: () => settings().server },
    }),
    lifeLimits: () => lifeLimitsOf(settings()),
    resourceLimits: () => settings().limits,
  };
}

function newId(): string {
  return randomBytes(8).toString('hex');
}

function lifeLimitsOf(settings: SimulationSettings): LifeLimits {
  const { limits, cache } = settings;
  return {
    ...{ startMessage: limits.startMessage, fetch: cache.fetchTimeout, prepare: limits.prepareTimeout, load: limits.loadTimeout },
    time: maxSessionTime(settings),
    ...(limits.idle !== undefined && { idle: limits.idle }),
  };
}

function rulesOf({ allowedRepositories, blockedRepositories, shareIdleTime }: SimulationSettings): RepositoryRules {
  return {
    ...{ blocked: blockedRepositories ?? [], shareIdleTime },
    ...(allowedRepositories !== undefined && { allowed: allowedRepositories }),
  };
}

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
