/** What the simulation server runs with: the configuration with every path, default and environment variable resolved. Pure. */
import { dirname, join } from 'node:path';
import { absolutePath, type Environment } from '../../config/environment.ts';
import type { Configuration } from './schema.ts';

type Resolved = 'logDir' | 'stateDir' | 'webotsHome' | 'notify' | 'cache' | 'projects' | 'display' | 'timeout' | '$schema';

export interface SimulationSettings extends Readonly<Omit<Configuration, Resolved>> {
  /** Absolute paths. */
  readonly logDir: string;
  readonly stateDir: string;
  readonly webotsHome: string;
  readonly notify: readonly string[];
  readonly cache: Readonly<Omit<Configuration['cache'], 'dir'>> & { readonly dir: string };
  readonly projects: Readonly<Omit<Configuration['projects'], 'credentials' | 'proxy' | 'caFile'>> & {
    /** Absolute path. */
    readonly credentials?: string;
    readonly proxy?: string;
    readonly noProxy?: string;
    readonly caFile?: string;
  };
  readonly display: string;
  /** Seconds. */
  readonly timeout: number;
}

/** The original's clients warn five minutes before the end, so it takes nothing shorter than six. */
const MIN_TIMEOUT = 360;
const DEFAULT_TIMEOUT = 7200;

export function toSimulationSettings(configuration: Configuration, environment: Environment): SimulationSettings {
  const { $schema: _, stateDir: state, webotsHome, notify, cache, projects, display, timeout, ...plain } = configuration;
  const { env } = environment;
  const path = (text: string) => absolutePath(text, environment);
  const logDir = path(plain.logDir);
  const stateDir = state === undefined ? join(dirname(logDir), 'state', 'simulation') : path(state);
  return {
    ...plain,
    ...{ logDir, stateDir },
    webotsHome: path(webotsHome ?? env['WEBOTS_HOME'] ?? '/usr/local/webots'),
    notify: typeof notify === 'string' ? [notify] : notify,
    cache: { ...cache, dir: cache.dir === undefined ? join(stateDir, 'cache') : path(cache.dir) },
    projects: {
      mirrors: projects.mirrors,
      hosts: projects.hosts,
      ...(projects.credentials !== undefined && { credentials: path(projects.credentials) }),
      ...optional('proxy', projects.proxy ?? env['HTTPS_PROXY'] ?? env['https_proxy']),
      ...optional('noProxy', env['NO_PROXY'] ?? env['no_proxy']),
      ...optional('caFile', projects.caFile === undefined ? env['SSL_CERT_FILE'] : path(projects.caFile)),
    },
    display: display ?? env['DISPLAY'] ?? ':0',
    timeout: timeout < MIN_TIMEOUT ? DEFAULT_TIMEOUT : timeout,
  };
}

/** The longest a session may last, in seconds. */
export function maxSessionTime({ timeout, limits }: SimulationSettings): number {
  return Math.min(timeout, limits.time ?? Infinity);
}

function optional<K extends string>(key: K, value: string | undefined): { readonly [Key in K]?: string } {
  return value === undefined || value === '' ? {} : ({ [key]: value } as { readonly [Key in K]?: string });
}
