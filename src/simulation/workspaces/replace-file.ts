/** Replaces a file in a folder that a foreign program writes to: whatever that program put into the path, nothing outside of the folder is changed. */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

/** `false`: a part of the path is not a folder, or the end is not a regular file. Works on Linux only: each step starts at the folder of the previous one. */
export async function replaceFile(folder: string, path: string, content: Uint8Array): Promise<boolean> {
  const names = path.split('/');
  const last = names.pop() ?? '';
  const opened: FileHandle[] = [];
  try {
    let at = await open(folder, FOLDER);
    opened.push(at);
    for (const name of names) {
      at = await open(`/proc/self/fd/${at.fd}/${name}`, FOLDER);
      opened.push(at);
    }
    const file = await open(`/proc/self/fd/${at.fd}/${last}`, FILE);
    opened.push(file);
    if (!(await file.stat()).isFile()) return false;
    await file.truncate(0);
    await file.write(content, 0, content.length, 0);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  } finally {
    for (const handle of opened) await handle.close();
  }
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Without blocking, because it may have become a pipe. */
const FILE = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
