/**
 * What costs much to draw up and many may ask for: everybody gets it fresh while that is seldom, and in a flood all get the one that was drawn last, which
 * is a fraction of a second old. So what a flood of reading costs does not hang on how many ask.
 */
import { TokenBuckets } from '../../core/limits/token-bucket.ts';
import type { Clock } from '../../ports.ts';

export interface Drawn<T> {
  readonly value: T;
  /** About the bytes of it as JSON: what drawing and writing it costs hangs on them. */
  readonly bytes: number;
}

/** Of one value: about a tenth of a second of work at once, and thirty milliseconds a second. */
const BYTES = { burst: 8_000_000, rate: 2_000_000, maxKeys: 1 };

export function createThrottledValue<T>(clock: Pick<Clock, 'now'>, draw: () => Drawn<T>): () => T {
  const budget = new TokenBuckets(BYTES);
  let last: Drawn<T> | undefined;
  return () => {
    const now = clock.now();
    if (last === undefined || budget.wait('', now) === 0) {
      last = draw();
      budget.take('', now, last.bytes);
    }
    return last.value;
  };
}
