/**
 * Keeps the history over restarts: read once at the start, written every minute and at the end. What cannot be used is set aside with a line in the log; a
 * session server without its past still works.
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

/** Seconds. */
const INTERVAL = 60;

/** Takes up what the last run recorded, in place of what was recorded meanwhile: with a slow disk that is the time since the start. */
export async function restoreHistory({ clock, log, history, file }: HistorySaverOptions): Promise<void> {
  const decoder = new HistoryDecoder(clock.wallTime());
  try {
    if (!(await file.read((piece) => decoder.add(piece)))) return;
    const restored = decoder.end();
    if (restored.kind === 'restored') history.adopt(restored.history);
    else await setAside(log, file, restored.reason);
  } catch (error) {
    log.warn('the history of the last run cannot be read; the charts begin anew', { error });
    // The next write would take its place, and it may be readable again by then. Not waited for: the disk may hang.
    file.setAside().catch(ignore);
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
      log.error('keeping the history failed inside the session server', { error });
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
  // A folder in which nothing can be renamed is one in which nothing is replaced either.
}

async function setAside(log: Log, file: HistoryFile, reason: string): Promise<void> {
  const aside = await file.setAside();
  log.warn(`the history of the last run cannot be used: ${reason}; it is set aside as ${aside} and the charts begin anew`);
}
