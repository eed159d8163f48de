/** Finds the configuration file that a command uses (docs/design/protocol.md, "Configuration file"). */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Where `session-server setup` writes the configuration. */
export const INSTALLED = '/etc/session-server/session.json';

const LOCAL = join('config', 'session', 'local.json');

/** `named` on the command line; else `config/session/local.json` of the working directory, or the one of the package. */
export function findConfiguration(named: string | undefined, cwd: string, packageRoot: string): string {
  if (named !== undefined) return resolve(cwd, named);
  const own = join(cwd, LOCAL);
  return existsSync(own) ? own : join(packageRoot, LOCAL);
}

/** Nothing was configured: it is only an example to look at. */
export function isOfPackage(path: string, packageRoot: string): boolean {
  return path === join(packageRoot, LOCAL);
}

export type Found =
  | { readonly kind: 'found'; readonly path: string }
  /** `reason`: a sentence about the command line. */
  | { readonly kind: 'refused'; readonly reason: string };

/** The same for commands that maintain an installation: the default is the installed configuration, and never one of the package. */
export function findInstalled(named: string | undefined, cwd: string, installed = INSTALLED): Found {
  if (named !== undefined) return { kind: 'found', path: resolve(cwd, named) };
  if (existsSync(installed)) return { kind: 'found', path: installed };
  return {
    kind: 'refused',
    reason: `there is no configuration at ${installed}; name a configuration file, or run "session-server setup" first`,
  };
}
