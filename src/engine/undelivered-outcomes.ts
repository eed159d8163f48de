/**
 * Servers that were given to clients whose connection may already have been dead. A client that shows its resume token in time gets its outcome again, instead of
 * a new place at the end of the line. No booking is released: a client that received its URL and did not confirm it looks the same.
 */
import type { Allocated, SessionRequest } from './request-types.ts';

export interface UndeliveredOutcome {
  readonly request: SessionRequest;
  readonly outcome: Allocated;
}

export class UndeliveredOutcomes {
  /** By resume token, the oldest first. */
  readonly #outcomes = new Map<string, UndeliveredOutcome & { readonly until: number }>();

  /** `now` and `until` are seconds of the engine's clock. */
  keep(token: string, undelivered: UndeliveredOutcome, now: number, until: number): void {
    for (const [old, { until }] of this.#outcomes) {
      if (until > now) break;
      this.#outcomes.delete(old);
    }
    this.#outcomes.set(token, { ...undelivered, until });
  }

  get(token: string, now: number): UndeliveredOutcome | undefined {
    const undelivered = this.#outcomes.get(token);
    return undelivered !== undefined && undelivered.until > now ? undelivered : undefined;
  }

  forget(token: string): void {
    this.#outcomes.delete(token);
  }
}
