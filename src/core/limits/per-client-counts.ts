/** How much each of many holds of something, such as connections by address. Whoever holds nothing is not remembered. */
export class PerClientCounts {
  readonly #held = new Map<string, number>();

  of(key: string): number {
    return this.#held.get(key) ?? 0;
  }

  /** `undefined`: of no particular holder; it is not counted. */
  take(key: string | undefined): void {
    if (key !== undefined) this.#held.set(key, this.of(key) + 1);
  }

  giveBack(key: string | undefined): void {
    if (key === undefined) return;
    const left = this.of(key) - 1;
    if (left > 0) this.#held.set(key, left);
    else this.#held.delete(key);
  }
}
