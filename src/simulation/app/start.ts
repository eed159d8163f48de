/** The composition root of the simulation server: builds everything from checked settings, in order, and stops it in reverse. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { announcedUrl } from '../../core/simulation/client-lines.ts';
import { startLoop, type Loop } from '../../engine/loop.ts';
import { createAddressOf, parseNetworks, type AddressOf } from '../../http/server/client-address.ts';
import type { HttpServer } from '../../http/server/server.ts';
import type { Clock, Log } from '../../ports.ts';
import { startAnnouncing } from '../engine/announcing.ts';
import { startPulling } from '../engine/pulling.ts';
import type { ProjectBuilds } from '../builds/project-builds.ts';
import type { Isolation } from '../ports.ts';
import { createClientSockets, type ClientSockets } from '../http/client-socket.ts';
import { postForm } from '../http/post-form.ts';
import { startSimulationHttp } from '../http/server.ts';
import { takeInstance } from '../instance.ts';
import type { GitProjects } from '../projects/git.ts';
import type { SimulationSettings } from '../settings/settings.ts';
import { answersOf, type Answers } from './answers.ts';
import { buildEngine, type Engine } from './build.ts';
import { openMachine, warningsOf } from './machine.ts';
import { reloaded } from './reload.ts';

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

/** Rejects with the error of the socket, such as `EADDRINUSE`, or with the code `in-use` when another server uses the folder. */
export async function startSimulation(
  started: SimulationSettings,
  { clock, log, demo }: SimulationSurroundings,
): Promise<SimulationApp> {
  let settings = started;
  const now = () => settings;
  const instance = await takeInstance(started.stateDir);
  const { run, empty } = await makeFolders(started);
  const machine = await openMachine({ instance: instance.name, folder: run, clock, settings: now });
  const addressOf = createAddressOf(parseNetworks(started.trustedProxies).networks);
  const engine = buildEngine({
    ...{ clock, log, started, settings: now, instance: instance.name, machine, emptyFolder: empty, addressOf },
    ...(demo !== undefined && { demo }),
  });
  const sockets = createClientSockets({ clock, log, addressOf, accept: (client) => engine.sessions.accept(client) });
  const stopAll = async () => {
    await Promise.all([engine.stop(), sockets.close()]);
    await machine.close();
    await instance.release();
  };
  const warnings = warningsOf(machine, started);
  for (const warning of warnings) log.warn(warning);

  // Nothing of an earlier run is there when the first client comes.
  await engine.sweeping.sweep();
  const answers = answersOf({ clock, engine, machine, settings: now, warnings });
  const http = await listen(now, { log, addressOf, sockets, answers }).catch(async (error: unknown) => {
    await stopAll();
    throw error;
  });
  const background = startBackground(started, engine, machine.isolation, clock, log);

  return {
    ...{ port: http.port, warnings, isolation: machine.isolation.facts.name },
    reload(next) {
      const { inForce, afterRestart } = reloaded(started, next);
      settings = inForce;
      return afterRestart;
    },
    async stop() {
      await Promise.all(background.map((part) => part.stop()));
      const closing = http.close(1);
      await stopAll();
      await closing;
    },
  };
}

async function makeFolders({ stateDir, cache }: SimulationSettings): Promise<{ readonly run: string; readonly empty: string }> {
  const [run, empty] = [join(stateDir, 'run'), join(stateDir, 'empty')];
  for (const folder of [run, empty, cache.dir]) await mkdir(folder, { recursive: true, mode: 0o700 });
  return { run, empty };
}

interface Listening {
  readonly log: Log;
  readonly addressOf: AddressOf;
  readonly sockets: ClientSockets;
  readonly answers: Answers;
}

function listen(settings: () => SimulationSettings, { log, addressOf, sockets, answers }: Listening): Promise<HttpServer> {
  const { listen: host, port } = settings();
  return startSimulationHttp({
    ...{ host, port, addressOf, log, sockets, ready: () => true, ...answers },
    // Sessions, connections without a start message yet, and programs that call.
    maxClients: () => settings().maxConnections + settings().limits.accepted + 200,
  });
}

/** What runs beside the sessions. */
function startBackground(
  started: SimulationSettings,
  { sweeping, projects, builds, simulator }: Engine,
  isolation: Isolation,
  clock: Clock,
  log: Log,
): readonly { stop(): Promise<void> }[] {
  sweeping.start();
  const form = formOf(started);
  return [
    sweeping,
    startEvicting(projects, builds, clock, log),
    startPulling({ log, isolation, simulator, versions: started.container.versions }),
    ...startAnnouncing({ clock, log, receivers: started.notify, form, post: postForm }),
  ];
}

/** Seconds between two checks of the cache. */
const EVICT_EVERY = 60;

function startEvicting(projects: GitProjects, builds: ProjectBuilds, clock: Clock, log: Log): Loop {
  // An earlier run may have left images.
  let removed = 1;
  return startLoop({
    ...{ clock, delay: EVICT_EVERY },
    cycle: async () => {
      removed += await projects.evict();
      if (removed > 0) await builds.removeUnusedImages();
      removed = 0;
      return EVICT_EVERY;
    },
    failed: (error) => {
      log.error('checking the cache failed', { error });
      return EVICT_EVERY;
    },
  });
}

/** How this server announces itself, in the original's words. */
function formOf(settings: SimulationSettings): Readonly<Record<string, string>> {
  return {
    url: announcedUrl(settings, settings.port),
    shareIdleTime: String(settings.shareIdleTime),
    allowedRepositories: (settings.allowedRepositories ?? []).join(','),
  };
}
