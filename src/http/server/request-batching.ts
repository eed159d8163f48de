/**
 * Requests that arrive in one turn of Node's loop are handled together at its end, instead of each between reading its
 * socket and writing to it: the system calls in between cost every request its warm caches. Under load a response costs a
 * third less (`npm run bench -- http`). A single request is not delayed, because the turn ends with it.
 *
 * When responses are expensive, fewer are given in a turn, so that cheap requests and the probes do not wait for all of
 * them. The size of a batch is adapted to the length of past turns: the cost of requests is known only afterwards, because
 * much of it arises later in the same turn. The remaining requests wait in one line per client, and the lines are served
 * in rotation, so that a client with few requests does not wait for all those of another.
 */
/** Maximum length of a turn, in milliseconds. */
const MAX_TURN = 3;
const MAX_BATCH = 256;

export interface BatchOptions<Request extends readonly unknown[]> {
  /** The client of a request; called only when not all requests can be handled in a turn. */
  readonly who: (...request: Request) => string;
  /** Milliseconds. */
  readonly now?: () => number;
  /** Calls back in the next turn, after everything of this one. */
  readonly later?: (call: () => void) => void;
}

/** `handle` gets the arguments of each request, later in the same turn or in a following one. */
export function inBatches<Request extends readonly unknown[]>(
  handle: (...request: Request) => void,
  options: BatchOptions<Request>,
): (...request: Request) => void {
  const batches = new Batches(handle, options);
  return (...request) => batches.add(request);
}

class Batches<Request extends readonly unknown[]> {
  readonly #handle: (...request: Request) => void;
  readonly #who: (...request: Request) => string;
  readonly #now: () => number;
  readonly #later: (call: () => void) => void;
  readonly #waiting = new Lines<Request>();
  #arrived: Request[] = [];
  #maxBatch = MAX_BATCH;
  #isDue = false;
  /** When the turn before began, if its length matters. */
  #turnBegan: number | undefined;

  constructor(
    handle: (...request: Request) => void,
    { who, now = () => performance.now(), later = (call) => setImmediate(call) }: BatchOptions<Request>,
  ) {
    this.#handle = handle;
    this.#who = who;
    this.#now = now;
    this.#later = later;
  }

  add(request: Request): void {
    this.#arrived.push(request);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#later(() => this.#takeTurn());
  }

  #takeTurn(): void {
    this.#isDue = false;
    const began = this.#now();
    this.#adapt(began);
    const batch = this.#nextBatch();
    // The length of a turn with a single request does not matter.
    this.#turnBegan = batch.length > 1 || this.#waiting.length > 0 ? began : undefined;
    if (this.#turnBegan !== undefined) this.#schedule();
    for (const request of batch) this.#handle(...request);
  }

  #adapt(now: number): void {
    if (this.#turnBegan === undefined) return;
    const tooLong = now - this.#turnBegan > MAX_TURN;
    this.#maxBatch = tooLong ? Math.max(1, this.#maxBatch >> 1) : Math.min(MAX_BATCH, this.#maxBatch << 1);
  }

  #nextBatch(): Request[] {
    const arrived = this.#arrived;
    this.#arrived = [];
    if (this.#waiting.length === 0 && arrived.length <= this.#maxBatch) return arrived;
    for (const request of arrived) this.#waiting.add(this.#who(...request), request);
    return this.#waiting.take(this.#maxBatch);
  }
}

/** Lines that are served in rotation, one item of each at a time. */
class Lines<T> {
  /** The line that is served next comes first. */
  readonly #lines = new Map<string, T[]>();
  length = 0;

  add(name: string, item: T): void {
    const line = this.#lines.get(name);
    if (line === undefined) this.#lines.set(name, [item]);
    else line.push(item);
    this.length += 1;
  }

  take(max: number): T[] {
    const taken: T[] = [];
    // The iteration reaches a line again after it was moved to the end.
    for (const [name, line] of this.#lines) {
      if (taken.length >= max) break;
      const item = line.shift();
      this.#lines.delete(name);
      if (item !== undefined) taken.push(item);
      if (line.length > 0) this.#lines.set(name, line);
    }
    this.length -= taken.length;
    return taken;
  }
}
