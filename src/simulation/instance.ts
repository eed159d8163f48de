/** Which server this is on its machine: everything it makes carries its name, so that two servers never touch each other's sessions. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lockFolder } from '../system/folder-lock.ts';

export interface Instance {
  /** A random word, the same after a restart. */
  readonly name: string;
  release(): Promise<void>;
}

/** The error of a folder that another server uses. */
export interface FolderInUse extends Error {
  readonly code: 'in-use';
}

/** Takes the folder for this process, and gives it back when the process ends. */
export async function takeInstance(stateDir: string): Promise<Instance> {
  const lock = await lockFolder(stateDir);
  if (lock.kind === 'held')
    throw Object.assign(new Error(`another simulation server uses ${stateDir}`), { code: 'in-use' as const });
  if (lock.kind === 'impossible') throw lock.error;
  return { name: await nameIn(join(stateDir, 'instance')), release: lock.release };
}

async function nameIn(path: string): Promise<string> {
  const before = (await readFile(path, 'utf8').catch(() => '')).trim();
  if (/^[0-9a-f]{12}$/.test(before)) return before;
  const name = randomBytes(6).toString('hex');
  await writeFile(path, `${name}\n`);
  return name;
}
