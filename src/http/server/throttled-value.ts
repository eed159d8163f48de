/**
 * A value that is expensive to compute and may be read often. While reads are rare, each gets a fresh value; in a flood
 * all get the last one, which is a fraction of a second old. So the cost does not depend on the number of readers.
 */
import { Allowance } from '../../core/limits/allowance.ts';
import type { Clock } from '../../ports.ts';

export interface Computed<T> {
  readonly value: T;
  /** Its approximate size as JSON, on which the cost of computing and writing it depends. */
  readonly bytes: number;
}

/** For one value: about a tenth of a second of work at once, and thirty milliseconds a second. */
const BYTES = { atOnce: 8_000_000, perSecond: 2_000_000 };

export function createThrottledValue<T>(clock: Pick<Clock, 'now'>, compute: () => Computed<T>): () => T {
  const allowance = new Allowance(BYTES);
  let last: Computed<T> | undefined;
  return () => {
    const allowed = allowance.has(clock.now());
    if (last === undefined || allowed) {
      last = compute();
      allowance.take(last.bytes);
    }
    return last.value;
  };
}
