/**
 * Numbered places of which some are taken: how many are taken up to one of them, in logarithmic time.
 *
 * A Fenwick tree: the waiting line asks for a rank among ten thousand tickets each time somebody wants to know a position, and tickets leave from
 * anywhere in it.
 */
export class Places {
  readonly size: number;
  /** `#sums[i]` counts the taken places of the stretch that ends at `i` and is as long as the lowest set bit of `i`; index 0 is not used. */
  readonly #sums: Uint32Array;

  /** `size` places, numbered from 0, all free. */
  constructor(size: number) {
    this.size = size;
    this.#sums = new Uint32Array(size + 1);
  }

  take(place: number): void {
    this.#add(place, 1);
  }

  free(place: number): void {
    this.#add(place, -1);
  }

  /** Taken places from 0 up to and with `place`. */
  upTo(place: number): number {
    let count = 0;
    for (let i = place + 1; i > 0; i -= i & -i) count += this.#sums[i] ?? 0;
    return count;
  }

  #add(place: number, change: number): void {
    for (let i = place + 1; i <= this.size; i += i & -i) this.#sums[i] = (this.#sums[i] ?? 0) + change;
  }
}
