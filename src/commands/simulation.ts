/** `session-server simulation`: the simulation server. The configuration is read again at SIGHUP and when the file changes. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { formatProblem } from '../config/problem.ts';
import { watchConfiguration } from '../config/watch.ts';
import { startLoop, type Loop } from '../engine/loop.ts';
import { logPath, openLog, type OpenLog } from '../logging/log.ts';
import type { SimulationApp } from '../simulation/app/start.ts';
import { loadSimulationConfiguration } from '../simulation/settings/load.ts';
import { keepYoungHeapSmall } from '../system/process-memory.ts';
import { packageRoot } from '../system/package-root.ts';
import { systemClock } from '../system/system-clock.ts';
import { version } from '../system/version.ts';
import { REFUSED } from './configuration.ts';
import { FAILED, ProcessLifecycle } from './process-lifecycle.ts';

/** Seconds in which all sessions have to end. */
const MAX_STOP = 8;

export async function simulationCommand(path: string): Promise<void> {
  keepYoungHeapSmall();
  const life = new ProcessLifecycle({ reloads: true, maxStop: MAX_STOP });
  // The demo starts it as a child, which does not outlive its parent.
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  const loaded = await loadSimulationConfiguration(path);
  for (const warning of loaded.warnings) console.error(`warning: ${formatProblem(warning)}`);
  if (loaded.kind === 'refused') {
    for (const problem of loaded.problems) console.error(`error: ${formatProblem(problem)}`);
    process.exitCode = REFUSED;
    return;
  }
  if (life.ending) return;
  const { settings } = loaded;
  const { logDir, debug, logFormat: format } = settings;
  const log = openLog({ ...{ logDir, debug, format }, program: 'simulation', clock: systemClock });
  life.log = log;
  life.endOnBugs(log);
  for (const warning of loaded.warnings) log.warn(formatProblem(warning));

  const { startSimulation } = await import('../simulation/app/start.ts');
  const starting = startSimulation(settings, { clock: systemClock, log, ...demoProgram() });
  life.add({ stop: async () => (await starting.catch(() => undefined))?.stop() });
  let app: SimulationApp;
  try {
    app = await starting;
  } catch (error) {
    sayCannotStart(error, settings.port);
    await log.close();
    return;
  }
  const reloading = startReloading(loaded.path, app, log);
  const watching = watchConfiguration(loaded.path, {
    clock: systemClock,
    changed: () => {
      reloading.wake();
    },
  });
  life.add(reloading, { stop: async () => (await watching).stop() });
  life.onReload(() => {
    reloading.wake();
  });
  log.info(`Running simulation server on port ${app.port}`);
  const say = debug && format === 'json' ? console.error : console.log;
  say(`Simulation server ${version} on port ${app.port}, configured by ${loaded.path}`);
  say(`Isolation: ${app.isolation}`);
  for (const warning of app.warnings) say(`Warning: ${warning}`);
  say(`Log: ${debug ? 'here' : logPath(logDir, 'simulation')}`);
}

/** `simulation --sweep`: after a server that was killed, for the supervisor. A server that runs is left alone. */
export async function sweepCommand(path: string): Promise<void> {
  const loaded = await loadSimulationConfiguration(path);
  if (loaded.kind === 'refused') {
    for (const problem of loaded.problems) console.error(`error: ${formatProblem(problem)}`);
    process.exitCode = REFUSED;
    return;
  }
  const { logDir, debug, logFormat: format } = loaded.settings;
  const log = openLog({ ...{ logDir, debug, format }, program: 'simulation', clock: systemClock });
  const { sweepLeftovers } = await import('../simulation/app/sweep.ts');
  try {
    const count = await sweepLeftovers(loaded.settings, { clock: systemClock, log });
    console.log(count === 1 ? '1 leftover was removed' : `${count} leftovers were removed`);
  } catch (error) {
    sayCannotStart(error, loaded.settings.port);
  } finally {
    await log.close();
  }
}

/** Options of Node for the simulator of the demo: 81 instead of 109 MiB, for half a percent of a core. */
const SMALL_HEAP = ['--max-semi-space-size=1', '--optimize-for-size'];

/** The program of the built-in simulator lies beside this one, where it is installed. */
function demoProgram(): { readonly demo?: readonly string[] } {
  const path = join(packageRoot, 'dist', 'program', 'demo-simulator.js');
  return existsSync(path) ? { demo: [process.execPath, ...SMALL_HEAP, path] } : {};
}

function sayCannotStart(error: unknown, port: number): void {
  process.exitCode = FAILED;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    console.error(`error: port: ${port} — another program listens there; stop it, or choose another port`);
  else if (code === 'EACCES') console.error(`error: port: ${port} — this user may not listen there; choose one above 1023`);
  else if (code === 'in-use' && error instanceof Error)
    console.error(`error: stateDir: ${error.message}; stop it, or choose another folder`);
  else throw error;
}

function startReloading(path: string, app: SimulationApp, log: OpenLog): Loop {
  return startLoop({
    clock: systemClock,
    delay: Infinity,
    cycle: async () => {
      const result = await loadSimulationConfiguration(path);
      for (const warning of result.warnings) log.warn(formatProblem(warning));
      if (result.kind === 'refused') {
        for (const problem of result.problems) log.error(formatProblem(problem));
        log.error('the new configuration is rejected; the current one stays active', { path });
        return Infinity;
      }
      const afterRestart = app.reload(result.settings);
      log.info('configuration read again', { path });
      if (afterRestart.length > 0) log.warn(`these keys take effect after a restart: ${afterRestart.join(', ')}`);
      return Infinity;
    },
    failed: (error) => {
      log.error('reading the configuration again failed; the current one stays active', { error });
      return Infinity;
    },
  });
}
