/**
 * Makes a folder and those above it that are missing, as `mkdir -p` does.
 *
 * Not by `mkdir` with `recursive`: where a folder cannot be made although the one above it exists (a mount whose source was removed, `/proc`), Node tries for
 * ever; its synchronous form stops the whole program.
 */
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { chmod, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Returns the topmost folder that was made; `undefined`: all were there. `mode` is what those have that are made, whatever the umask takes away; without one
 * the umask decides. Throws the error of the operating system.
 */
export function makeFolderSync(path: string, mode?: number): string | undefined {
  try {
    return makeOneSync(path, mode);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    const top = makeFolderSync(dirname(path), mode);
    const made = makeOneSync(path, mode);
    return top ?? made;
  }
}

/** The same without blocking; on a disk that hangs it does not end. */
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

function makeOneSync(path: string, mode?: number): string | undefined {
  try {
    mkdirSync(path, { mode });
    if (mode !== undefined && lacks(statSync(path).mode, mode)) chmodSync(path, mode);
    return path;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || !statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
    return undefined;
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

/** Not whether they differ: there are file systems that know no permissions, show all of them and refuse any change. */
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
