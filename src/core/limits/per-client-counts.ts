/** How many of something each client holds, such as connections by address. A client that holds none takes no memory. */
export class PerClientCounts {
  readonly #held = new Map<string, number>();

  of(key: string): number {
    return this.#held.get(key) ?? 0;
  }

  /** `undefined`: no particular client; it is not counted. */
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
