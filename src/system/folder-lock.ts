/**
 * A lock on a folder that ends with the process, however it ends. It is a Unix socket: while the process lives, the socket
 * answers, with the number of the process; afterwards the operating system refuses connections to it, and the next
 * process takes the lock over. Node has no `flock`, and numbers of processes mean nothing in another container that has
 * the same volume.
 *
 * The lock is a hard link to the socket, because only a link is made if and only if there is none yet. Machines that share
 * a folder over the network do not see each other's sockets.
 */
import { randomBytes } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { makeFolder } from './make-folder.ts';

export type FolderLock =
  | { readonly kind: 'locked'; readonly release: () => Promise<void> }
  /** `holder`: number of the process, as far as it is known. */
  | { readonly kind: 'held'; readonly holder: string }
  /** The file system has no sockets or links, or cannot be written. */
  | { readonly kind: 'impossible'; readonly error: unknown };

const NAME = 'lock';
/** Milliseconds a living process may take to say its number. */
const PATIENCE = 1000;
const MAX_TRIES = 10;

export async function lockFolder(folder: string): Promise<FolderLock> {
  const own = `${NAME}.${randomBytes(6).toString('hex')}`;
  let server: Server | undefined;
  try {
    await makeFolder(folder, 0o700);
    server = await listenIn(folder, own);
    const path = join(folder, NAME);
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      if (await linked(join(folder, own), path)) {
        await rm(join(folder, own), { force: true });
        const listening = server;
        return { kind: 'locked', release: () => release(listening, path) };
      }
      const holder = await holderOf(folder, NAME);
      if (holder !== undefined) {
        server.close();
        return { kind: 'held', holder };
      }
      await removeStale(folder);
    }
    throw new Error(`${path} cannot be replaced`);
  } catch (error) {
    server?.close();
    return { kind: 'impossible', error };
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Moved first and looked at again: another process may have taken the lock over between the two looks. */
async function removeStale(folder: string): Promise<void> {
  const stale = `${NAME}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(join(folder, NAME), join(folder, stale));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if ((await holderOf(folder, stale)) !== undefined) await linked(join(folder, stale), join(folder, NAME));
  await rm(join(folder, stale), { force: true });
}

async function release(server: Server, path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => undefined);
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

async function listenIn(folder: string, name: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(`${process.pid}\n`);
  });
  await inFolder(
    folder,
    (short) =>
      new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(join(short, name), () => resolve());
      }),
  );
  server.on('error', () => undefined).unref();
  return server;
}

/** `undefined`: no process holds the lock of this name. */
function holderOf(folder: string, name: string): Promise<string | undefined> {
  return inFolder(
    folder,
    (short) =>
      new Promise((resolve) => {
        let text = '';
        let connected = false;
        const socket = connect(join(short, name));
        socket.setTimeout(PATIENCE, () => socket.destroy());
        socket.setEncoding('utf8');
        socket.once('connect', () => (connected = true));
        socket.on('data', (more: string) => (text = (text + more).slice(0, 20)));
        socket.on('error', () => undefined);
        socket.once('close', () => resolve(connected ? text.trim() || 'unknown' : undefined));
      }),
  );
}

/** The path of a socket has at most 107 bytes. Linux knows every open folder by a short one. */
async function inFolder<T>(folder: string, use: (short: string) => Promise<T>): Promise<T> {
  if (process.platform !== 'linux') return use(folder);
  const handle = await open(folder, 'r');
  try {
    return await use(`/proc/self/fd/${handle.fd}`);
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
