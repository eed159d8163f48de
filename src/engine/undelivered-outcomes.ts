/**
 * Servers that were given to clients whose connection may already have been dead. A client that shows its resume token in time gets its outcome again, instead of
 * a new place at the end of the line. No booking is released: a client that received its URL and did not confirm it looks the same.
 */
import type { Allocated, SessionRequest } from './request-types.ts';

export interface UndeliveredOutcome {
  readonly request: SessionRequest;
  readonly outcome: Allocated;
}

/** Is notified of every outcome that is kept or forgotten, at once. `until` is seconds of the engine's clock. */
export interface OutcomeObserver {
  readonly kept: (token: string, undelivered: UndeliveredOutcome, until: number) => void;
  readonly forgotten: (token: string) => void;
}

export class UndeliveredOutcomes {
  readonly #observer: OutcomeObserver | undefined;
  /** By resume token, the oldest first. */
  readonly #outcomes = new Map<string, UndeliveredOutcome & { readonly until: number }>();

  constructor(observer?: OutcomeObserver) {
    this.#observer = observer;
  }

  /** `now` and `until` are seconds of the engine's clock. */
  keep(token: string, undelivered: UndeliveredOutcome, now: number, until: number): void {
    for (const [old, { until }] of this.#outcomes) {
      if (until > now) break;
      this.forget(old);
    }
    this.#outcomes.set(token, { ...undelivered, until });
    this.#observer?.kept(token, undelivered, until);
  }

  get(token: string, now: number): UndeliveredOutcome | undefined {
    const undelivered = this.#outcomes.get(token);
    return undelivered !== undefined && undelivered.until > now ? undelivered : undefined;
  }

  forget(token: string): void {
    if (this.#outcomes.delete(token)) this.#observer?.forgotten(token);
  }
}
