import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of this package, from the sources and from the build. */
export const packageRoot: string = findRoot(import.meta.dirname);

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('the program is not complete: package.json is missing');
  return findRoot(parent);
}
