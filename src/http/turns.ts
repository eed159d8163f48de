/**
 * Requests that arrive in one turn of Node's loop are handled together at its end, instead of each between reading from its socket and writing to it: the
 * system calls in between cost every request its warm caches. Under load an answer costs a third less (`npm run bench -- http`); a single request waits for
 * nothing, because the turn ends with it.
 *
 * When answers are expensive, fewer are given in a turn, so that those who ask for something cheap, and the probes, do not wait for all of them. How many is
 * found out: what requests cost is known only afterwards, because much of it comes later in the same turn.
 */
/** Milliseconds a turn should take at most. */
const TURN = 5;
const MOST = 256;

export interface TurnsOptions {
  /** Milliseconds. */
  readonly now: () => number;
  /** Calls back in the next turn, after what came up in this one. */
  readonly later: (call: () => void) => void;
}

const OF_NODE: TurnsOptions = { now: () => performance.now(), later: (call) => setImmediate(call) };

/** `handle` is called with what each request was called with, later in the same turn or in a following one. */
export function inTurns<Asked extends readonly unknown[]>(
  handle: (...asked: Asked) => void,
  { now, later }: TurnsOptions = OF_NODE,
): (...asked: Asked) => void {
  let waiting: Asked[] = [];
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
    const turn = waiting.slice(0, most);
    waiting = waiting.slice(most);
    // Of a single one it is of no interest.
    began = turn.length > 1 || waiting.length > 0 ? start : undefined;
    if (began !== undefined) next();
    for (const asked of turn) handle(...asked);
  };
  return (...asked) => {
    waiting.push(asked);
    next();
  };
}
