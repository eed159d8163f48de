/**
 * Tells when the configuration file has changed, however it was changed: written in place, replaced by renaming, deleted and made again, or by
 * changing a symbolic link on the way to it, as Kubernetes does.
 *
 * The file itself cannot be watched, because a watch stays with the old file when a new one takes its name. So the folders are watched in which
 * something on the way to the file can change, and what happens there is only a reason to look: the file counts as changed when its identity, size
 * or times differ from those told last, and as complete when they stayed the same from one look to the next. Network file systems report nothing;
 * there SIGHUP remains.
 */
import { watch, type FSWatcher } from 'node:fs';
import { readlink, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, parse, resolve, sep } from 'node:path';

/** The way to the file. */
interface Way {
  /** Paths of folders to be watched, with what tells a folder from another of the same name. */
  readonly folders: ReadonlyMap<string, string>;
  /** Names of everything on the way; nothing else that happens in the folders matters. */
  readonly names: ReadonlySet<string>;
}

export interface ConfigurationWatch {
  close(): Promise<void>;
}

export interface WatchOptions {
  /** Called once for each change, when the file has come to rest. The file may be gone. */
  readonly changed: () => void;
  /** Watching failed, for instance because the system has no more watches to give. The program goes on without it. */
  readonly failed: (error: unknown) => void;
  /** Milliseconds without a change after which the file is at rest. */
  readonly restMs?: number;
}

/** Resolves when the watch is set; what changes from then on is told. */
export async function watchConfiguration(
  path: string,
  { changed, failed, restMs = 200 }: WatchOptions,
): Promise<ConfigurationWatch> {
  const file = resolve(path);
  let told = await fingerprint(file);
  let seen = told;
  let way: Way = { folders: new Map(), names: new Set() };
  let watchers: readonly FSWatcher[] = [];
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  let closed = false;

  const stirred = (): void => {
    if (closed || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      looking = looking.then(look);
    }, restMs);
  };

  const look = async (): Promise<void> => {
    const now = await fingerprint(file);
    if (closed) return;
    const atRest = now === seen;
    seen = now;
    if (!atRest) {
      stirred();
      return;
    }
    await follow();
    if (now === told) return;
    told = now;
    changed();
  };

  /** Watches where the file is now; a link may point elsewhere than before, or a folder be another one of the same name. */
  const follow = async (): Promise<void> => {
    const { folders } = way;
    const now = await wayTo(file);
    if (closed || (now.folders.size === folders.size && [...now.folders].every(([folder, is]) => folders.get(folder) === is)))
      return;
    way = now;
    const old = watchers;
    watchers = watchFolders(now, stirred, failed);
    for (const watcher of old) watcher.close();
    // What happened while the watch was being set.
    stirred();
  };

  await follow();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await looking;
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** One watch for each folder; what is not there is watched from the folder above it. */
function watchFolders({ folders, names }: Way, stirred: () => void, failed: (error: unknown) => void): FSWatcher[] {
  const watchers: FSWatcher[] = [];
  for (const [folder, identity] of folders) {
    if (identity === MISSING) continue;
    try {
      const watcher = watch(folder, (_event, name) => {
        if (name === null || names.has(name)) stirred();
      });
      watchers.push(watcher.on('error', failed));
    } catch (error) {
      failed(error);
    }
  }
  return watchers;
}

const MISSING = 'missing';

/** Differs when the file differs; contents are not read. Permissions count, because the file may have become readable. */
async function fingerprint(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch {
    return MISSING;
  }
}

/** The folders of all symbolic links on the way to the file, the one where it really is, and the one above, should that one be replaced. */
async function wayTo(file: string): Promise<Way> {
  const { root } = parse(file);
  const folders = new Set<string>();
  const names = new Set<string>();
  let at = root;
  let steps = stepsOf(file.slice(root.length));
  for (let links = 0; steps.length > 0;) {
    const [step = '', ...rest] = steps;
    const entry = join(at, step);
    names.add(step);
    const target = links < 40 ? await targetOf(entry) : undefined;
    steps = target === undefined ? rest : [...stepsOf(target), ...rest];
    if (target === undefined) {
      if (rest.length === 0) folders.add(at).add(dirname(at));
      at = entry;
    } else {
      folders.add(at);
      links += 1;
      if (isAbsolute(target)) at = root;
    }
  }
  const identities = await Promise.all([...folders].map(async (folder) => [folder, await identityOf(folder)] as const));
  return { folders: new Map(identities), names };
}

async function identityOf(folder: string): Promise<string> {
  try {
    const { dev, ino } = await stat(folder, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return MISSING;
  }
}

function stepsOf(path: string): string[] {
  return path.split(sep).filter((step) => step !== '');
}

async function targetOf(entry: string): Promise<string | undefined> {
  try {
    return await readlink(entry);
  } catch {
    return undefined;
  }
}
