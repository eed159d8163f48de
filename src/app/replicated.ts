/** A replica in production: Redis, and HTTP between the replicas. Loaded only when `replicas` is configured. */
import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import type { ReplicaSettings, Settings } from '../config/settings.ts';
import type { Digests } from '../core/replicas/member.ts';
import { startReplicaPort } from '../http/replicas/replica-port.ts';
import { connectLink } from '../http/replicas/link-socket.ts';
import { createRedisStore, type RedisStoreOptions } from '../stores/redis/store.ts';
import { realAdapters, type Environment } from './adapters.ts';
import type { App } from './index.ts';
import { startReplica } from './replica.ts';

/** Milliseconds that another replica has to say whether it reaches the store. */
const DEADLINE = 500;

/** Throws the `listen` error of the port. */
export async function startReplicated(replicas: ReplicaSettings, settings: Settings, environment: Environment): Promise<App> {
  const { address, name = `${hostname()}:${settings.port}`, alone } = replicas;
  const id = `${name}-${randomBytes(6).toString('hex')}`;
  return startReplica(settings, environment, realAdapters, {
    store: createRedisStore(redisOptions(replicas)),
    self: {
      ...{ id, name, version: environment.version },
      ...(address !== undefined && { address }),
    },
    digests: digestsOf,
    endOfTurn: () => setImmediate(),
    goesOnAlone: () => alone === 'continue',
    reachesStore,
    listen: (options) => startReplicaPort({ ...environment, ...options }),
    connect: (leader) => connectLink(leader, id, environment),
  });
}

export function redisOptions({ store: url, sentinels, user, password, prefix, files: tls }: ReplicaSettings): RedisStoreOptions {
  return { url, sentinels, user, password, prefix, tls };
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

/** Of the settings that decisions depend on, without secrets. */
export function digestsOf(settings: Settings): Digests {
  const { simulationServers, allocation, waiting, projects, limits, gateway, server, handOutSsl, admin } = settings;
  const { loadThreshold, downAfter, pollInterval, pollTimeout, mail, webhooks, registration } = settings;
  const sections = {
    ...{ simulationServers, allocation, waiting, projects, limits, gateway },
    hosts: [server, handOutSsl],
    polling: [loadThreshold, downAfter, pollInterval, pollTimeout],
    notifications: [mail?.administrator, webhooks.map(({ url, format }) => [url, format])],
    operators: admin.tokens.map(({ name }) => name),
    registration: { ...registration, token: registration.token !== undefined },
  };
  return Object.fromEntries(Object.entries(sections).map(([section, value]) => [section, digest(JSON.stringify(value))]));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
