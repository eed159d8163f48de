/**
 * Writes what must survive a restart: every ten seconds at most, only what changed, and once more at the end. What is reported only once is written at once. A full
 * disk costs a line in the log and nothing else.
 */
import type { Clock, Log, StateStore } from '../ports.ts';
import { startLoop, type Loop } from './loop.ts';

export interface Document {
  readonly name: string;
  /** Differs whenever `save` would give something else. */
  readonly version: () => unknown;
  /** The version on the disk when the state saver starts. Default: the version at start. */
  readonly written?: unknown;
  /** Plain JSON. */
  readonly save: () => unknown;
  /** Written at once: a crash must not lose it. */
  readonly urgent?: boolean;
}

export interface StateSaver {
  /** Writes what changed. Resolves when it is written, or could not be. */
  flush(): Promise<void>;
  /** Writes the urgent documents that changed, soon. */
  hurry(): void;
  stop(): Promise<void>;
}

const INTERVAL = 10;

export function startStateSaver({
  clock,
  log,
  store,
  documents,
}: {
  clock: Clock;
  log: Log;
  store: StateStore;
  documents: readonly Document[];
}): StateSaver {
  const written = new Map(documents.map(({ name, version, written = version() }) => [name, written]));
  let failing = false;
  /** When all documents are written next, in seconds of the clock. */
  let next = clock.now() + INTERVAL;

  const writeChanged = async (due: readonly Document[]) => {
    for (const { name, version, save } of due) {
      const present = version();
      if (Object.is(written.get(name), present)) continue;
      try {
        await store.write(name, save());
        written.set(name, present);
        if (failing) log.info('the state folder can be written again');
        failing = false;
      } catch (error) {
        if (!failing) log.error('the state could not be saved; it is tried again every few seconds', { error });
        failing = true;
      }
    }
  };
  const loop: Loop = startLoop({
    clock,
    delay: INTERVAL,
    cycle: async () => {
      const all = clock.now() >= next;
      await writeChanged(all ? documents : documents.filter(({ urgent }) => urgent === true));
      if (all) next = clock.now() + INTERVAL;
      return Math.max(0, next - clock.now());
    },
    failed: (error) => {
      log.error('collecting the state failed inside the session server', { error });
      return INTERVAL;
    },
  });
  return {
    flush: () => writeChanged(documents),
    hurry: () => loop.wake(),
    async stop() {
      await loop.stop();
      await writeChanged(documents);
    },
  };
}
