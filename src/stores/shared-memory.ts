/** A shared store inside one process: for tests and simulations of several replicas. It is what the scripts of the Redis adapter do, without Redis. */
import type { Beaten, Commit, CommitResult, Heartbeat, ReportsRead, SharedStore, StoreFacts } from '../ports.ts';
import {
  isNewer,
  journalText,
  NO_STAMP,
  readJournalText,
  type JournalEntry,
  type SharedState,
  type Stamp,
} from '../core/replicas/shared-state.ts';

/** Commits that the journal keeps. */
const MAX_ENTRIES = 4096;
/** Entries with reports that are kept, and those that are read at once. */
const MAX_REPORTS = 256;
const REPORTS_AT_ONCE = 64;
/** Seconds after which a silent member is forgotten. */
const MAX_SILENCE = 60;

interface Lease {
  readonly id: string;
  readonly until: number;
}

export class MemorySharedStore implements SharedStore {
  readonly #now: () => number;
  #lease: Lease | undefined;
  #term = 0;
  #elected = '';
  #stamp: Stamp = NO_STAMP;
  #texts = new Map<string, string>();
  #journal: { readonly stamp: Stamp; readonly text: string }[] = [];
  #members = new Map<string, { readonly text: string; readonly at: number }>();
  #reports: { readonly number: number; readonly text: string; readonly at: number }[] = [];
  #lastReport = 0;

  /** `now`: seconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** It comes back without anything, as after a restart without persistence. */
  forget(): void {
    this.#lease = undefined;
    this.#term = 0;
    this.#elected = '';
    this.#stamp = NO_STAMP;
    this.#texts = new Map();
    this.#journal = [];
    this.#members = new Map();
    this.#reports = [];
  }

  /** What it has now, to come back to. */
  copy(): () => void {
    const saved = [this.#lease, this.#term, this.#elected, this.#stamp] as const;
    const texts = new Map(this.#texts);
    const journal = [...this.#journal];
    return () => {
      [this.#lease, this.#term, this.#elected, this.#stamp] = saved;
      this.#texts = new Map(texts);
      this.#journal = [...journal];
    };
  }

  beat({ id, member, wants, lease, term }: Heartbeat): Promise<Beaten> {
    const now = this.#now();
    this.#members.set(id, { text: member, at: now });
    for (const [other, { at }] of this.#members) if (now - at > MAX_SILENCE) this.#members.delete(other);
    const before = this.#term;
    const role = this.#roleOf(id, wants, term);
    if (role !== 'follows') this.#lease = { id, until: now + lease };
    const held = this.#held();
    return Promise.resolve({
      ...{ role, before, time: now, term: this.#term, stamp: this.#stamp },
      ...(held !== undefined && { leader: held.id }),
      leaseLeft: held === undefined ? 0 : held.until - now,
      members: Array.from(this.#members.values(), ({ text, at }) => ({ text, age: now - at })),
    });
  }

  #roleOf(id: string, wants: boolean, term: number): Beaten['role'] {
    const held = this.#held();
    if (!wants || (held !== undefined && held.id !== id)) return 'follows';
    if (this.#elected === id && this.#term >= term) return 'leads';
    this.#term = Math.max(this.#term, term) + 1;
    this.#elected = id;
    return 'elected';
  }

  #held(): Lease | undefined {
    return this.#lease !== undefined && this.#lease.until > this.#now() ? this.#lease : undefined;
  }

  commit({ leader, term, number, changes, replaces }: Commit): Promise<CommitResult> {
    // A store that forgot has a lower term, and its leader has to be elected again.
    if (this.#term < term) return Promise.resolve('behind');
    if (this.#term > term || this.#elected !== leader) return Promise.resolve('fenced');
    if (this.#stamp.term === term && this.#stamp.number === number) return Promise.resolve('done');
    if (!replaces && number !== this.#stamp.number + 1) return Promise.resolve('behind');
    if (replaces) {
      this.#texts = new Map();
      this.#journal = [];
    }
    for (const [key, text] of changes) {
      if (typeof text === 'string') this.#texts.set(key, text);
      else this.#texts.delete(key);
    }
    this.#stamp = { term, number };
    this.#journal.push({ stamp: this.#stamp, text: journalText(replaces ? undefined : changes) });
    if (this.#journal.length > MAX_ENTRIES) this.#journal.shift();
    return Promise.resolve('done');
  }

  list(): Promise<SharedState> {
    return Promise.resolve({ ...this.#stamp, texts: new Map(this.#texts) });
  }

  journal(after: Stamp): Promise<readonly JournalEntry[]> {
    const entries: JournalEntry[] = [];
    for (const { stamp, text } of this.#journal) {
      if (!isNewer(stamp, after)) continue;
      const entry = readJournalText(text, stamp);
      if (entry === undefined) break;
      entries.push(entry);
    }
    return Promise.resolve(entries);
  }

  read(keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(
      new Map(
        keys.flatMap((key) => {
          const text = this.#texts.get(key);
          return text === undefined ? [] : [[key, text] as const];
        }),
      ),
    );
  }

  facts(): Promise<StoreFacts> {
    const none = { memory: 0, maxMemory: 0, appends: false, copies: 0 };
    return Promise.resolve({ version: 'this process', takesWrites: true, evictionPolicy: 'noeviction', ...none });
  }

  report(text: string): Promise<void> {
    this.#reports.push({ number: (this.#lastReport += 1), text, at: this.#now() });
    if (this.#reports.length > MAX_REPORTS) this.#reports.shift();
    return Promise.resolve();
  }

  reports(cursor = '0'): Promise<ReportsRead> {
    const after = this.#reports.filter(({ number }) => number > Number(cursor));
    const read = after.slice(0, REPORTS_AT_ONCE);
    return Promise.resolve({
      entries: read.map(({ text, at }) => ({ text, age: Math.max(0, this.#now() - at) })),
      cursor: String(read.at(-1)?.number ?? cursor),
      hasMore: after.length > read.length,
    });
  }

  leave(id: string): Promise<void> {
    this.#members.delete(id);
    if (this.#lease?.id === id) this.#lease = undefined;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
