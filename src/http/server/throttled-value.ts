/**
 * A value that is expensive to compute and may be read often. While reads are rare, each gets a fresh value; in a flood
 * all get the last one, which is a fraction of a second old. So the cost does not depend on the number of readers.
 */
import { TokenBuckets } from '../../core/limits/token-bucket.ts';
import type { Clock } from '../../ports.ts';

export interface Computed<T> {
  readonly value: T;
  /** Its approximate size as JSON, on which the cost of computing and writing it depends. */
  readonly bytes: number;
}

/** For one value: about a tenth of a second of work at once, and thirty milliseconds a second. */
const BYTES = { burst: 8_000_000, rate: 2_000_000, maxKeys: 1 };

export function createThrottledValue<T>(clock: Pick<Clock, 'now'>, compute: () => Computed<T>): () => T {
  const allowance = new TokenBuckets(BYTES);
  let last: Computed<T> | undefined;
  return () => {
    const allowed = allowance.wait('', clock.now()) === 0;
    if (last === undefined || allowed) {
      last = compute();
      allowance.take('', clock.now(), last.bytes);
    }
    return last.value;
  };
}
