/**
 * Which lines about strangers' doings are written: a few with the same key a minute, a bounded number in all, and afterwards one line a key that says
 * how many were left out. The bound in all is what keeps the log, and the memory here, small when somebody varies the key.
 *
 * All keys share one window, so that nothing has to be kept of a window that is over.
 */
export interface LimiterRules {
  /** Seconds. */
  readonly window: number;
  /** Lines with the same key in a window. */
  readonly perKey: number;
  /** Lines in a window. It is also the most keys that are told apart. */
  readonly inAll: number;
}

/** What was left out in the window that is over. */
export interface LeftOut<Level> {
  readonly level: Level;
  /** `undefined`: all lines of keys for which there was no room. */
  readonly key: string | undefined;
  readonly count: number;
}

interface Tally<Level> {
  readonly level: Level;
  written: number;
  leftOut: number;
}

const LONGEST_KEY = 200;

export class LogLimiter<Level extends string> {
  readonly #rules: LimiterRules;
  readonly #tallies = new Map<string, Tally<Level>>();
  #others: { level: Level; leftOut: number } | undefined;
  #written = 0;
  #windowEnd: number | undefined;

  constructor(rules: LimiterRules) {
    this.#rules = rules;
  }

  /** Whether a line is written. `now` is seconds; ask `end` first whether a window is over. */
  admits(level: Level, key: string, now: number): boolean {
    this.#windowEnd ??= now + this.#rules.window;
    const tally = this.#tallyOf(level, key.slice(0, LONGEST_KEY));
    if (tally === undefined) {
      this.#others ??= { level, leftOut: 0 };
      this.#others.leftOut += 1;
      return false;
    }
    if (tally.written >= this.#rules.perKey || this.#written >= this.#rules.inAll) {
      tally.leftOut += 1;
      return false;
    }
    tally.written += 1;
    this.#written += 1;
    return true;
  }

  /** Seconds until the window is over, or `Infinity` when there is none; negative when it is late. */
  remaining(now: number): number {
    return this.#windowEnd === undefined ? Infinity : this.#windowEnd - now;
  }

  /** Ends the window and tells what was left out in it. */
  end(): LeftOut<Level>[] {
    const told: LeftOut<Level>[] = [];
    for (const [key, { level, leftOut }] of this.#tallies) if (leftOut > 0) told.push({ level, key, count: leftOut });
    if (this.#others !== undefined) told.push({ level: this.#others.level, key: undefined, count: this.#others.leftOut });
    this.#tallies.clear();
    this.#others = undefined;
    this.#written = 0;
    this.#windowEnd = undefined;
    return told;
  }

  #tallyOf(level: Level, key: string): Tally<Level> | undefined {
    const known = this.#tallies.get(key);
    if (known !== undefined || this.#written >= this.#rules.inAll) return known;
    const tally: Tally<Level> = { level, written: 0, leftOut: 0 };
    this.#tallies.set(key, tally);
    return tally;
  }
}
