/** Finds the configuration file that a command uses (PROTOCOL § 2). */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

export type Found =
  | { readonly kind: 'found'; readonly path: string } /** A sentence about the command line. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Where `session-server setup` writes the configuration. */
export const INSTALLED = '/etc/session-server/session.json';

const LOCAL = join('config', 'session', 'local.json');

/**
 * `args` are the arguments of the command line that name files. Without any: `config/session/local.json` of the working directory, or the one of the
 * package.
 */
export function findConfiguration(args: readonly string[], cwd: string, packageRoot: string): Found {
  const named = findNamed(args, cwd);
  if (named !== undefined) return named;
  const own = join(cwd, LOCAL);
  return { kind: 'found', path: existsSync(own) ? own : join(packageRoot, LOCAL) };
}

/** The same for commands that maintain an installation: the default is the installed configuration, and never one of the package. */
export function findInstalled(args: readonly string[], cwd: string, installed = INSTALLED): Found {
  const named = findNamed(args, cwd);
  if (named !== undefined) return named;
  if (existsSync(installed)) return { kind: 'found', path: installed };
  return {
    kind: 'refused',
    reason: `there is no configuration at ${installed}; name a configuration file, or run "session-server setup" first`,
  };
}

function findNamed(args: readonly string[], cwd: string): Found | undefined {
  const [path, ...more] = args;
  if (more.length > 0) return { kind: 'refused', reason: `too many arguments: ${args.length}; name one configuration file` };
  if (path === '')
    return { kind: 'refused', reason: 'the path of the configuration file is empty; name the file, or leave the argument out' };
  return path === undefined ? undefined : { kind: 'found', path: resolve(cwd, path) };
}
