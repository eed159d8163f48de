/**
 * Limits the lines that strangers can cause: a few with the same key a minute, a bounded number of each kind, and afterwards one line a key that says how
 * many were left out. The bound of a kind keeps the log and the memory small when a client varies the key. Each kind has its own bound, so that a flood of
 * one kind does not push out another.
 *
 * All keys share one window, so that nothing has to be kept of a window that is over.
 */
export interface LimiterRules {
  /** Seconds. */
  readonly window: number;
  /** Lines with the same key in a window. */
  readonly perKey: number;
  /** Lines of one kind in a window. It is also the maximum number of keys of a kind that are counted separately. The kind is the first word of the key, and a constant of ours. */
  readonly perKind: number;
}

/** What was left out in the window that is over. */
export interface LeftOut<Level> {
  readonly level: Level;
  /** The kind alone: all lines of keys for which there was no room. */
  readonly key: string;
  readonly count: number;
}

interface Tally<Level> {
  readonly level: Level;
  written: number;
  leftOut: number;
}

const MAX_KEY = 200;

/** All keys of one kind. */
interface Kind<Level> {
  readonly tallies: Map<string, Tally<Level>>;
  written: number;
  /** Lines of keys for which there was no room. */
  others: Tally<Level> | undefined;
}

export class LogLimiter<Level extends string> {
  readonly #rules: LimiterRules;
  readonly #kinds = new Map<string, Kind<Level>>();
  #windowEnd: number | undefined;

  constructor(rules: LimiterRules) {
    this.#rules = rules;
  }

  /** Whether a line is written. `now` is seconds; ask `end` first whether a window is over. */
  admits(level: Level, key: string, now: number): boolean {
    const { window, perKey, perKind } = this.#rules;
    this.#windowEnd ??= now + window;
    const kind = this.#kindOf(key);
    const tally = this.#tallyOf(kind, level, key.slice(0, MAX_KEY));
    if (tally.written >= perKey || kind.written >= perKind) {
      tally.leftOut += 1;
      return false;
    }
    tally.written += 1;
    kind.written += 1;
    return true;
  }

  /** Seconds until the window is over, or `Infinity` when there is none; negative when it is late. */
  remaining(now: number): number {
    return this.#windowEnd === undefined ? Infinity : this.#windowEnd - now;
  }

  /** Ends the window and returns what was left out in it. */
  end(): LeftOut<Level>[] {
    const summaries: LeftOut<Level>[] = [];
    for (const [name, { tallies, others }] of this.#kinds) {
      for (const [key, { level, leftOut }] of tallies) if (leftOut > 0) summaries.push({ level, key, count: leftOut });
      if (others !== undefined) summaries.push({ level: others.level, key: name, count: others.leftOut });
    }
    this.#kinds.clear();
    this.#windowEnd = undefined;
    return summaries;
  }

  #kindOf(key: string): Kind<Level> {
    const name = key.split(' ', 1)[0] ?? '';
    let kind = this.#kinds.get(name);
    if (kind === undefined) this.#kinds.set(name, (kind = { tallies: new Map(), written: 0, others: undefined }));
    return kind;
  }

  #tallyOf(kind: Kind<Level>, level: Level, key: string): Tally<Level> {
    const known = kind.tallies.get(key);
    if (known !== undefined) return known;
    if (kind.written >= this.#rules.perKind) return (kind.others ??= { level, written: 0, leftOut: 0 });
    const tally: Tally<Level> = { level, written: 0, leftOut: 0 };
    kind.tallies.set(key, tally);
    return tally;
  }
}
