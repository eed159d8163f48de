import type { Clock } from '../ports.ts';

/** Maximum delay of a timer, in milliseconds. A longer sleep is divided. */
const MAX_TIMER = 2 ** 31 - 1;

/** The machine's clock. `now` counts from the start of the process and never jumps. */
export const systemClock: Clock = {
  now: () => performance.now() / 1000,
  wallTime: () => Date.now() / 1000,
  sleep(seconds, signal) {
    if (signal?.aborted || seconds <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const part = (left: number) => {
        timer = left > MAX_TIMER ? setTimeout(part, MAX_TIMER, left - MAX_TIMER) : setTimeout(end, left);
      };
      // An endless sleep is ended by the signal only.
      if (seconds !== Infinity) part(seconds * 1000);
      signal?.addEventListener('abort', end, { once: true });
    });
  },
};
