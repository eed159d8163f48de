/** Names that wait for one of the threads of `getaddrinfo`. Slow names cannot occupy all of them. */
import type { LookupFunction } from 'node:net';

/** Threads that names may occupy: libuv's own limit with its four threads. */
const MAX_AT_ONCE = 2;
/** How many of them slow names may occupy. */
const MAX_SLOW = 1;

export type LookupOptions = Parameters<LookupFunction>[1];
export type Done = Parameters<LookupFunction>[2];
export type Found = Parameters<Done>;

/** A name that is being resolved, or waits for a thread. */
export interface Wanted {
  readonly key: string;
  readonly hostname: string;
  readonly options: LookupOptions;
  /** Callers that have no answer yet. */
  readonly waiting: Set<Done>;
}

export interface NameQueueOptions {
  readonly lookup: LookupFunction;
  /** Seconds after which a name counts as slow. */
  readonly patience: number;
  /** Takes each answer of `lookup`, and returns what the callers receive. */
  readonly answered: (key: string, found: Found) => Found;
}

export class NameQueue {
  readonly #options: NameQueueOptions;
  readonly #wanted = new Map<string, Wanted>();
  readonly #queue: Wanted[] = [];
  readonly #running = new Set<Wanted>();
  /** Names that were slow the last time. */
  readonly #slow = new Set<string>();

  constructor(options: NameQueueOptions) {
    this.#options = options;
  }

  /** The entry of this name; a new one waits for `start`. */
  want(hostname: string, options: LookupOptions): Wanted {
    const key = JSON.stringify([hostname, options]);
    const known = this.#wanted.get(key);
    if (known !== undefined) return known;
    const want: Wanted = { key, hostname, options, waiting: new Set() };
    this.#wanted.set(key, want);
    this.#queue.push(want);
    return want;
  }

  /** Resolves as many names as there are free threads. */
  start(): void {
    while (this.#running.size < MAX_AT_ONCE) {
      const mayBeSlow = [...this.#running].filter(({ hostname }) => this.#slow.has(hostname)).length < MAX_SLOW;
      const index = this.#queue.findIndex(({ hostname }) => mayBeSlow || !this.#slow.has(hostname));
      const [next] = index < 0 ? [] : this.#queue.splice(index, 1);
      if (next === undefined) return;
      this.#run(next);
    }
  }

  isRunning(want: Wanted): boolean {
    return this.#running.has(want);
  }

  /** A caller waits for this name. */
  isPending(hostname: string): boolean {
    return [...this.#wanted.values()].some((want) => want.hostname === hostname && want.waiting.size > 0);
  }

  #run(want: Wanted): void {
    const { lookup, patience } = this.#options;
    let isLate = false;
    this.#running.add(want);
    const timer = setTimeout(() => {
      isLate = true;
      this.#slow.add(want.hostname);
    }, patience * 1000);
    timer.unref();
    lookup(want.hostname, want.options, (...found) => {
      clearTimeout(timer);
      if (!isLate) this.#slow.delete(want.hostname);
      this.#finish(want, found);
    });
  }

  #finish(want: Wanted, found: Found): void {
    this.#running.delete(want);
    this.#wanted.delete(want.key);
    const answer = this.#options.answered(want.key, found);
    this.start();
    for (const done of want.waiting) done(...answer);
  }
}
