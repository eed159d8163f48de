/**
 * The choice of a server: one pass over the candidates at each request.
 *
 * What the pass reads lies in columns of numbers beside each other, written when a report or a booking changes them: a thousand servers cost two
 * microseconds that way, and five times as much when it reads objects. There is no index, because the order of the servers depends on what the
 * project costs on each of them.
 */
import { limited } from './cost.ts';

/** What the pass reads of one server. */
export interface Row {
  /** Percent: reported and booked load. */
  readonly level: number;
  /** Percent: the same with the highest recent report; `Infinity` for a closed server. */
  readonly ceiling: number;
  /** What sessions cost there compared to the rest of the fleet. */
  readonly factor: number;
  /** Rank of its last allocation among all. */
  readonly lastUsed: number;
  /** There is more to it than load: ask before it is chosen. */
  readonly special: boolean;
}

export interface Search {
  /** Load points of the session, before the server's factor. */
  readonly base: number;
  /** Percent that must not be reached. */
  readonly target: number;
  /** The share by which the cost of the session may turn out higher. */
  readonly margin: number;
  /** Load points of chance. */
  readonly jitter: number;
  readonly random: () => number;
}

export class Choice {
  #level = new Float64Array(16);
  #ceiling = new Float64Array(16);
  #factor = new Float64Array(16);
  #lastUsed = new Float64Array(16);
  #special = new Uint8Array(16);
  #rows = 0;
  readonly #free: number[] = [];

  /** A row for a new server. It has no room until it is set. */
  addRow(): number {
    const row = this.#free.pop() ?? this.#rows++;
    if (row >= this.#level.length) this.#grow();
    this.#ceiling[row] = Infinity;
    return row;
  }

  removeRow(row: number): void {
    this.#ceiling[row] = Infinity;
    this.#free.push(row);
  }

  setRow(row: number, { level, ceiling, factor, lastUsed, special }: Row): void {
    this.#level[row] = level;
    this.#ceiling[row] = ceiling;
    this.#factor[row] = factor;
    this.#lastUsed[row] = lastUsed;
    this.#special[row] = special ? 1 : 0;
  }

  /**
   * The index in `rows` of the server whose level with the session in it will be least, or -1. Ties go to the one not used for longest. `admits` is
   * asked about special rows, with the index and that level.
   */
  best(
    rows: Int32Array,
    { base, target, margin, jitter, random }: Search,
    admits: (index: number, level: number) => boolean,
  ): number {
    const levels = this.#level;
    const ceilings = this.#ceiling;
    const factors = this.#factor;
    const lastUsed = this.#lastUsed;
    const special = this.#special;
    let best = -1;
    let least = Infinity;
    let longest = Infinity;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] ?? 0;
      const cost = limited(base * (factors[row] ?? 0));
      let level = (levels[row] ?? 0) + cost;
      if (jitter > 0) level += jitter * random();
      // First what most servers fail.
      if (level > least) continue;
      if ((ceilings[row] ?? Infinity) + cost * (1 + margin) >= target) continue;
      const used = lastUsed[row] ?? 0;
      if (level === least && used >= longest) continue;
      if (special[row] === 1 && !admits(i, level)) continue;
      best = i;
      least = level;
      longest = used;
    }
    return best;
  }

  /** The first index from `from` on with room, or -1. */
  next(rows: Int32Array, { base, margin, target }: Pick<Search, 'base' | 'margin' | 'target'>, from: number): number {
    const ceilings = this.#ceiling;
    const factors = this.#factor;
    for (let i = from; i < rows.length; i++) {
      const row = rows[i] ?? 0;
      const cost = limited(base * (factors[row] ?? 0));
      if ((ceilings[row] ?? Infinity) + cost * (1 + margin) < target) return i;
    }
    return -1;
  }

  #grow(): void {
    const size = 2 * this.#level.length;
    this.#level = larger(this.#level, size);
    this.#ceiling = larger(this.#ceiling, size);
    this.#factor = larger(this.#factor, size);
    this.#lastUsed = larger(this.#lastUsed, size);
    const special = new Uint8Array(size);
    special.set(this.#special);
    this.#special = special;
  }
}

function larger(column: Float64Array, size: number): Float64Array<ArrayBuffer> {
  const copy = new Float64Array(size);
  copy.set(column);
  return copy;
}
