/** Which of the two programs a configuration file is for. People have both, of the same form, side by side. */
import { isObject } from './keys.ts';

/** Keys that simulation servers have and session servers do not. */
const OF_SIMULATION_SERVERS = [
  ...['webotsHome', 'projectsDir', 'docker', 'maxConnections', 'notify', 'monitorLogEnabled', 'timeout', 'shareIdleTime'],
  ...['allowedRepositories', 'blockedRepositories', 'persistantDockerImages', 'simulator', 'simulators', 'isolation', 'display'],
];

/** `undefined`: it could be for either. */
export function programOf(file: unknown): 'session' | 'simulation' | undefined {
  if (!isObject(file)) return undefined;
  if (Object.hasOwn(file, 'simulationServers')) return 'session';
  return OF_SIMULATION_SERVERS.some((key) => Object.hasOwn(file, key)) ? 'simulation' : undefined;
}
