/**
 * All periodic work runs in such a loop: while not aborted, one cycle, then sleep. A cycle that throws is reported, and the next one runs. Other code may sleep
 * once, as for a deadline, but never repeatedly.
 */
import type { Clock } from '../ports.ts';

export interface Loop {
  /** Starts the next cycle at once. */
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
  /** Ends the sleep. Replaced only after use: there are thousands of loops, and most of them are never woken. */
  let alarm = new AbortController();
  let sleeping = false;
  let woken = false;

  const sleep = async (seconds: number): Promise<void> => {
    if (woken || stopping.signal.aborted) {
      woken = false;
      return;
    }
    if (alarm.signal.aborted) alarm = new AbortController();
    sleeping = true;
    await clock.sleep(seconds, alarm.signal);
    sleeping = false;
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
      if (sleeping) alarm.abort();
    },
    async stop() {
      stopping.abort();
      if (sleeping) alarm.abort();
      await ended;
    },
  };
}
