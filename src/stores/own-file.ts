/** Reading and replacing files in the state folder: a crash leaves the old file or the new one, and files of other users are not trusted. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../system/make-folder.ts';
import type { OutsideFailure } from '../ports.ts';

/** Opens a regular file of this user or of root, not a symbolic link. `undefined`: there is no such file. */
export async function openOwnFile(path: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    // Non-blocking, because opening a pipe would wait for its other end.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const stats = await file.stat();
  const user = process.getuid?.();
  if (stats.isFile() && (user === undefined || stats.uid === user || stats.uid === 0)) return file;
  await file.close();
  throw new Error(stats.isFile() ? `it belongs to another user (${stats.uid})` : 'it is not a regular file');
}

/** Replaces a file as a whole: temporary file, fsync, rename. */
export async function replaceFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await makeFolder(dirname(path), 0o700);
    const file = await open(temporary, 'wx', 0o600);
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

export function fileFailure(code: string, message: string, cause: unknown): OutsideFailure {
  return Object.assign(new Error(message, { cause }), { code });
}
