/** The whole session server inside the test's own process, with real sockets, and with the real clock unless a test brings its own. */
import { createSharedLookup } from '../../src/probes/shared-lookup.ts';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { startApp, type App } from '../../src/app/index.ts';
import { schema, type ConfigurationFile } from '../../src/config/schema.ts';
import { toSettings, type Settings } from '../../src/config/settings.ts';
import type { Clock } from '../../src/ports.ts';
import { systemClock } from '../../src/system/system-clock.ts';
import { MemoryLog } from './memory-log.ts';
import { temporary, type Scope } from './start-program.ts';

export interface RunningApp {
  readonly app: App;
  readonly log: MemoryLog;
  /** Of the gateway. */
  readonly port: number;
  /** `http://localhost:PORT` of the gateway. */
  readonly url: string;
  /** `ws://localhost:PORT` of the gateway. */
  readonly socketUrl: string;
  readonly settings: (file: Partial<ConfigurationFile>) => Settings;
  readonly stop: () => Promise<void>;
}

/** Listens on free ports of this machine alone. */
export async function startAppInside(
  scope: Scope,
  file: Partial<ConfigurationFile>,
  clock: Clock = systemClock,
): Promise<RunningApp> {
  let stop: () => Promise<void> = () => Promise.resolve();
  // In this order: what runs still writes into the folder.
  scope.after(() => stop());
  const folder = temporary(scope);
  const settings = ({ gateway, ...more }: Partial<ConfigurationFile>): Settings =>
    toSettings(
      schema.parse({
        ...{
          server: 'localhost',
          ssl: false,
          port: 0,
          listen: '127.0.0.1',
          simulationServers: [],
          pollInterval: 0.5,
          pollTimeout: 0.4,
        },
        ...{ logDir: join(folder, 'log'), ...more },
        ...(gateway !== undefined && { gateway: { listen: '127.0.0.1', ...gateway } }),
      }),
      { webhookSecrets: new Map() },
      { env: {}, cwd: folder, home: folder, readFile: () => Promise.resolve({ kind: 'missing', code: 'ENOENT' }) },
    );
  const log = new MemoryLog();
  const newId = () => randomBytes(16).toString('base64url');
  const names = createSharedLookup();
  const app = await startApp(settings(file), { clock, random: Math.random, newId, log, names, version: '0.0.0' });
  let stopped: Promise<void> | undefined;
  stop = () => (stopped ??= app.stop());
  const port = app.gateway?.port ?? app.port;
  return { app, log, port, url: `http://localhost:${port}`, socketUrl: `ws://localhost:${port}`, settings, stop };
}
