/**
 * Bodies whose sender divides them into pieces of one byte: 64 kB are ten thousand of them. Each would be an object of its own, a hundred times its size, in every
 * queue on its way. So pieces are joined before anything else is done with them.
 */
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

/** What is done when `to` does not take more, and when it does again. */
export interface Backpressure {
  readonly full: () => void;
  readonly free: () => void;
  /** One read had more pieces than any sender has reason for, each of which costs time. Absent: it may. */
  readonly flooded?: () => void;
}

type Body = Readable & { readonly socket: Pick<Socket, 'pause' | 'resume'> };

/** Pieces of one read: a fifteenth of what it has room for. */
const MAX_PIECES = 1024;
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

/**
 * Forwards what arrives, the pieces of one read together, and no faster than `to` takes them. The caller ends `to` at the event `end`. Returns what stops it.
 *
 * While `to` is full, it is the socket that is not read. A body that is paused goes on taking pieces, up to its own limit in bytes, and does not join them.
 */
export function passJoined(from: Body, to: Writable, { full, free, flooded }: Backpressure): () => void {
  let pieces: Buffer[] = [];
  let isFull = false;
  let isOver = false;
  const flush = () => {
    const joined = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
    pieces = [];
    if (joined === undefined || joined.length === 0 || to.destroyed || to.writableEnded || to.write(joined)) return;
    // Later, because the body asks for the next read after each piece. What arrives until then is counted as well.
    if (!isFull) setImmediate(hold);
    isFull = true;
    full();
  };
  const hold = () => {
    if (isFull && !isOver) from.socket.pause();
  };
  const keep = (piece: Buffer) => {
    const count = pieces.push(piece);
    // The parser calls back for each piece of a read, and ticks come after all of them.
    if (count === 1) process.nextTick(flush);
    else if (count === MAX_PIECES) flooded?.();
  };
  const drained = () => {
    isFull = false;
    free();
    from.socket.resume();
  };
  const ended = () => {
    flush();
    over();
  };
  /** Nothing more is to be read of the body, and the socket may have more. */
  const over = () => {
    isOver = true;
    if (isFull) from.socket.resume();
  };
  from.on('data', keep);
  // Before the listeners that end `to`.
  from.prependListener('end', ended);
  to.on('drain', drained);
  return () => {
    from.off('data', keep);
    from.off('end', ended);
    to.off('drain', drained);
    over();
  };
}
