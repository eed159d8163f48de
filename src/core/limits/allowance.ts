/** For what costs much: so much at once, and so much a second. What is taken beyond it is waited for. `now` is seconds of the engine's clock. */
export class Allowance {
  readonly #atOnce: number;
  readonly #perSecond: number;
  #left: number;
  #at = -Infinity;

  constructor({ atOnce, perSecond }: { readonly atOnce: number; readonly perSecond: number }) {
    this.#atOnce = atOnce;
    this.#perSecond = perSecond;
    this.#left = atOnce;
  }

  has(now: number): boolean {
    const earned = (now - this.#at) * this.#perSecond;
    // A clock of a test may stand still or be far ahead.
    this.#left = Math.min(this.#atOnce, this.#left + Math.max(0, earned));
    this.#at = now;
    return this.#left > 0;
  }

  take(amount: number): void {
    this.#left -= amount;
  }
}
