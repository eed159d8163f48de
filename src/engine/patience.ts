/**
 * What survived the last run, read with patience and no more: a disk that does not answer must not keep a session server from its work. It then works without
 * its memory, and writes nothing, because what it could not read would be overwritten.
 */
import type { Clock, HistoryFile, Log, OutsideFailure, StateStore } from '../ports.ts';
import { withDeadline } from './deadline.ts';

export interface Memory<File extends HistoryFile | undefined> {
  readonly store: StateStore;
  readonly historyFile: File;
}

/** Seconds that one reading may take; after the first that takes longer none is tried, and of those under way only the first is told. */
const PATIENCE = 3;

export function withPatience<File extends HistoryFile | undefined>(
  { store, historyFile }: Memory<File>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Memory<File> {
  let gaveUp = false;
  const isTold = () => gaveUp;

  /** `undefined`: it did not answer in time. A failure of the reading itself is thrown. */
  const read = async <T>(reading: () => Promise<T>): Promise<T | undefined> => {
    if (gaveUp) return undefined;
    try {
      return await withDeadline(clock, PATIENCE, new AbortController().signal, reading);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'deadline')) throw error;
      if (!isTold())
        log.error(
          `the state folder did not answer within ${PATIENCE} s; the session server runs without what it learned, and writes none of it; mend the disk and start it again`,
        );
      gaveUp = true;
      return undefined;
    }
  };
  const write = async (writing: () => Promise<void>): Promise<void> => {
    if (gaveUp) throw notRead();
    await writing();
  };

  return {
    store: {
      read: (name) => read(() => store.read(name)),
      write: (name, value) => write(() => store.write(name, value)),
      setAside: (name, reason) => store.setAside(name, reason),
    },
    historyFile: (historyFile && {
      read: async (take) => (await read(() => historyFile.read((piece) => !gaveUp && take(piece)))) ?? false,
      write: (pieces) => write(() => historyFile.write(pieces)),
      setAside: () => historyFile.setAside(),
    }) as File,
  };
}

function notRead(): OutsideFailure {
  return Object.assign(
    new Error('nothing is written, because it could not be read at the start; mend the disk and start again'),
    {
      code: 'state-not-read',
    },
  );
}
