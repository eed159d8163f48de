/**
 * The session server inside the test's own process, from a configuration file, with real sockets, the real clock and a log file: what `start` runs, without
 * the process around it. A process of its own costs the CPU of many tests, and is needed where signals, memory, limits of the system or output count.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startApp } from '../../src/app/index.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import type { Settings } from '../../src/config/settings.ts';
import { openLog } from '../../src/logging/log.ts';
import { createSharedLookup } from '../../src/probes/shared-lookup.ts';
import { systemClock } from '../../src/system/system-clock.ts';
import {
  configurationIn,
  getText,
  logIn,
  temporary,
  type Configuration,
  type RunningProgram,
  type Scope,
} from './start-program.ts';

export interface InsideOptions {
  /** A folder that outlives this run; default: one of this run alone. */
  readonly folder?: string;
}

export async function startProgramInside(
  scope: Scope,
  configuration: Configuration,
  options: InsideOptions = {},
): Promise<RunningProgram> {
  let stop: () => Promise<void> = () => Promise.resolve();
  // In this order: what runs still writes into the folder.
  scope.after(() => stop());
  const folder = options.folder ?? temporary(scope);
  const path = join(folder, 'session.json');
  let written = configurationIn(folder, configuration);
  const settings = await settingsOf(path, written);
  const log = openLog({ logDir: settings.logDir, debug: false, format: settings.logFormat, clock: systemClock });
  const names = createSharedLookup();
  const environment = { clock: systemClock, random: Math.random, newId: () => randomUUID(), log, version: '0.0.0', names };
  const app = await startApp(settings, environment);
  let stopped: Promise<void> | undefined;
  stop = () => (stopped ??= app.stop().then(() => log.close()));
  const url = `http://127.0.0.1:${app.port}`;
  return {
    ...{ port: app.port, folder, url, socketUrl: url.replace('http', 'ws'), stop: () => stop() },
    get log() {
      return logIn(folder);
    },
    get: (target, init) => getText(url + target, init),
    async reconfigure(change) {
      written = { ...written, ...change };
      await app.reload(await settingsOf(path, written));
    },
  };
}

async function settingsOf(path: string, configuration: Configuration): Promise<Settings> {
  writeFileSync(path, JSON.stringify(configuration));
  const loaded = await loadConfiguration(path);
  if (loaded.kind === 'loaded') return loaded.settings;
  throw new Error(`the configuration is refused: ${loaded.problems.map(formatProblem).join('; ')}`);
}
