/** Writes what this replica's probes found to the store, a few times a second, and reads what the others found. */
import { batchText, MAX_AGE, MAX_REPORTS, readBatch } from '../../core/replicas/reports.ts';
import type { ServerId } from '../../core/fleet/endpoint.ts';
import type { Clock, Log, ProbeResult, ReportsRead, SharedStore } from '../../ports.ts';
import { startLoop, type Loop } from '../loop.ts';

export interface ReportExchangeOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Pick<SharedStore, 'report' | 'reports'>;
  /** Id of this replica. */
  readonly self: string;
  /** Whether another replica reads what is written, and whether the store answers. */
  readonly isHeard: () => boolean;
  readonly reachesStore: () => boolean;
  /** What another replica found. `at`: seconds of the clock. */
  readonly take: (server: ServerId, result: ProbeResult, at: number) => void;
}

/** Seconds in which reports are collected for one entry, and between two times that others are read. */
const PAUSE = 0.25;
/** Replicas whose last entries are remembered. */
const MAX_REPLICAS = 1000;

interface Unsent {
  readonly server: ServerId;
  readonly result: ProbeResult;
  readonly at: number;
}

export class ReportExchange {
  readonly #options: ReportExchangeOptions;
  readonly #loop: Loop;
  #unsent: Unsent[] = [];
  /** The entry that is being written; again with its number, if it is not known whether it was. */
  #sending: readonly Unsent[] = [];
  #number = 0;
  #cursor: string | undefined;
  /** Of each replica, the number of its last entry. */
  readonly #seen = new Map<string, number>();

  constructor(options: ReportExchangeOptions) {
    this.#options = options;
    const { clock, log } = options;
    const failed = (error: unknown) => {
      log.limited('warn', 'polling reports', 'the reports of the replicas cannot be exchanged', { error });
      return PAUSE;
    };
    this.#loop = startLoop({ clock, delay: PAUSE, cycle: () => this.#exchange(), failed });
  }

  /** A probe of this replica ended. */
  add(server: ServerId, result: ProbeResult): void {
    const { clock, isHeard } = this.#options;
    if (isHeard()) this.#unsent.push({ server, result, at: clock.now() });
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #exchange(): Promise<number> {
    if (!this.#options.reachesStore()) {
      this.#dropOld();
      return PAUSE;
    }
    const [written, read] = await Promise.allSettled([this.#write(), this.#read()]);
    for (const ended of [written, read]) if (ended.status === 'rejected') throw ended.reason;
    return PAUSE;
  }

  async #write(): Promise<void> {
    const { clock, store, self } = this.#options;
    for (;;) {
      this.#dropOld();
      if (this.#sending.length === 0) {
        this.#sending = this.#unsent.splice(0, MAX_REPORTS);
        if (this.#sending.length === 0) return;
        this.#number += 1;
      }
      const now = clock.now();
      const reports = this.#sending.map(({ server, result, at }) => ({ server, result, age: Math.max(0, now - at) }));
      await store.report(batchText({ by: self, number: this.#number, reports }));
      this.#sending = [];
    }
  }

  #dropOld(): void {
    const oldest = this.#options.clock.now() - MAX_AGE;
    const isNews = ({ at }: Unsent) => at > oldest;
    if (this.#unsent[0] !== undefined && !isNews(this.#unsent[0])) this.#unsent = this.#unsent.filter(isNews);
    if (this.#sending[0] !== undefined && !isNews(this.#sending[0])) this.#sending = this.#sending.filter(isNews);
  }

  async #read(): Promise<void> {
    const { store } = this.#options;
    let read: ReportsRead;
    do {
      read = await store.reports(this.#cursor);
      this.#cursor = read.cursor;
      for (const { text, age } of read.entries) this.#take(text, age);
    } while (read.hasMore);
  }

  #take(text: string, age: number): void {
    const { clock, log, self, take } = this.#options;
    const batch = readBatch(text);
    if (batch === undefined) {
      log.limited('warn', 'foreign report', 'the shared store has a polling report that no session server wrote; it is ignored');
      return;
    }
    const { by, number, reports } = batch;
    if (by === self || number <= (this.#seen.get(by) ?? -1)) return;
    this.#remember(by, number);
    const now = clock.now();
    for (const report of reports) if (age + report.age <= MAX_AGE) take(report.server, report.result, now - age - report.age);
  }

  #remember(by: string, number: number): void {
    this.#seen.delete(by);
    this.#seen.set(by, number);
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > MAX_REPLICAS && oldest !== undefined) this.#seen.delete(oldest);
  }
}
