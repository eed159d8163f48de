/**
 * A workspace that is a layer above the shared checkout: what the session writes is limited by the size of a file system in memory. The files of a small
 * project are copied into it instead. It needs the right to mount.
 */
import { mkdir, readdir, realpath, rm, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Launcher, Workspaces } from '../ports.ts';
import { copySmallTree } from './copy.ts';
import { LAYER, Layers, removeMounted } from './layers.ts';
import { Mounts } from './mounts.ts';
import { replaceFile } from './replace-file.ts';

export interface OverlayOptions {
  /** Folder of all workspaces; each is a folder in it. */
  readonly folder: string;
  readonly launcher: Pick<Launcher, 'run'>;
  readonly limits: () => { readonly disk: number; readonly files: number };
}

/** What of a project is copied into the layer, which costs less than a mount: its files and folders, and their bytes. */
const SMALL = { files: 64, bytes: 262_144 };

interface Overlays extends Workspaces {
  /** Removes layers that wait for sessions, also those of an earlier run. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** `undefined` when this machine does not let us mount, with the reason. */
export async function tryOverlay(
  options: OverlayOptions,
): Promise<{ readonly kind: 'works'; readonly workspaces: Workspaces } | { readonly kind: 'not'; readonly reason: string }> {
  await mkdir(options.folder, { recursive: true });
  // As the kernel lists it.
  const folder = await realpath(options.folder);
  if (/[,:\\\s]/.test(folder))
    return { kind: 'not', reason: `the path ${folder} has characters that mount options cannot contain` };
  const trial = createOverlays({ ...options, folder });
  try {
    await trial.clear();
    await tryBoth(trial, join(folder, 'trial-files'));
    await trial.close();
    return { kind: 'works', workspaces: createOverlays({ ...options, folder }) };
  } catch (error) {
    await trial.remove('trial').catch(() => undefined);
    await trial.close().catch(() => undefined);
    return { kind: 'not', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** A copy in a layer, and a layer above files; the second with the layer of the first. */
async function tryBoth(workspaces: Workspaces, files: string): Promise<void> {
  const { signal } = new AbortController();
  await mkdir(files, { recursive: true });
  try {
    await (await workspaces.open('trial', { folder: files }, signal)).close();
    await writeFile(join(files, 'large'), Buffer.alloc(SMALL.bytes + 1));
    await (await workspaces.open('trial', { folder: files }, signal)).close();
  } finally {
    await rm(files, { recursive: true, force: true });
  }
}

function createOverlays({ folder, launcher, limits }: OverlayOptions): Overlays {
  const mounts = new Mounts(launcher, join(dirname(folder), `${basename(folder)}.fstab`));
  const layers = new Layers({ folder: sparesOf(folder), mounts, limits });
  const remove = (id: string) => removeMounted(mounts, join(folder, id));
  return {
    name: 'overlay',
    async open(id, checkout, signal) {
      const own = join(folder, id);
      const layer = join(own, LAYER);
      const project = join(layer, 'project');
      await layers.take(own);
      signal.throwIfAborted();
      const { disk, files } = limits();
      const small = { files: Math.min(SMALL.files, files / 10), bytes: Math.min(SMALL.bytes, disk / 10) };
      const isCopy = await copySmallTree(checkout.folder, project, small);
      if (!isCopy) {
        await Promise.all(['upper', 'work', 'project'].map((name) => mkdir(join(layer, name), { recursive: true })));
        const options = `lowerdir=${checkout.folder},upperdir=${layer}/upper,workdir=${layer}/work,nosuid,nodev`;
        await mounts.mount({ type: 'overlay', point: project, options });
      }
      return {
        folder: project,
        async usage() {
          const { bsize, blocks, bfree } = await statfs(layer);
          return (blocks - bfree) * bsize;
        },
        async close() {
          if (!isCopy || !(await layers.giveBack(own))) await remove(id);
        },
      };
    },
    write: (workspace, path, content) => replaceFile(workspace.folder, path, content),
    list: () => readdir(folder).catch(() => []),
    remove,
    clear: () => layers.clear(),
    close: () => layers.close(),
  };
}

/** Beside the folders of the sessions. */
function sparesOf(folder: string): string {
  return join(dirname(folder), `${basename(folder)}-spare`);
}
