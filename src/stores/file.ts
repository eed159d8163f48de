/**
 * Small documents that survive a restart: one JSON file each in the state folder, replaced as a whole (temporary file, fsync, rename), so that a crash leaves
 * the old one or the new one. What cannot be read is set aside under another name and reported, never a crash: a session server without its memory still
 * works.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../system/make-folder.ts';
import type { Log, LogFields, OutsideFailure, StateStore } from '../ports.ts';

export interface FileStoreOptions {
  readonly folder: string;
  readonly log: Log;
  /** Bytes of the largest document that is read. */
  readonly largest?: number;
}

const LARGEST = 256 * 1024 * 1024;
const NAME = /^[a-z][a-z0-9-]{0,40}$/;

export function createFileStore({ folder, log, largest = LARGEST }: FileStoreOptions): StateStore {
  const pathOf = (name: string) => {
    if (!NAME.test(name)) throw new Error(`not a name of a state document: ${name}`);
    return join(folder, `${name}.json`);
  };
  const moveAside = async (path: string, aside: string, why: LogFields) => {
    log.warn(`the state file ${path} cannot be used and is set aside as ${aside}; what it held is learned anew`, why);
    await rename(path, aside).catch((failure: unknown) => {
      log.warn(`the state file ${path} cannot be renamed either; remove it by hand`, { error: failure });
    });
  };
  /** Writes of one document follow each other. */
  const writing = new Map<string, Promise<void>>();

  return {
    async read(name) {
      const path = pathOf(name);
      let text: string | undefined;
      try {
        text = await readOwn(path, largest);
        return text === undefined ? undefined : (JSON.parse(text) as unknown);
      } catch (error) {
        // What is wrong with the file, not where in this program it was seen.
        await moveAside(path, `${path}.damaged`, { reason: error instanceof Error ? error.message : String(error) });
        return undefined;
      }
    },
    async setAside(name, reason) {
      const path = pathOf(name);
      await moveAside(path, `${path}.foreign`, { reason });
    },
    async write(name, value) {
      const path = pathOf(name);
      const before = writing.get(name) ?? Promise.resolve();
      const now = before.then(() => replace(folder, path, JSON.stringify(value)));
      const settled = now.catch(() => undefined);
      writing.set(name, settled);
      await now;
    },
  };
}

/** The text of a file that is ours: a regular file of this user (or of root), not too large. `undefined`: there is none. */
async function readOwn(path: string, largest: number): Promise<string | undefined> {
  let file: FileHandle;
  try {
    // Not blocking, because opening a pipe would wait for its other end.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    const stats = await file.stat();
    const { size, uid } = stats;
    const user = process.getuid?.();
    if (!stats.isFile()) throw new Error('it is no regular file');
    if (user !== undefined && uid !== user && uid !== 0) throw new Error(`it belongs to another user (${uid})`);
    if (size > largest) throw new Error(`it has ${size} bytes, more than ${largest}`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

async function replace(folder: string, path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await makeFolder(folder, 0o700);
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw failure(`the state file ${path} cannot be written; check that the folder is writable and the disk is not full`, error);
  }
}

function failure(message: string, cause: unknown): OutsideFailure {
  return Object.assign(new Error(message, { cause }), { code: 'state-not-written' });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
