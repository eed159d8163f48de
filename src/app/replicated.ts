/** A replica in production: Redis, and HTTP between the replicas. Loaded only when `replicas` is configured. */
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { ReplicaSettings, Settings } from '../config/settings.ts';
import { startFollowerServer } from '../http/follower.ts';
import { createRedisStore } from '../stores/redis/store.ts';
import { realAdapters, type Environment } from './adapters.ts';
import type { App } from './index.ts';
import { startReplica } from './replica.ts';

/** Milliseconds that another replica has to say whether it reaches the store. */
const DEADLINE = 500;

/** Throws the `listen` error of the port, and an error when the certificate of the authority cannot be read. */
export async function startReplicated(replicas: ReplicaSettings, settings: Settings, environment: Environment): Promise<App> {
  const { store: url, user, password, authority, prefix, address, name = `${hostname()}:${settings.port}`, alone } = replicas;
  const certificate = authority === undefined ? undefined : await readFile(authority, 'utf8');
  const id = `${name}-${randomBytes(6).toString('hex')}`;
  return startReplica(settings, environment, realAdapters, {
    store: createRedisStore({ url, user, password, prefix, authority: certificate }),
    self: {
      ...{ id, name, version: environment.version, settings: digestOf(settings) },
      ...(address !== undefined && { address }),
    },
    goesOnAlone: () => alone === 'continue',
    reachesStore,
    listen: (port, replication) => startFollowerServer({ host: settings.listen, port, replication }),
  });
}

async function reachesStore(address: string): Promise<boolean> {
  try {
    const response = await fetch(`${address}/readyz?of=store`, { signal: AbortSignal.timeout(DEADLINE), redirect: 'error' });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** Of the settings that decisions depend on. */
function digestOf({ simulationServers, allocation, waiting, projects, limits, loadThreshold, downAfter }: Settings): string {
  const text = JSON.stringify([simulationServers, allocation, waiting, projects, limits, loadThreshold, downAfter]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
