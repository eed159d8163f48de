/**
 * Saves the history over restarts: it is read once at the start, and written every minute and at the end. What cannot be used is set aside with a line in the
 * log; a session server without its past still works.
 */
import type { History } from '../core/history/history.ts';
import { encodeHistory, HistoryDecoder } from '../core/history/history-snapshot.ts';
import type { Clock, HistoryFile, Log } from '../ports.ts';
import { startLoop, type Loop } from './loop.ts';

export interface HistorySaverOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly history: History;
  readonly file: HistoryFile;
}

export interface HistorySaver {
  /** Writes it once more. */
  stop(): Promise<void>;
}

export type SavedHistory =
  ReturnType<HistoryDecoder['end']> | { readonly kind: 'none' } | { readonly kind: 'unreadable'; readonly error: unknown };

/** Seconds. */
const INTERVAL = 60;

/** What the last run recorded. */
export async function readHistory(file: HistoryFile, wallTime: number): Promise<SavedHistory> {
  const decoder = new HistoryDecoder(wallTime);
  try {
    return (await file.read((piece) => decoder.add(piece))) ? decoder.end() : { kind: 'none' };
  } catch (error) {
    return { kind: 'unreadable', error };
  }
}

/** Continues the history of the last run. One that cannot be used is set aside, because the next write would replace it. */
export async function restoreHistory(
  saved: SavedHistory,
  { log, history, file }: Omit<HistorySaverOptions, 'clock'>,
): Promise<void> {
  switch (saved.kind) {
    case 'none':
      return;
    case 'restored':
      history.adopt(saved.history);
      return;
    case 'unreadable':
      log.warn('the history of the last run cannot be read; the charts start empty', { error: saved.error });
      // It may be readable again later. Not waited for: the disk may hang.
      file.setAside().catch(ignore);
      return;
    case 'unusable': {
      const aside = await file.setAside();
      log.warn(
        `the history of the last run cannot be used: ${saved.reason}; it is set aside as ${aside} and the charts start empty`,
      );
    }
  }
}

export function startHistorySaver({ clock, log, history, file }: HistorySaverOptions): HistorySaver {
  let failing = false;
  const write = async (): Promise<void> => {
    try {
      await file.write(encodeHistory(history, clock.wallTime()));
      if (failing) log.info('the history can be written again');
      failing = false;
    } catch (error) {
      if (!failing) log.error('the history could not be written; it is tried again every minute', { error });
      failing = true;
    }
  };
  const loop: Loop = startLoop({
    clock,
    delay: INTERVAL,
    cycle: async () => {
      await write();
      return INTERVAL;
    },
    failed: (error) => {
      log.error('saving the history failed inside the session server', { error });
      return INTERVAL;
    },
  });
  return {
    async stop() {
      await loop.stop();
      await write();
    },
  };
}

function ignore(): void {
  // In a folder where nothing can be renamed, nothing can be replaced either.
}
