/** Which configuration file is meant (PROTOCOL § 2). */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Problem } from './problem.ts';

export type Found =
  { readonly kind: 'found'; readonly path: string } | { readonly kind: 'refused'; readonly problems: readonly Problem[] };

const LOCAL = join('config', 'session', 'local.json');

/**
 * `args` are the arguments of the command line that name files. None: `config/session/local.json` of the working directory, else the one that ships
 * with the package.
 */
export function findConfiguration(args: readonly string[], cwd: string, packageRoot: string): Found {
  const [path, ...more] = args;
  if (more.length > 0) {
    const problem = { value: `${args.length} arguments`, expected: 'one configuration file, or none', mend: 'name one file' };
    return { kind: 'refused', problems: [{ key: 'command line', ...problem }] };
  }
  if (path === '') {
    const problem = {
      value: '"" (empty)',
      expected: 'the path of a configuration file',
      mend: 'name the file, or leave the argument out',
    };
    return { kind: 'refused', problems: [{ key: 'command line', ...problem }] };
  }
  if (path !== undefined) return { kind: 'found', path: resolve(cwd, path) };
  const own = join(cwd, LOCAL);
  return { kind: 'found', path: existsSync(own) ? own : join(packageRoot, LOCAL) };
}
