/**
 * How long sessions last on average, from those whose beginning and end are known: behind the gateway all of them. Sessions that still run count with the
 * time they have run so far, or only short ones would be seen at first.
 */

export interface SavedLengths {
  readonly ended: number;
  /** Seconds of all ended sessions together. */
  readonly seconds: number;
}

/** Sessions of the configured length with which the mean begins. */
const PRIOR = 20;
/** Sessions after which the older half is forgotten. */
const MAX_ENDED = 2000;
/** Seconds after which the original's simulation server ends a session by itself. */
const MAX_LENGTH = 7200;
/** Sessions that run, at most; those beyond are not observed. */
const MAX_RUNNING = 50_000;

export class ObservedLengths {
  /** When each began, by its booking. */
  readonly #running = new Map<string, number>();
  #sumOfStarts = 0;
  #ended = 0;
  #seconds = 0;

  began(bookingId: string, now: number): void {
    if (this.#running.has(bookingId) || this.#running.size >= MAX_RUNNING) return;
    this.#running.set(bookingId, now);
    this.#sumOfStarts += now;
  }

  /** Nothing, if its beginning is not known. */
  ended(bookingId: string, now: number): void {
    const start = this.#running.get(bookingId);
    if (start === undefined) return;
    this.#running.delete(bookingId);
    this.#sumOfStarts = this.#running.size === 0 ? 0 : this.#sumOfStarts - start;
    this.#ended += 1;
    this.#seconds += Math.min(MAX_LENGTH, now - start);
    if (this.#ended < MAX_ENDED) return;
    this.#ended /= 2;
    this.#seconds /= 2;
  }

  /** Seconds. `configured`: what is believed before any session was seen. */
  mean(configured: number, now: number): number {
    if (this.#ended === 0 && this.#running.size === 0) return configured;
    const running = this.#running.size * now - this.#sumOfStarts;
    return (this.#seconds + running + PRIOR * configured) / (this.#ended + PRIOR);
  }

  save(): SavedLengths {
    return { ended: this.#ended, seconds: this.#seconds };
  }

  restore({ ended, seconds }: SavedLengths): void {
    this.#ended = ended;
    this.#seconds = seconds;
  }
}
