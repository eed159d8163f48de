/** Which keys of new settings take effect at once. The others keep the value of the start, because what they concern is built once. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { SimulationSettings } from '../settings/settings.ts';

const RESTART_KEYS = [
  ...(['port', 'docker', 'logDir', 'monitorLogEnabled', 'debug', 'listen', 'trustedProxies', 'stateDir'] as const),
  ...(['logFormat', 'simulator'] as const),
] as const;

export interface Reloaded {
  readonly inForce: SimulationSettings;
  /** Keys whose new value needs a restart. */
  readonly afterRestart: readonly string[];
}

export function reloaded(started: SimulationSettings, next: SimulationSettings): Reloaded {
  const kept = Object.fromEntries(RESTART_KEYS.map((key) => [key, started[key]])) as Pick<
    SimulationSettings,
    (typeof RESTART_KEYS)[number]
  >;
  const afterRestart: string[] = RESTART_KEYS.filter((key) => !isDeepStrictEqual(started[key], next[key]));
  if (started.isolation.use !== next.isolation.use) afterRestart.push('isolation.use');
  if (started.cache.dir !== next.cache.dir) afterRestart.push('cache.dir');
  if (!isDeepStrictEqual(started.container.versions, next.container.versions)) afterRestart.push('container.versions');
  return {
    inForce: {
      ...{ ...next, ...kept },
      isolation: { ...next.isolation, use: started.isolation.use },
      cache: { ...next.cache, dir: started.cache.dir },
    },
    afterRestart,
  };
}
