/**
 * Requests that arrive in one turn of Node's loop are handled together at its end, instead of each between reading from its socket and writing to it: the
 * system calls in between cost every request its warm caches. Under load an answer costs a third less (`npm run bench -- http`); a single request waits for
 * nothing, because the turn ends with it.
 *
 * When answers are expensive, fewer are given in a turn, so that those who ask for something cheap, and the probes, do not wait for all of them. How many is
 * found out: what requests cost is known only afterwards, because much of it comes later in the same turn. What is left over waits in one line for each who asks, and
 * the lines are served one after the other: whoever asks for little does not wait for all that another asked for.
 */
/** Milliseconds a turn should take at most. */
const TURN = 3;
const MOST = 256;

export interface BatchOptions<Asked extends readonly unknown[]> {
  /** Who asks; looked at only when not all can be served in a turn. */
  readonly who: (...asked: Asked) => string;
  /** Milliseconds. */
  readonly now?: () => number;
  /** Calls back in the next turn, after what came up in this one. */
  readonly later?: (call: () => void) => void;
}

/** `handle` is called with what each request was called with, later in the same turn or in a following one. */
export function inBatches<Asked extends readonly unknown[]>(
  handle: (...asked: Asked) => void,
  { who, now = () => performance.now(), later = (call) => setImmediate(call) }: BatchOptions<Asked>,
): (...asked: Asked) => void {
  let arrived: Asked[] = [];
  const left = new Lines<Asked>();
  let most = MOST;
  let due = false;
  /** When the turn before began, while it is of interest what it cost. */
  let began: number | undefined;
  const next = () => {
    if (due) return;
    due = true;
    later(takeTurn);
  };
  const takeTurn = () => {
    due = false;
    const start = now();
    if (began !== undefined) most = start - began > TURN ? Math.max(1, most >> 1) : Math.min(MOST, most << 1);
    let turn = arrived;
    arrived = [];
    if (left.length > 0 || turn.length > most) {
      for (const asked of turn) left.add(who(...asked), asked);
      turn = left.take(most);
    }
    // Of a single one it is of no interest.
    began = turn.length > 1 || left.length > 0 ? start : undefined;
    if (began !== undefined) next();
    for (const asked of turn) handle(...asked);
  };
  return (...asked) => {
    arrived.push(asked);
    next();
  };
}

/** Lines that are served one after the other, one of each at a time. */
class Lines<T> {
  /** The one that is served next comes first. */
  readonly #lines = new Map<string, T[]>();
  length = 0;

  add(name: string, thing: T): void {
    const line = this.#lines.get(name);
    if (line === undefined) this.#lines.set(name, [thing]);
    else line.push(thing);
    this.length += 1;
  }

  take(most: number): T[] {
    const taken: T[] = [];
    // A line that is put behind the others is met again.
    for (const [name, line] of this.#lines) {
      if (taken.length >= most) break;
      const thing = line.shift();
      this.#lines.delete(name);
      if (thing !== undefined) taken.push(thing);
      if (line.length > 0) this.#lines.set(name, line);
    }
    this.length -= taken.length;
    return taken;
  }
}
