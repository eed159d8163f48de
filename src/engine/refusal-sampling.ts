/**
 * Which refusals for asking too often are written down: one a minute of each address, and so many of all addresses together. The others are only counted, for
 * a flood would wash away the decisions that people ask about.
 */
import { TokenBuckets } from '../core/limits/token-bucket.ts';

const EACH = { burst: 1, rate: 1 / 60, maxKeys: 10_000 };
const ALL = { burst: 20, rate: 20 / 60, maxKeys: 1 };

export type Noting =
  /** Worth a decision of its own, and a line in the log. */
  | 'noted'
  /** Of the address alone it is worth a line in the log. */
  | 'logged'
  | 'counted';

export class RefusalSampling {
  readonly #ofEach = new TokenBuckets(EACH);
  readonly #ofAll = new TokenBuckets(ALL);

  /** `key`: the address as limits know it; `now` is seconds. */
  note(key: string, now: number): Noting {
    if (this.#ofEach.take(key, now) > 0) return 'counted';
    return this.#ofAll.take('', now) === 0 ? 'noted' : 'logged';
  }
}
