/**
 * The choice of a server: one pass over the candidates at each request.
 *
 * What the pass reads lies in columns of numbers beside each other, written when a report or a booking changes them. The order of the servers depends on
 * what the project costs on each of them, so they cannot be kept sorted. But of each block of rows the least values are known, and a block none of whose
 * servers can win, or has room, is passed over: the choice among ten thousand servers costs little more than among a hundred.
 */
import { BlockMinima, type RowBlocks } from './row-blocks.ts';
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

/** A server without room. */
const NO_ROOM: Row = { level: Infinity, ceiling: Infinity, factor: Infinity, lastUsed: Infinity, special: false };

/** What decides whether there is room. */
export type RoomSearch = Pick<Search, 'base' | 'margin' | 'target'>;

export class Choice {
  #level = column(16);
  #ceiling = column(16);
  #factor = column(16);
  #lastUsed = column(16);
  #special = new Uint8Array(16);
  readonly #least = {
    level: new BlockMinima(),
    ceiling: new BlockMinima(),
    factor: new BlockMinima(),
    lastUsed: new BlockMinima(),
  };
  #rows = 0;
  readonly #free: number[] = [];

  /** A row for a new server. It has no room until it is set. */
  addRow(): number {
    const row = this.#free.pop() ?? this.#rows++;
    if (row >= this.#level.length) this.#grow();
    return row;
  }

  removeRow(row: number): void {
    this.setRow(row, NO_ROOM);
    this.#free.push(row);
  }

  setRow(row: number, { level, ceiling, factor, lastUsed, special }: Row): void {
    // A closed server must not make its block look attractive.
    this.#least.level.set(this.#level, row, ceiling === Infinity ? Infinity : level);
    this.#least.ceiling.set(this.#ceiling, row, ceiling);
    this.#least.factor.set(this.#factor, row, factor);
    this.#least.lastUsed.set(this.#lastUsed, row, lastUsed);
    this.#special[row] = special ? 1 : 0;
  }

  /**
   * The index in `rows` of the server whose level with the session in it will be least, or -1. Ties go to the one not used for longest. `admits` is
   * asked about special rows, with the index and that level.
   */
  best(candidates: RowBlocks, search: Search, admits: (index: number, level: number) => boolean): number {
    const { rows, blocks, starts } = candidates;
    const { base, target, margin, jitter, random } = search;
    const least = { index: -1, level: Infinity, used: Infinity };
    for (let b = 0; b < blocks.length; b++) {
      if (!this.#canWin(blocks[b] ?? 0, search, least)) continue;
      const end = starts[b + 1] ?? 0;
      for (let i = starts[b] ?? 0; i < end; i++) {
        const row = rows[i] ?? 0;
        const cost = limited(base * (this.#factor[row] ?? 0));
        let level = (this.#level[row] ?? 0) + cost;
        if (jitter > 0) level += jitter * random();
        // First what most servers fail.
        if (level > least.level) continue;
        if ((this.#ceiling[row] ?? Infinity) + cost * (1 + margin) >= target) continue;
        const used = this.#lastUsed[row] ?? 0;
        if (level === least.level && used >= least.used) continue;
        if (this.#special[row] === 1 && !admits(i, level)) continue;
        least.index = i;
        least.level = level;
        least.used = used;
      }
    }
    return least.index;
  }

  /** The first index from `from` on with room, or -1. */
  next(candidates: RowBlocks, search: RoomSearch, from: number): number {
    const { rows, blocks, starts } = candidates;
    const { base, margin, target } = search;
    for (let b = 0; b < blocks.length; b++) {
      const end = starts[b + 1] ?? 0;
      if (end <= from || !this.#mayHaveRoom(blocks[b] ?? 0, search)) continue;
      for (let i = Math.max(from, starts[b] ?? 0); i < end; i++) {
        const row = rows[i] ?? 0;
        const cost = limited(base * (this.#factor[row] ?? 0));
        if ((this.#ceiling[row] ?? Infinity) + cost * (1 + margin) < target) return i;
      }
    }
    return -1;
  }

  /** Whether a row of the block may be better than the best so far. Rounding keeps the order of sums, so no row is missed. */
  #canWin(block: number, search: RoomSearch, best: { readonly level: number; readonly used: number }): boolean {
    const { level, factor, lastUsed } = this.#least;
    const bound = level.of(block) + limited(search.base * factor.of(block));
    if (bound > best.level) return false;
    if (bound === best.level && lastUsed.of(block) >= best.used) return false;
    return this.#mayHaveRoom(block, search);
  }

  #mayHaveRoom(block: number, { base, margin, target }: RoomSearch): boolean {
    const { ceiling, factor } = this.#least;
    return ceiling.of(block) + limited(base * factor.of(block)) * (1 + margin) < target;
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

function larger(before: Float64Array, size: number): Float64Array<ArrayBuffer> {
  const after = column(size);
  after.set(before);
  return after;
}

/** Rows that are not set yet have no room. */
function column(size: number): Float64Array<ArrayBuffer> {
  return new Float64Array(size).fill(Infinity);
}
