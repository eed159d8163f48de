/**
 * The only place of the engine that sleeps. Every loop is: while not aborted, one cycle, then sleep; a cycle that throws is reported and the next one
 * runs (ARCHITECTURE.md, "What happens when things fail").
 */
import type { Clock } from '../ports.ts';

export interface Loop {
  /** Ends the sleep now, if there is one: the next cycle starts at once. */
  wake(): void;
  /** Aborts the running cycle and resolves when it has ended. */
  stop(): Promise<void>;
}

export interface LoopOptions {
  readonly clock: Clock;
  /** Seconds before the first cycle. */
  readonly delay?: number;
  /** One cycle. Returns the seconds to sleep after it; `Infinity` sleeps until woken. */
  readonly cycle: (signal: AbortSignal) => Promise<number> | number;
  /** Called when a cycle throws; returns the seconds to sleep before the next one. */
  readonly failed: (error: unknown) => number;
}

export function startLoop({ clock, delay = 0, cycle, failed }: LoopOptions): Loop {
  const stopping = new AbortController();
  let sleeping: AbortController | undefined;
  let woken = false;

  const sleep = async (seconds: number): Promise<void> => {
    if (woken || stopping.signal.aborted) {
      woken = false;
      return;
    }
    sleeping = new AbortController();
    await clock.sleep(seconds, sleeping.signal);
    sleeping = undefined;
    woken = false;
  };

  const run = async (): Promise<void> => {
    if (delay > 0) await sleep(delay);
    while (!stopping.signal.aborted) {
      let pause: number;
      try {
        pause = await cycle(stopping.signal);
      } catch (error) {
        pause = failed(error);
      }
      await sleep(pause);
    }
  };
  const ended = run();

  return {
    wake() {
      woken = true;
      sleeping?.abort();
    },
    async stop() {
      stopping.abort();
      sleeping?.abort();
      await ended;
    },
  };
}
