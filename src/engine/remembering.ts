/**
 * Writes down what must survive a restart: at most every ten seconds, only what changed, and once more at the end. A disk that is full costs a line in the
 * log and nothing else.
 */
import type { Clock, Log, StateStore } from '../ports.ts';
import { startLoop, type Loop } from './loop.ts';

export interface Document {
  readonly name: string;
  /** Differs whenever `save` would give something else. */
  readonly version: () => unknown;
  /** Plain JSON. */
  readonly save: () => unknown;
}

export interface Remembering {
  /** Writes what changed now; resolves when it is written, or could not be. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

const INTERVAL = 10;

export function startRemembering({
  clock,
  log,
  store,
  documents,
}: {
  clock: Clock;
  log: Log;
  store: StateStore;
  documents: readonly Document[];
}): Remembering {
  const written = new Map(documents.map(({ name, version }) => [name, version()]));
  let failing = false;

  const writeChanged = async () => {
    for (const { name, version, save } of documents) {
      const present = version();
      if (Object.is(written.get(name), present)) continue;
      try {
        await store.write(name, save());
        written.set(name, present);
        if (failing) log.info('the state folder can be written again');
        failing = false;
      } catch (error) {
        if (!failing)
          log.error('what must survive a restart could not be written; it is tried again every few seconds', { error });
        failing = true;
      }
    }
  };
  const loop: Loop = startLoop({
    clock,
    delay: INTERVAL,
    cycle: async () => {
      await writeChanged();
      return INTERVAL;
    },
    failed: (error) => {
      log.error('collecting what must survive a restart failed inside the session server', { error });
      return INTERVAL;
    },
  });
  return {
    flush: writeChanged,
    async stop() {
      await loop.stop();
      await writeChanged();
    },
  };
}
