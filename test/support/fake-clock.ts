import type { Clock } from '../../src/ports.ts';

interface Sleeper {
  readonly at: number;
  readonly order: number;
  readonly wake: () => void;
}

/**
 * A clock that moves only when a test advances it. `advance` wakes sleepers in the order of their times and lets everything they started settle before the next
 * one wakes, so that a day passes in seconds and always in the same order.
 */
export class FakeClock implements Clock {
  #now: number;
  #wallOffset: number;
  #order = 0;
  readonly #sleepers: Sleeper[] = [];

  constructor(now = 1000, wallTime = 1_700_000_000) {
    this.#now = now;
    this.#wallOffset = wallTime - now;
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#now + this.#wallOffset;
  }

  /** The machine's clock is set: `wallTime` jumps, `now` does not. */
  jumpWallTime(seconds: number): void {
    this.#wallOffset += seconds;
  }

  sleep(seconds: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper: Sleeper = {
        at: this.#now + seconds,
        order: this.#order++,
        wake: () => {
          signal?.removeEventListener('abort', sleeper.wake);
          const index = this.#sleepers.indexOf(sleeper);
          if (index >= 0) this.#sleepers.splice(index, 1);
          resolve();
        },
      };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', sleeper.wake, { once: true });
    });
  }

  /** Moves the time on by `seconds`, waking all that sleep until then. */
  async advance(seconds: number): Promise<void> {
    const until = this.#now + seconds;
    await settle();
    for (;;) {
      let next: Sleeper | undefined;
      for (const sleeper of this.#sleepers) {
        if (
          sleeper.at <= until &&
          (next === undefined || sleeper.at < next.at || (sleeper.at === next.at && sleeper.order < next.order))
        )
          next = sleeper;
      }
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      await settle();
    }
    this.#now = until;
  }
}

/** Lets promise chains of the engine run to their next real wait. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
