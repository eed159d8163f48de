/** Which configuration file is meant (docs/design/protocol.md, "Configuration file"). */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Problem } from './problem.ts';

export type Found =
  { readonly kind: 'found'; readonly path: string } | { readonly kind: 'refused'; readonly problems: readonly Problem[] };

/** Where `session-server setup` writes it. */
export const INSTALLED = '/etc/session-server/session.json';

const LOCAL = join('config', 'session', 'local.json');

/**
 * `args` are the arguments of the command line that name files. None: `config/session/local.json` of the working directory, else the one that ships
 * with the package.
 */
export function findConfiguration(args: readonly string[], cwd: string, packageRoot: string): Found {
  const named = findNamed(args, cwd);
  if (named !== undefined) return named;
  const own = join(cwd, LOCAL);
  return { kind: 'found', path: existsSync(own) ? own : join(packageRoot, LOCAL) };
}

/** The same for commands that look after an installation: none named is the one that was installed, and never one that ships with the package. */
export function findInstalled(args: readonly string[], cwd: string, installed = INSTALLED): Found {
  const named = findNamed(args, cwd);
  if (named !== undefined) return named;
  if (existsSync(installed)) return { kind: 'found', path: installed };
  const problem = {
    value: 'no configuration file',
    expected: `the path of one, because there is none at ${installed}, where "session-server setup" writes it`,
    fix: 'name it, or run "session-server setup" first',
  };
  return { kind: 'refused', problems: [{ key: 'command line', ...problem }] };
}

function findNamed(args: readonly string[], cwd: string): Found | undefined {
  const [path, ...more] = args;
  if (more.length > 0) {
    const problem = { value: `${args.length} arguments`, expected: 'one configuration file, or none', fix: 'name one file' };
    return { kind: 'refused', problems: [{ key: 'command line', ...problem }] };
  }
  if (path === '') {
    const problem = {
      value: '"" (empty)',
      expected: 'the path of a configuration file',
      fix: 'name the file, or leave the argument out',
    };
    return { kind: 'refused', problems: [{ key: 'command line', ...problem }] };
  }
  return path === undefined ? undefined : { kind: 'found', path: resolve(cwd, path) };
}
