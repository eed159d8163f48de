/**
 * Creates a folder and its missing parents, as `mkdir -p` does.
 *
 * Not `mkdir` with `recursive`: if a folder cannot be created although its parent exists (a mount whose source was removed, `/proc`), Node retries forever, and its
 * synchronous form blocks the whole program.
 */
import { mkdirSync, statSync } from 'node:fs';
import { chmod, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Returns the topmost folder that was created; `undefined`: all existed. Created folders have exactly `mode`, whatever the umask is; without a mode, the umask
 * decides. Throws the error of the operating system. On a disk that hangs, it does not return.
 */
export async function makeFolder(path: string, mode?: number): Promise<string | undefined> {
  try {
    return await makeOne(path, mode);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    const top = await makeFolder(dirname(path), mode);
    const made = await makeOne(path, mode);
    return top ?? made;
  }
}

/** The same at once, with the mode that the umask decides. */
export function makeFolderSync(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    makeFolderSync(dirname(path));
    mkdirSync(path);
  }
}

async function makeOne(path: string, mode?: number): Promise<string | undefined> {
  try {
    await mkdir(path, { mode });
    if (mode !== undefined && lacks((await stat(path)).mode, mode)) await chmod(path, mode);
    return path;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || !(await isFolder(path))) throw error;
    return undefined;
  }
}

/** Not a comparison for equality: some file systems have no permissions, report all of them and refuse any change. */
function lacks(mode: number, wanted: number): boolean {
  return (mode & wanted) !== wanted;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
