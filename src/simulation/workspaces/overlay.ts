/**
 * A workspace that is a layer above the shared checkout: nothing is copied, and what the session writes is limited by the size of a file system in memory.
 * It needs the right to mount.
 */
import { mkdir, readdir, realpath, rm, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Launcher, Workspace, Workspaces } from '../ports.ts';
import { mountPoints, Mounts } from './mounts.ts';
import { replaceFile } from './replace-file.ts';

export interface OverlayOptions {
  /** Folder of all workspaces; each is a folder in it. */
  readonly folder: string;
  readonly launcher: Pick<Launcher, 'run'>;
  readonly limits: () => { readonly disk: number; readonly files: number };
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
  const workspaces = createOverlays({ ...options, folder });
  const trial = join(folder, 'trial-files');
  await mkdir(trial, { recursive: true });
  try {
    const workspace = await workspaces.open('trial', { folder: trial }, new AbortController().signal);
    await workspace.close();
    return { kind: 'works', workspaces };
  } catch (error) {
    await workspaces.remove('trial').catch(() => undefined);
    return { kind: 'not', reason: error instanceof Error ? error.message : String(error) };
  } finally {
    await rm(trial, { recursive: true, force: true });
  }
}

function createOverlays({ folder, launcher, limits }: OverlayOptions): Omit<Workspaces, 'open'> & {
  open(id: string, checkout: { readonly folder: string }, signal: AbortSignal): Promise<Workspace>;
} {
  const mounts = new Mounts(launcher, join(dirname(folder), `${basename(folder)}.fstab`));
  const remove = async (id: string) => {
    const own = join(folder, id);
    const points = (await mountPoints()).filter((point) => point.startsWith(`${own}/`)).reverse();
    if (points.length > 0) await mounts.unmount(points);
    await rm(own, { recursive: true, force: true });
  };
  return {
    name: 'overlay',
    async open(id, checkout, signal) {
      const own = join(folder, id);
      const [layer, project] = [join(own, 'layer'), join(own, 'project')];
      await mkdir(own, { recursive: true, mode: 0o700 });
      await Promise.all([mkdir(layer, { recursive: true }), mkdir(project, { recursive: true })]);
      const { disk, files } = limits();
      await mounts.mount({
        ...{ type: 'tmpfs', point: layer, options: `size=${disk},nr_inodes=${files},nosuid,nodev,mode=0755` },
      });
      signal.throwIfAborted();
      await Promise.all([mkdir(join(layer, 'upper')), mkdir(join(layer, 'work'))]);
      const layers = `lowerdir=${checkout.folder},upperdir=${layer}/upper,workdir=${layer}/work`;
      await mounts.mount({ type: 'overlay', point: project, options: `${layers},nosuid,nodev` });
      return {
        folder: project,
        async usage() {
          const { bsize, blocks, bfree } = await statfs(layer);
          return (blocks - bfree) * bsize;
        },
        close: () => remove(id),
      };
    },
    write: (workspace, path, content) => replaceFile(workspace.folder, path, content),
    list: () => readdir(folder).catch(() => []),
    remove,
  };
}
