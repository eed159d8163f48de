/**
 * The history as one file in the state folder. It is separate from the small documents because it can
 * have tens of megabytes: it is read and written piece by piece, and other work can run between two pieces.
 */
import { rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { HistoryFile } from '../ports.ts';
import { fileFailure, openOwnFile, replaceFile } from './own-file.ts';

const NAME = 'history.bin';
const PIECE_BYTES = 1_048_576;

export function createHistoryFile(folder: string): HistoryFile {
  const path = join(folder, NAME);
  return {
    async read(take) {
      try {
        const file = await openOwnFile(path);
        if (file === undefined) return false;
        try {
          await readPieces(file, take);
        } finally {
          await file.close();
        }
        return true;
      } catch (cause) {
        throw fileFailure('history-not-read', `the history in ${path} cannot be read`, cause);
      }
    },
    async write(pieces) {
      try {
        await replaceFile(path, async (file) => {
          for (const piece of pieces) await file.writeFile(piece);
        });
      } catch (cause) {
        const message = `the history in ${path} cannot be written; check that the folder is writable and the disk is not full`;
        throw fileFailure('history-not-written', message, cause);
      }
    },
    async setAside() {
      const aside = `${path}.damaged`;
      await rename(path, aside);
      return aside;
    },
  };
}

async function readPieces(file: FileHandle, take: (piece: Uint8Array) => boolean): Promise<void> {
  for (;;) {
    const piece = new Uint8Array(PIECE_BYTES);
    const { bytesRead } = await file.read(piece, 0, PIECE_BYTES);
    if (bytesRead === 0 || !take(piece.subarray(0, bytesRead))) return;
  }
}
