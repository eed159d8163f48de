/**
 * A lock on a folder that ends with the process, however it ends. It is a listening Unix socket whose name is in memory
 * alone (man 7 unix, "abstract"), made of the identity of the folder. Node has no `flock`.
 *
 * Processes in containers with a network of their own, and machines that share a folder, do not see each other's locks.
 */
import { stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { makeFolder } from './make-folder.ts';

export type FolderLock =
  | { readonly kind: 'locked'; readonly release: () => Promise<void> }
  /** `holder`: number of the process, as far as it is known. */
  | { readonly kind: 'held'; readonly holder: string }
  /** The folder cannot be made, or the operating system has no such sockets. */
  | { readonly kind: 'impossible'; readonly error: unknown };

/** Milliseconds a living process may take to say its number. */
const PATIENCE = 1000;

/** Makes the folder if it does not exist. */
export async function lockFolder(folder: string): Promise<FolderLock> {
  try {
    await makeFolder(folder, 0o700);
    const { dev, ino } = await stat(folder, { bigint: true });
    const name = `\0session-server ${dev}:${ino}`;
    const server = await listenAt(name);
    return server === undefined
      ? { kind: 'held', holder: await holderOf(name) }
      : { kind: 'locked', release: () => new Promise((resolve) => server.close(() => resolve())) };
  } catch (error) {
    return { kind: 'impossible', error };
  }
}

/** `undefined`: another process listens there. */
function listenAt(name: string): Promise<Server | undefined> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(`${process.pid}\n`);
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if ('code' in error && error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(name, () => resolve(server.unref()));
  });
}

function holderOf(name: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(name);
    socket.setTimeout(PATIENCE, () => socket.destroy());
    socket.setEncoding('utf8');
    socket.on('data', (more: string) => (text = (text + more).slice(0, 20)));
    socket.on('error', () => undefined);
    socket.once('close', () => resolve(text.trim() || 'unknown'));
  });
}
