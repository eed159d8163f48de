/**
 * Places that came free for clients whose connection may have been dead by then. Who shows its resume token within the time that a place is kept gets what it
 * missed, instead of a new place at the end of the line. Nothing is given back: a client that heard its URL and said nothing looks the same.
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
  keep(token: string, unheard: UndeliveredOutcome, now: number, until: number): void {
    for (const [old, { until }] of this.#outcomes) {
      if (until > now) break;
      this.#outcomes.delete(old);
    }
    this.#outcomes.set(token, { ...unheard, until });
  }

  get(token: string, now: number): UndeliveredOutcome | undefined {
    const unheard = this.#outcomes.get(token);
    return unheard !== undefined && unheard.until > now ? unheard : undefined;
  }

  forget(token: string): void {
    this.#outcomes.delete(token);
  }
}
