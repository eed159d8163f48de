/**
 * The Unix socket of a session, in a folder that the session may write. What runs there can put a link in its place, to a socket of this machine such as
 * that of a container engine. So the socket is held by a descriptor, and reached through that from then on, whatever is at its path.
 */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { connect } from 'node:net';

/** Of Linux: the descriptor stands for the file itself, which is not opened. A link is not followed. */
const O_PATH = 0o10_000_000;

export class InnerSocket {
  readonly #path: string;
  #held: FileHandle | undefined;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Something takes connections there. From the first time on, the same socket is meant. */
  async isListening(): Promise<boolean> {
    this.#held ??= await socketAt(this.#path);
    if (this.#closed) await this.close();
    if (this.#held === undefined) return false;
    if (await answers(this.path)) return true;
    // Perhaps it is made again before it is listened on.
    await this.#release();
    return false;
  }

  /** Where it is reached, once it was found to listen. */
  get path(): string {
    return this.#held === undefined ? '' : `/proc/self/fd/${this.#held.fd}`;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#release();
  }

  async #release(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    await held?.close();
  }
}

async function socketAt(path: string): Promise<FileHandle | undefined> {
  const handle = await open(path, O_PATH | constants.O_NOFOLLOW).catch(() => undefined);
  if (handle === undefined || (await handle.stat()).isSocket()) return handle;
  await handle.close();
  return undefined;
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
