/** Which server this is on its machine: everything it makes carries its name, so that two servers never touch each other's sessions. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';

export interface Instance {
  /** A random word, the same after a restart. */
  readonly name: string;
  release(): Promise<void>;
}

/** The error of a folder that another server uses. */
export interface FolderInUse extends Error {
  readonly code: 'in-use';
}

/** Takes the folder for this process. The name of the lock is in memory alone, so that it is free again however the process ends. */
export async function takeInstance(stateDir: string): Promise<Instance> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const name = await nameIn(join(stateDir, 'instance'));
  const lock = createServer();
  await listen(lock, `\0session-server-sim-${name}`).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    throw Object.assign(new Error(`another simulation server uses ${stateDir}`), { code: 'in-use' as const });
  });
  lock.unref();
  return {
    name,
    release: () =>
      new Promise((resolve) => {
        lock.close(() => {
          resolve();
        });
      }),
  };
}

async function nameIn(path: string): Promise<string> {
  const before = (await readFile(path, 'utf8').catch(() => '')).trim();
  if (/^[0-9a-f]{12}$/.test(before)) return before;
  const name = randomBytes(6).toString('hex');
  await writeFile(path, `${name}\n`);
  return name;
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(path, resolve);
  });
}
