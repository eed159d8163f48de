/**
 * Rate limits: one token bucket for each key, such as an address, so that a class behind one address gets its burst and a flood does not last.
 *
 * Our own, because rate-limiter-flexible counts in fixed windows of the wall clock (a burst at the edge of two windows passes twice, a clock that is
 * set back locks people out) and keeps a timer for each key without a bound on their number.
 */
export interface TokenBucketRules {
  /** Tokens of a full bucket. */
  readonly burst: number;
  /** Tokens a second. */
  readonly rate: number;
  /** Maximum number of keys remembered. The least recently used one is forgotten first, which can only be generous. */
  readonly maxKeys: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>();
  #rules: TokenBucketRules;

  constructor(rules: TokenBucketRules) {
    this.#rules = rules;
  }

  reconfigure(rules: TokenBucketRules): void {
    this.#rules = rules;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Seconds until there is a token. Takes none. */
  wait(key: string, now: number): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return 0;
    const tokens = bucket.tokens + Math.max(0, now - bucket.at) * this.#rules.rate;
    return tokens < 1 ? (1 - tokens) / this.#rules.rate : 0;
  }

  /**
   * Returns 0 and takes `amount` tokens if there is at least one; otherwise returns the seconds until there is. A large amount may leave a debt, because
   * the cost of some work is known only once it is done. `now` is seconds.
   */
  take(key: string, now: number, amount = 1): number {
    const { burst, rate, maxKeys } = this.#rules;
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now };
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > maxKeys) {
      const oldest = this.#buckets.keys().next();
      if (!oldest.done) this.#buckets.delete(oldest.value);
    }
    bucket.tokens = Math.min(burst, bucket.tokens + Math.max(0, now - bucket.at) * rate);
    bucket.at = now;
    if (bucket.tokens < 1) return (1 - bucket.tokens) / rate;
    bucket.tokens -= amount;
    return 0;
  }
}
