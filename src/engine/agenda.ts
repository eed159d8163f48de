/** Things in the order of their times. A binary heap, because there may be ten thousand, each of which returns every few seconds. */
interface Entry<T> {
  readonly time: number;
  readonly thing: T;
}

export class Agenda<T> {
  readonly #entries: Entry<T>[] = [];

  get size(): number {
    return this.#entries.length;
  }

  /** The earliest time, or `Infinity` if there is none. */
  get next(): number {
    return this.#timeAt(0);
  }

  add(time: number, thing: T): void {
    const entries = this.#entries;
    let at = entries.length;
    entries.push({ time, thing });
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (this.#timeAt(above) <= time) return;
      this.#swap(at, above);
      at = above;
    }
  }

  /** Takes out the earliest thing whose time has come by `now`. */
  take(now: number): Entry<T> | undefined {
    if (this.next > now) return undefined;
    const entries = this.#entries;
    this.#swap(0, entries.length - 1);
    const first = entries.pop();
    this.#sink();
    return first;
  }

  /** Moves the first entry to its place. */
  #sink(): void {
    const time = this.#timeAt(0);
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const below = this.#timeAt(left + 1) < this.#timeAt(left) ? left + 1 : left;
      if (this.#timeAt(below) >= time) return;
      this.#swap(at, below);
      at = below;
    }
  }

  #timeAt(index: number): number {
    return this.#entries[index]?.time ?? Infinity;
  }

  #swap(a: number, b: number): void {
    const entries = this.#entries;
    const [first, second] = [entries[a], entries[b]];
    if (first === undefined || second === undefined) return;
    entries[a] = second;
    entries[b] = first;
  }
}
