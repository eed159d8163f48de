/** A workspace that is a copy of the checkout. The disk shares the blocks where its file system can. */
import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkout, Launcher, Workspace, Workspaces } from '../ports.ts';
import { FolderSizes } from './folder-sizes.ts';
import { removeTree } from './remove-tree.ts';
import { replaceFile } from './replace-file.ts';

export interface CopyOptions {
  /** Folder of all workspaces; each is a folder in it. */
  readonly folder: string;
  readonly launcher: Pick<Launcher, 'run'>;
}

export function createCopies({ folder, launcher }: CopyOptions): Workspaces {
  const sizes = new FolderSizes(launcher);
  const remove = (id: string) => removeTree(join(folder, id), launcher);
  return {
    name: 'copy',
    async open(id, checkout, signal): Promise<Workspace> {
      const own = join(folder, id);
      const project = join(own, 'project');
      await mkdir(own, { recursive: true, mode: 0o700 });
      await copyTree(checkout.folder, project, signal);
      // Every session of the same checkout begins with as much.
      const { folder: original } = checkout;
      let before: Promise<number> | undefined;
      return {
        folder: project,
        async usage() {
          // A session may write into other folders beside its project, too.
          const [now, then] = await Promise.all([sizes.of(own), (before ??= sizes.of(original))]);
          return Math.max(0, now - then);
        },
        close: () => remove(id),
      };
    },
    write: (workspace, path, content) => replaceFile(workspace.folder, path, content),
    list: () => readdir(folder).catch(() => []),
    remove,
    close: () => Promise.resolve(),
  };
}

/** Copies a folder that has no more than this; `false`: it has, and nothing was made. */
export async function copySmallTree(
  from: string,
  to: string,
  limits: { readonly files: number; readonly bytes: number },
): Promise<boolean> {
  const left = { ...limits };
  if (!(await isWithin(from, left))) return false;
  await copyTree(from, to, NEVER);
  return true;
}

const NEVER = new AbortController().signal;

/** Counts down what is left, and gives up early. */
async function isWithin(folder: string, left: { files: number; bytes: number }): Promise<boolean> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    left.files -= 1;
    left.bytes -= entry.isFile() ? (await lstat(path)).size : 0;
    if (left.files < 0 || left.bytes < 0 || (entry.isDirectory() && !(await isWithin(path, left)))) return false;
  }
  return true;
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
