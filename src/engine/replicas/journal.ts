/**
 * What the leader decides, on its way to the store. All changes of a turn become one commit, and one commit is under way at a time. No client is sent a
 * decision before `committed` resolves: another leader would not know it.
 */
import { type Change, type Mirror, type Stamp } from '../../core/replicas/shared-state.ts';
import type { Clock, Commit, Log, SharedStore } from '../../ports.ts';

export interface JournalOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Pick<SharedStore, 'commit'>;
  /** The replica that leads. */
  readonly leader: string;
  readonly term: number;
  /** Resolves when everything that arrived together was dealt with. */
  readonly endOfTurn: () => Promise<void>;
  /** What is shared; shows what was recorded at once. */
  readonly mirror: Mirror;
  /** Another replica leads: from now on nothing is committed. */
  readonly fenced: () => void;
  /** The store forgot. */
  readonly forgotten: () => void;
}

/** `undefined`: it is not JSON, so that no session server wrote it. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Seconds in which changes are collected while many clients wait for decisions: fewer commits cost Redis less. */
const COLLECT = 0.001;
/** Clients that waited for the last commit. */
const MANY = 4;
/** Seconds between two attempts. */
const RETRY = 0.25;

export class Journal {
  readonly #options: JournalOptions;
  #term: number;
  #number: number;
  /** The last change of each key that is not committed. */
  #pending = new Map<string, string | null>();
  /** The next commit replaces everything: the first of a term, and the first after the store forgot. */
  #replaces = true;
  /** Nothing is committed before the state of the last leader is restored. */
  #begun = false;
  #waiting: (() => void)[] = [];
  /** How many waited for the last commit. */
  #waited = 0;
  readonly #before: (() => void)[] = [];
  #running: Promise<void> | undefined;
  /** Seconds of the clock. It ends by itself, because the process may be stopped and go on later. */
  #aloneUntil = -Infinity;
  readonly #ended = new AbortController();

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#term = options.term;
    this.#number = options.mirror.stamp.number;
  }

  get stamp(): Stamp {
    return { term: this.#term, number: this.#number };
  }

  get(key: string): unknown {
    const text = this.#options.mirror.get(key);
    return text === undefined ? undefined : parsed(text);
  }

  /** Those whose keys begin so. */
  entries(beginning: string): Iterable<readonly [key: string, text: string]> {
    return this.#options.mirror.entries(beginning);
  }

  set(key: string, value: unknown): void {
    this.#record(key, JSON.stringify(value));
  }

  remove(key: string): void {
    if (this.#options.mirror.get(key) !== undefined) this.#record(key, null);
  }

  /** `collect` is called before every commit, to record what belongs to it. */
  beforeCommit(collect: () => void): void {
    this.#before.push(collect);
  }

  /** Everything recorded so far is committed. Never when this replica does not lead any more: then nothing is recorded. */
  get isClean(): boolean {
    if (this.#ended.signal.aborted) return false;
    return this.#isAlone || (this.#pending.size === 0 && this.#waiting.length === 0 && this.#running === undefined);
  }

  get #isAlone(): boolean {
    return this.#options.clock.now() < this.#aloneUntil;
  }

  /** Resolves when everything recorded so far is committed; never when this replica does not lead any more. */
  committed(): Promise<void> {
    if (this.#ended.signal.aborted) return new Promise(() => undefined);
    if (this.isClean) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#run();
    });
  }

  /** Collects what belongs to the next commit, such as a reservation, and resolves when that is committed; never when this replica does not lead any more. */
  collected(): Promise<void> {
    if (this.#ended.signal.aborted) return new Promise(() => undefined);
    if (this.#isAlone) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#run();
    });
  }

  /** What the last leader left is restored: from now on it is committed. */
  begin(): void {
    this.#begun = true;
    this.#run();
  }

  /** The store is out of reach for all replicas: for `seconds`, decisions count at once. They are committed when it is back. */
  goAlone(seconds: number): void {
    if (this.#ended.signal.aborted) return;
    this.#aloneUntil = this.#options.clock.now() + seconds;
    this.#resolve(this.#waiting.splice(0));
  }

  /** The store answers. `hasForgotten`: not with what was committed. `term` is the one in which this replica leads now. */
  back(term: number, hasForgotten = false): void {
    if (hasForgotten || this.#aloneUntil > -Infinity || term !== this.#term) this.#replaces = true;
    this.#aloneUntil = -Infinity;
    this.#term = term;
    if (this.#replaces) this.#run();
  }

  get isEnded(): boolean {
    return this.#ended.signal.aborted;
  }

  /** Nothing is committed from now on. */
  end(): void {
    this.#ended.abort();
  }

  #record(key: string, text: string | null): void {
    const { mirror } = this.#options;
    if (this.#ended.signal.aborted || mirror.get(key) === text) return;
    mirror.set(key, text);
    this.#pending.set(key, text);
    if (!this.#isAlone) this.#run();
  }

  #run(): void {
    if (!this.#begun || this.#ended.signal.aborted) return;
    this.#running ??= this.#commitAll().finally(() => {
      this.#running = undefined;
      // What was recorded meanwhile.
      if (!this.isClean) this.#run();
    });
  }

  async #commitAll(): Promise<void> {
    const { clock, endOfTurn } = this.#options;
    if (this.#waited > MANY) await clock.sleep(COLLECT, this.#ended.signal);
    else await endOfTurn();
    if (!this.#mayCommit()) return;
    for (const collect of this.#before) collect();
    const told = this.#waiting.splice(0);
    this.#waited = told.length;
    const attempt = this.#next();
    this.#pending = new Map();
    if (await this.#commit(attempt)) this.#resolve(told);
    else this.#waiting.unshift(...told);
    if (this.#isAlone) this.#resolve(this.#waiting.splice(0));
  }

  #mayCommit(): boolean {
    return !this.#hasEnded() && !this.#isAlone;
  }

  #hasEnded(): boolean {
    return this.#ended.signal.aborted;
  }

  /** What is to be committed now. */
  #next(): Commit {
    const { leader, mirror } = this.#options;
    const replaces = this.#replaces;
    // The store takes a number for granted that it has seen: other content needs another one.
    this.#number += 1;
    const changes: readonly Change[] = replaces ? [...mirror.entries()] : [...this.#pending];
    return { leader, term: this.#term, number: this.#number, changes, replaces };
  }

  /** Tries until it is in the store. `false`: this replica went on alone, or leads no more. */
  async #commit(first: Commit): Promise<boolean> {
    const { clock, store, mirror, fenced, forgotten } = this.#options;
    const { signal } = this.#ended;
    let commit = first;
    while (this.#mayCommit()) {
      const result = await store.commit(commit).catch((error: unknown) => this.#failed(error));
      if (this.#hasEnded()) return false;
      if (result === 'done') {
        this.#replaces = false;
        mirror.committed(commit);
        return true;
      }
      if (result === 'fenced') {
        this.end();
        fenced();
        return false;
      }
      if (result === 'behind') {
        this.#replaces = true;
        forgotten();
      }
      await clock.sleep(RETRY, signal);
      if (this.#replaces && (!commit.replaces || commit.term !== this.#term)) commit = this.#next();
    }
    return false;
  }

  #failed(error: unknown): undefined {
    this.#options.log.limited('warn', 'commit', 'the shared store did not take a commit; it is tried again', { error });
    return undefined;
  }

  #resolve(told: readonly (() => void)[]): void {
    for (const resolve of told) resolve();
  }
}
