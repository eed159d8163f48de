/**
 * How Git is run: without any configuration but ours, without questions at a terminal, hooks or submodules, and with protocols from a list. It never runs
 * inside the folder of a project. Text from a client comes after `--end-of-options`, or after a fixed prefix in the same argument.
 */
import type { Launcher, RunOptions, RunResult } from '../ports.ts';

export interface GitSettings {
  readonly mirrors: Readonly<Record<string, string>>;
  /** File of logins. */
  readonly credentials?: string;
  readonly proxy?: string;
  readonly noProxy?: string;
  readonly caFile?: string;
}

export type Git = (args: readonly string[], options?: RunOptions) => Promise<RunResult>;

export function createGit(launcher: Pick<Launcher, 'run'>, settings: () => GitSettings): Git {
  return (args, options = {}) => {
    const current = settings();
    return launcher.run(['git', ...configuration(current), ...args], {
      ...options,
      environment: { ...environment(current), ...options.environment },
    });
  };
}

/** Where a repository is fetched from. A mirror in a folder may have its repositories with or without `.git`, which Git finds out. */
export function remoteUrl(remote: string, mirrors: Readonly<Record<string, string>>): string {
  for (const [prefix, target] of Object.entries(mirrors))
    if (remote.startsWith(prefix)) return `${target}${remote.slice(prefix.length)}${target.startsWith('file:') ? '' : '.git'}`;
  return `${remote}.git`;
}

function configuration({ mirrors, credentials }: GitSettings): string[] {
  const protocols = new Set(['https', ...Object.values(mirrors).map((url) => url.slice(0, url.indexOf(':')))]);
  const values = {
    'protocol.allow': 'never',
    ...Object.fromEntries([...protocols].map((name) => [`protocol.${name}.allow`, 'always'])),
    'core.hooksPath': '/dev/null',
    'core.attributesFile': '/dev/null',
    'core.fsmonitor': 'false',
    'core.autocrlf': 'false',
    // Larger files are not read into memory.
    'core.bigFileThreshold': '16m',
    'transfer.fsckObjects': 'true',
    'http.followRedirects': 'initial',
    'http.lowSpeedLimit': '1000',
    'http.lowSpeedTime': '20',
    'submodule.recurse': 'false',
    'gc.auto': '0',
    'maintenance.auto': 'false',
    'advice.detachedHead': 'false',
    'credential.helper': credentials === undefined ? '' : `store --file=${credentials}`,
  };
  return Object.entries(values).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
}

function environment({ proxy, noProxy, caFile }: GitSettings): Record<string, string> {
  return {
    ...{ GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_TERMINAL_PROMPT: '0', GIT_LFS_SKIP_SMUDGE: '1' },
    ...{ GIT_OPTIONAL_LOCKS: '0', HOME: '/nonexistent', LC_ALL: 'C' },
    ...(proxy !== undefined && { HTTPS_PROXY: proxy, https_proxy: proxy }),
    ...(noProxy !== undefined && { NO_PROXY: noProxy, no_proxy: noProxy }),
    ...(caFile !== undefined && { GIT_SSL_CAINFO: caFile }),
  };
}
