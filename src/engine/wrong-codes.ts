/**
 * Wrong codes of classes by address. A code is compared first, and only wrong ones are counted: a class behind one address, in which some mistype, is never
 * refused for a right one. It makes guessing slow and visible. What stops it is the length of codes, and that a code gives a seat and nothing else.
 */
import { TokenBuckets } from '../core/limits/token-bucket.ts';
import type { Clock, Log } from '../ports.ts';
import type { SessionRequest } from './request-types.ts';

/** Thirty at once, then ten a minute. */
const RULES = { burst: 30, rate: 10 / 60, maxKeys: 100_000 };

export class WrongCodes {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #log: Log;
  readonly #buckets = new TokenBuckets(RULES);

  constructor(clock: Pick<Clock, 'now'>, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Counts a wrong code. Returns the seconds its sender should wait; 0: none. */
  count({ address, limitKey }: SessionRequest['address']): number {
    const wait = limitKey === undefined ? 0 : this.#buckets.take(limitKey, this.#clock.now());
    if (wait > 0) this.#log.limited('warn', `wrong-codes ${address}`, `${address} guesses codes of classes`, { address });
    return wait;
  }

  /** Counts a code that a teacher chose for a class, and that another class has: it could be used to take the seats of that class. */
  countTaken(teacher: string): void {
    this.#buckets.take(keyOf(teacher), this.#clock.now());
  }

  /** Seconds a teacher should wait before choosing another code; 0: none. */
  waitOf(teacher: string): number {
    const wait = this.#buckets.wait(keyOf(teacher), this.#clock.now());
    if (wait > 0)
      this.#log.limited('warn', `wrong-codes ${teacher}`, `${teacher} chooses codes that other classes have`, { teacher });
    return wait;
  }
}

/** No address looks like this. */
function keyOf(teacher: string): string {
  return `teacher ${teacher}`;
}
