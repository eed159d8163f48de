/**
 * What survived the last run, waited for with patience and no more: a disk that does not answer must not keep a session server from its work. It begins without its
 * memory then, and takes it up when the disk answers. Until a document was read it is not written, because what it holds would be overwritten.
 */
import type { Clock, HistoryFile, Log, OutsideFailure, StateStore } from '../ports.ts';

export interface Memory<File extends HistoryFile | undefined> {
  readonly store: StateStore;
  readonly historyFile: File;
}

export interface StateLoader<File extends HistoryFile | undefined> {
  /** Refuses to write what was not read yet. */
  readonly memory: Memory<File>;
  /** Whether the patience is over: clients are being answered, so that what it would change for them is no longer taken up. */
  readonly isLate: () => boolean;
  /** Takes up what survived. Resolves when that is done or the patience is over; rejects if it fails before. `late` is called when it is done after all. */
  wait(takeUp: () => Promise<void>, late: () => void): Promise<void>;
}

/** Seconds. */
const PATIENCE = 3;

export function createStateLoader<File extends HistoryFile | undefined>(
  { store, historyFile }: Memory<File>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): StateLoader<File> {
  const began = clock.now();
  let isLate = false;
  const documents = new Set<string>();
  let isHistoryRead = false;

  const file: HistoryFile | undefined = historyFile && {
    read: (take) => historyFile.read(take).finally(() => (isHistoryRead = true)),
    write: (pieces) => (isHistoryRead ? historyFile.write(pieces) : Promise.reject(notRead())),
    setAside: () => historyFile.setAside(),
  };
  return {
    memory: {
      store: {
        read: (name) => store.read(name).finally(() => documents.add(name)),
        write: (name, value) => (documents.has(name) ? store.write(name, value) : Promise.reject(notRead())),
        setAside: (name, reason) => store.setAside(name, reason),
      },
      historyFile: file as File,
    },
    isLate: () => isLate,
    async wait(takeUp, late) {
      const taken = takeUp().then(() => {
        if (!isLate) return;
        const seconds = Math.round(clock.now() - began);
        log.info(`the state folder answered after ${seconds} s: what the last run learned is in use from now on`);
        late();
      });
      const timer = new AbortController();
      const over = clock.sleep(PATIENCE, timer.signal).then(() => {
        if (timer.signal.aborted) return;
        isLate = true;
        log.error(
          `the state folder did not answer within ${PATIENCE} s; the session server begins without what it learned, takes it up when the disk answers, and writes nothing before`,
        );
        taken.catch((error: unknown) => {
          log.error('taking up what the last run learned failed inside the session server', { error });
        });
      });
      try {
        await Promise.race([taken, over]);
      } finally {
        timer.abort();
      }
    },
  };
}

function notRead(): OutsideFailure {
  return Object.assign(new Error('nothing is written before the state folder was read, and its disk did not answer yet'), {
    code: 'state-not-read',
  });
}
