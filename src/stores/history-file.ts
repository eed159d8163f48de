/**
 * The history as one file in the state folder, replaced as a whole (temporary file, fsync, rename). Kept apart from the small documents because it can have
 * tens of megabytes: it is read and written piece by piece, and others get their turn between two pieces.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../system/make-folder.ts';
import type { HistoryFile, OutsideFailure } from '../ports.ts';

const NAME = 'history.bin';
const PIECE_BYTES = 1_048_576;

export function createHistoryFile(folder: string): HistoryFile {
  const path = join(folder, NAME);
  return {
    async read(take) {
      try {
        const file = await openOwn(path);
        if (file === undefined) return false;
        try {
          await readPieces(file, take);
        } finally {
          await file.close();
        }
        return true;
      } catch (cause) {
        throw failure('history-not-read', `the history in ${path} cannot be read`, cause);
      }
    },
    async write(pieces) {
      const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
      try {
        await makeFolder(folder, 0o700);
        await writePieces(temporary, pieces);
        await rename(temporary, path);
      } catch (cause) {
        await rm(temporary, { force: true }).catch(() => undefined);
        const message = `the history in ${path} cannot be written; check that the folder is writable and the disk is not full`;
        throw failure('history-not-written', message, cause);
      }
    },
    async setAside() {
      const aside = `${path}.damaged`;
      await rename(path, aside);
      return aside;
    },
  };
}

/** A regular file of this user, or of root; not a link that somebody laid. `undefined`: there is none. */
async function openOwn(path: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    // Not blocking, because opening a pipe would wait for its other end.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const stat = await file.stat();
  const user = process.getuid?.();
  if (stat.isFile() && (user === undefined || stat.uid === user || stat.uid === 0)) return file;
  await file.close();
  throw new Error(stat.isFile() ? `it belongs to another user (${stat.uid})` : 'it is no regular file');
}

async function readPieces(file: FileHandle, take: (piece: Uint8Array) => boolean): Promise<void> {
  for (;;) {
    const piece = new Uint8Array(PIECE_BYTES);
    const { bytesRead } = await file.read(piece, 0, PIECE_BYTES);
    if (bytesRead === 0 || !take(piece.subarray(0, bytesRead))) return;
  }
}

async function writePieces(path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    for (const piece of pieces) await file.writeFile(piece);
    await file.sync();
  } finally {
    await file.close();
  }
}

function failure(code: string, message: string, cause: unknown): OutsideFailure {
  return Object.assign(new Error(message, { cause }), { code });
}
