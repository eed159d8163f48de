/**
 * Bodies whose sender divides them into pieces of one byte: 64 kB are ten thousand of them. Each would be an object of its own, a hundred times its size, in every
 * queue on its way. So pieces are joined before anything else is done with them.
 */
import type { Readable, Writable } from 'node:stream';

/** What is done when `to` does not take more, and when it does again. */
export interface Backpressure {
  readonly full: () => void;
  readonly free: () => void;
}

/** Pieces that are not joined yet. */
const MAX_LOOSE = 1024;

/** A body that is kept as a whole. */
export class Pieces {
  readonly #blocks: Buffer[] = [];
  #loose: Buffer[] = [];
  #size = 0;

  /** Bytes. */
  get size(): number {
    return this.#size;
  }

  /** How many objects it consists of. */
  get parts(): number {
    return this.#blocks.length + this.#loose.length;
  }

  add(piece: Buffer): void {
    this.#size += piece.length;
    if (this.#loose.push(piece) < MAX_LOOSE) return;
    this.#blocks.push(Buffer.concat(this.#loose));
    this.#loose = [];
  }

  joined(): Buffer {
    return Buffer.concat([...this.#blocks, ...this.#loose]);
  }
}

/** Passes on what arrives, the pieces of one read together, and no faster than `to` takes them. The caller ends `to` at the event `end`. Returns what stops it. */
export function passJoined(from: Readable, to: Writable, { full, free }: Backpressure): () => void {
  let pieces: Buffer[] = [];
  const flush = () => {
    const joined = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
    pieces = [];
    if (joined === undefined || joined.length === 0 || to.destroyed || to.writableEnded || to.write(joined)) return;
    from.pause();
    full();
  };
  const keep = (piece: Buffer) => {
    // The parser calls back for each piece of a read, and ticks come after all of them.
    if (pieces.push(piece) === 1) process.nextTick(flush);
  };
  const drained = () => {
    free();
    from.resume();
  };
  from.on('data', keep);
  // Before the listeners that end `to`.
  from.prependListener('end', flush);
  to.on('drain', drained);
  return () => {
    from.off('data', keep);
    from.off('end', flush);
    to.off('drain', drained);
  };
}
