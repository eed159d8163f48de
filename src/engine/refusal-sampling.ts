/**
 * Which refusals for asking too often are recorded: one per minute of each address, and a limited number of all addresses together. The others are only
 * counted, because a flood would push out the decisions that operators look for.
 */
import { TokenBuckets } from '../core/limits/token-bucket.ts';

const PER_ADDRESS = { burst: 1, rate: 1 / 60, maxKeys: 10_000 };
const TOTAL = { burst: 20, rate: 20 / 60, maxKeys: 1 };

export type Sampling =
  /** It becomes a decision of its own and a line in the log. */
  | 'recorded'
  /** It becomes a line in the log only. */
  | 'logged'
  | 'counted';

export class RefusalSampling {
  readonly #perAddress = new TokenBuckets(PER_ADDRESS);
  readonly #total = new TokenBuckets(TOTAL);

  /** What to do with the next refusal. `key` is the address as limits know it; `now` is seconds. */
  next(key: string, now: number): Sampling {
    if (this.#perAddress.take(key, now) > 0) return 'counted';
    return this.#total.take('', now) === 0 ? 'recorded' : 'logged';
  }
}
