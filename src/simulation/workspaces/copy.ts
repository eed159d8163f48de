/** A workspace that is a copy of the checkout. The disk shares the blocks where its file system can. */
import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkout, Launcher, Workspace, Workspaces } from '../ports.ts';
import { FolderSizes } from './folder-sizes.ts';
import { replaceFile } from './replace-file.ts';

export interface CopyOptions {
  /** Folder of all workspaces; each is a folder in it. */
  readonly folder: string;
  readonly launcher: Pick<Launcher, 'run'>;
}

export function createCopies({ folder, launcher }: CopyOptions): Workspaces {
  const sizes = new FolderSizes(launcher);
  const remove = (id: string) => rm(join(folder, id), { recursive: true, force: true, maxRetries: 3 });
  return {
    name: 'copy',
    async open(id, checkout, signal): Promise<Workspace> {
      const project = join(folder, id, 'project');
      await mkdir(join(folder, id), { recursive: true, mode: 0o700 });
      await copyTree(checkout.folder, project, signal);
      // Every session of the same checkout begins with as much.
      const { folder: original } = checkout;
      let before: Promise<number> | undefined;
      return {
        folder: project,
        async usage() {
          const [now, then] = await Promise.all([sizes.of(project), (before ??= sizes.of(original))]);
          return Math.max(0, now - then);
        },
        close: () => remove(id),
      };
    },
    write: (workspace, path, content) => replaceFile(workspace.folder, path, content),
    list: () => readdir(folder).catch(() => []),
    remove,
  };
}

/** Links stay links: none of them is followed. */
export async function copyTree(from: Checkout['folder'], to: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await mkdir(to);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, target, signal);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else if (entry.isFile()) await copyFile(source, target, constants.COPYFILE_FICLONE);
  }
}
