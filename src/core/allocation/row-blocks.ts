/** Rows in blocks, and the least value of a column in each block: what lets the choice pass over servers that cannot win (see `choice.ts`). */

/** Rows of a block are read one after the other. Fewer make the list of blocks long, and more of those read cannot win. */
const SHIFT = 5;
const SIZE = 1 << SHIFT;

/** Rows in some order, and where in it the block changes. */
export interface RowBlocks {
  readonly rows: Int32Array;
  /** The block of each stretch of rows that have the same one. */
  readonly blocks: Int32Array;
  /** Index in `rows` at which each stretch begins, and at the end the number of rows. */
  readonly starts: Int32Array;
}

export function inBlocks(rows: Int32Array): RowBlocks {
  const blocks: number[] = [];
  const starts: number[] = [];
  for (const [index, row] of rows.entries()) {
    const block = row >> SHIFT;
    if (blocks.at(-1) === block) continue;
    blocks.push(block);
    starts.push(index);
  }
  return { rows, blocks: Int32Array.from(blocks), starts: Int32Array.from([...starts, rows.length]) };
}

/** The least value of one column in each block; `Infinity` where none was set. */
export class BlockMinima {
  #least = new Float64Array(1).fill(Infinity);

  of(block: number): number {
    return this.#least[block] ?? Infinity;
  }

  /** Writes a value into the column. */
  set(column: Float64Array, row: number, value: number): void {
    const block = row >> SHIFT;
    if (block >= this.#least.length) this.#grow(block);
    const before = column[row];
    column[row] = value;
    const least = this.of(block);
    if (value <= least) this.#least[block] = value;
    else if (before === least) this.#least[block] = leastIn(column, block);
  }

  #grow(block: number): void {
    const least = new Float64Array(2 * Math.max(block, this.#least.length)).fill(Infinity);
    least.set(this.#least);
    this.#least = least;
  }
}

function leastIn(column: Float64Array, block: number): number {
  let least = Infinity;
  const end = Math.min(column.length, (block + 1) * SIZE);
  for (let row = block * SIZE; row < end; row++) least = Math.min(least, column[row] ?? Infinity);
  return least;
}
