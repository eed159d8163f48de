/**
 * Small documents that survive a restart: one JSON file each in the state folder. A file that cannot be read is renamed and reported, and never causes a
 * crash, because a session server without its saved state still works.
 */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log, LogFields, StateStore } from '../ports.ts';
import { fileFailure, openOwnFile, replaceFile } from './own-file.ts';

export interface FileStoreOptions {
  readonly folder: string;
  readonly log: Log;
  /** Maximum size of a document, in bytes. */
  readonly maxBytes?: number;
}

/** Reading blocks the start for about a second then. The documents of ten thousand servers are smaller. */
const MAX_BYTES = 32 * 1024 * 1024;
const NAME = /^[a-z][a-z0-9-]{0,40}$/;

export function createFileStore({ folder, log, maxBytes = MAX_BYTES }: FileStoreOptions): StateStore {
  const pathOf = (name: string) => {
    if (!NAME.test(name)) throw new Error(`not the name of a state document: ${name}`);
    return join(folder, `${name}.json`);
  };
  const moveAside = async (path: string, aside: string, why: LogFields) => {
    log.warn(`the state file ${path} cannot be used and was renamed to ${aside}; the session server starts without it`, why);
    await rename(path, aside).catch((failure: unknown) => {
      log.warn(`the state file ${path} cannot be renamed either; remove it by hand`, { error: failure });
    });
  };
  /** The last write of each document; they run one after the other. */
  const writing = new Map<string, Promise<void>>();

  return {
    async read(name) {
      const path = pathOf(name);
      let text: string | undefined;
      try {
        text = await readText(path, maxBytes);
        return text === undefined ? undefined : (JSON.parse(text) as unknown);
      } catch (error) {
        // The message names the fault of the file. A stack trace would add nothing.
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
      const now = before.then(() => replaceText(path, JSON.stringify(value)));
      const settled = now.catch(() => undefined);
      writing.set(name, settled);
      await now;
    },
  };
}

/** `undefined`: there is no such file. */
async function readText(path: string, maxBytes: number): Promise<string | undefined> {
  const file = await openOwnFile(path);
  try {
    const { size = 0 } = (await file?.stat()) ?? {};
    if (size > maxBytes) throw new Error(`it has ${size} bytes, more than ${maxBytes}`);
    return await file?.readFile('utf8');
  } finally {
    await file?.close();
  }
}

async function replaceText(path: string, text: string): Promise<void> {
  try {
    await replaceFile(path, (file) => file.writeFile(text));
  } catch (error) {
    const message = `the state file ${path} cannot be written; check that the folder is writable and the disk is not full`;
    throw fileFailure('state-not-written', message, error);
  }
}
