/** What Git prints, read strictly. Pure. */
import type { Recipe } from './build-recipe.ts';
import type { RunnableProject } from './project-address.ts';

export type Reading = RunnableProject['readings'][number];

export interface ResolvedVersion extends Reading {
  readonly commit: string;
}

/** A whole commit id needs no question to the repository. */
export function versionIsCommit({ readings }: Pick<RunnableProject, 'readings'>): ResolvedVersion | undefined {
  const last = readings.at(-1);
  return last !== undefined && /^[0-9a-f]{40}$/.test(last.version) ? { ...last, commit: last.version } : undefined;
}

/** Names to ask the repository for. A branch goes before a tag of the same name, as for the original. */
export function refsOf(readings: readonly Reading[]): readonly string[] {
  return readings.flatMap(({ version }) => [`refs/heads/${version}`, `refs/tags/${version}`, `refs/tags/${version}^{}`]);
}

/** The longest version that the repository has. `output` is that of `git ls-remote`. */
export function resolveVersion(readings: readonly Reading[], output: string): ResolvedVersion | undefined {
  const commits = new Map<string, string>();
  for (const line of output.split('\n')) {
    const [commit = '', ref = ''] = line.split('\t');
    if (/^[0-9a-f]{40}$/.test(commit)) commits.set(ref, commit);
  }
  for (const reading of readings) {
    const { version } = reading;
    const commit =
      commits.get(`refs/heads/${version}`) ?? commits.get(`refs/tags/${version}^{}`) ?? commits.get(`refs/tags/${version}`);
    if (commit !== undefined) return { ...reading, commit };
  }
  return undefined;
}

export interface TreeFacts {
  /** Paths of symbolic links. */
  readonly links: readonly string[];
  /** Regular files directly below `worlds`. */
  readonly worlds: readonly string[];
  /** The first of `webots.yml` and `webots.yaml` that is a regular file. */
  readonly webotsYaml?: string;
  /** Which of them are regular files directly in the folder. */
  readonly recipes: readonly Recipe[];
  readonly files: number;
}

/** `output` is that of `git ls-tree -r -z`. */
export function readTree(output: string): TreeFacts {
  const links: string[] = [];
  const worlds: string[] = [];
  const yaml = new Set<string>();
  const recipes: Recipe[] = [];
  let files = 0;
  for (const entry of output.split('\0')) {
    const { mode, path } = /^(?<mode>[0-7]{6}) [a-z]+ [0-9a-f]+\t(?<path>[^]+)$/.exec(entry)?.groups ?? {};
    if (mode === undefined || path === undefined) continue;
    files += 1;
    if (mode === '120000') links.push(path);
    if (!mode.startsWith('100')) continue;
    if (/^worlds\/[^/]+$/.test(path)) worlds.push(path.slice('worlds/'.length));
    if (path === 'webots.yml' || path === 'webots.yaml') yaml.add(path);
    if (path === 'Dockerfile' || path === 'Makefile') recipes.push(path);
  }
  const webotsYaml = ['webots.yml', 'webots.yaml'].find((name) => yaml.has(name));
  return { links, worlds, recipes, files, ...(webotsYaml !== undefined && { webotsYaml }) };
}

/** Why Git could not find, reach or store a repository, from what it says; `undefined`: something else is wrong. */
export function remoteFailure(stderr: string): 'missing' | 'unreachable' | 'full' | undefined {
  if (/No space left on device|Disk quota exceeded/i.test(stderr)) return 'full';
  if (
    /repository '.*' not found|could not read Username|could not read Password|Authentication failed|does not appear to be a git repository|does not exist|Repository not found|error: 40[134]\b|HTTP 40[134]\b|remote: Not Found/i.test(
      stderr,
    )
  )
    return 'missing';
  if (
    /Could not resolve|Failed to connect|Couldn't connect|Connection (?:refused|reset|timed out)|Operation (?:timed out|too slow)|error: 5\d\d|HTTP 5\d\d|RPC failed|early EOF|unexpected disconnect|hung up unexpectedly|Empty reply|SSL|certificate|gnutls|GnuTLS|Recv failure|transfer closed|bad gateway/i.test(
      stderr,
    )
  )
    return 'unreachable';
  return undefined;
}
