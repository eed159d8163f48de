/**
 * How often one address may ask: a token bucket for each, so that a class behind one address gets its burst and a flood does not last.
 *
 * Ours, because the library at hand counts in fixed windows of the wall clock (a burst at the edge of two windows passes twice, a clock set back locks
 * people out) and keeps a timer for each key without a bound on their number.
 */
export interface TokenBucketRules {
  /** Tokens of a full bucket. */
  readonly burst: number;
  /** Tokens a second. */
  readonly rate: number;
  /** Most keys remembered; the one not used for longest is forgotten first, which can only be generous. */
  readonly mostKeys: number;
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

  /** Seconds until there is a token; takes none. */
  wait(key: string, now: number): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return 0;
    const tokens = bucket.tokens + Math.max(0, now - bucket.at) * this.#rules.rate;
    return tokens < 1 ? (1 - tokens) / this.#rules.rate : 0;
  }

  /** Takes one token. Returns 0 when there was one, else the seconds until there is. `now` in seconds. */
  take(key: string, now: number): number {
    const { burst, rate, mostKeys } = this.#rules;
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now };
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > mostKeys) {
      const oldest = this.#buckets.keys().next();
      if (!oldest.done) this.#buckets.delete(oldest.value);
    }
    bucket.tokens = Math.min(burst, bucket.tokens + Math.max(0, now - bucket.at) * rate);
    bucket.at = now;
    if (bucket.tokens < 1) return (1 - bucket.tokens) / rate;
    bucket.tokens -= 1;
    return 0;
  }
}
