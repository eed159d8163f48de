/**
 * Ends what is left of sessions that no longer exist: at the start after a crash, and every half minute, because nothing of a simulator may stay, whatever
 * it does. A leftover found later is the sign of a fault; it is counted and logged.
 */
import { startLoop, type Loop } from '../../engine/loop.ts';
import type { Clock, Log } from '../../ports.ts';

/** A place that holds things of sessions, by session id. */
export interface Keeper {
  readonly name: string;
  list(): Promise<readonly string[]>;
  remove(id: string): Promise<void>;
}

export interface SweepingOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** In the order in which they are swept: programs before their files. */
  readonly keepers: readonly Keeper[];
  /** Sessions of which something may be there. */
  readonly living: () => ReadonlySet<string>;
}

/** Seconds between two comparisons. */
const INTERVAL = 30;

export class Sweeping {
  /** Leftovers that were found while running; it should stay 0. */
  found = 0;
  readonly #options: SweepingOptions;
  #loop: Loop | undefined;

  constructor(options: SweepingOptions) {
    this.#options = options;
  }

  /** Returns how many leftovers were ended. What cannot be ended is logged, and tried again by the next sweep. */
  async sweep(): Promise<number> {
    const { keepers, living, log } = this.#options;
    let ended = 0;
    for (const keeper of keepers) {
      const { name } = keeper;
      const before = living();
      // A session that begins meanwhile is on the second list alone.
      const ids = (await keeper.list()).filter((id) => !before.has(id) && !living().has(id));
      for (const id of ids) {
        try {
          await keeper.remove(id);
          ended += 1;
          log.warn(`a leftover of session ${id} was removed`, { kind: name });
        } catch (error) {
          log.limited('warn', `leftover ${id}`, `a leftover of session ${id} cannot be removed`, { kind: name, error });
        }
      }
    }
    return ended;
  }

  /** Compares from now on. */
  start(): void {
    this.#loop = startLoop({
      clock: this.#options.clock,
      delay: INTERVAL,
      cycle: async () => {
        this.found += await this.sweep();
        return INTERVAL;
      },
      failed: (error) => {
        this.#options.log.error('searching for leftovers failed', { error });
        return INTERVAL;
      },
    });
  }

  async stop(): Promise<void> {
    await this.#loop?.stop();
  }
}
