/**
 * When servers did not answer and when they were drained, over 30 days: for their uptime and for the marks of the charts.
 *
 * Outages are rare, so their beginnings and ends are recorded, exactly, instead of samples. Also recorded is when the session server
 * itself ran: what was not observed counts neither as up nor as down.
 *
 * Times are seconds since the epoch. Memory is bounded: of a server that fails all the time, the oldest periods are merged.
 */
import type { ServerId } from '../fleet/endpoint.ts';
import type { MarkView, ServerUptimeView, UptimeView } from '../views/monitor-view.ts';
import { clipped, intersection, lengthOf, type Interval } from './intervals.ts';

export type PeriodKind = MarkView['kind'];
/** Without what only the fleet knows. */
export type RecordedMark = Omit<MarkView, 'server'>;

/** What is recorded of one server. `to`: Infinity while it lasts. */
export interface Recorded {
  /** Since when it is in the fleet. */
  since: number;
  readonly periods: Readonly<Record<PeriodKind, Interval[]>>;
}

export const DAY = 86_400;
export const MONTH = 30 * DAY;
/** Periods of each kind and server. */
export const MAX_PERIODS = 100;
/** Times in which the session server ran without a pause. */
export const MAX_RUNS = 500;
/** Seconds without a tick after which the session server is taken not to have run. */
const PAUSE = 30;
const MAX_MARKS = 300;

export class Timeline {
  readonly #runs: Interval[] = [];
  readonly #servers = new Map<ServerId, Recorded>();

  /** The session server runs at this time. To be called every few seconds. */
  tick(now: number): void {
    const last = this.#runs.at(-1);
    if (last !== undefined && now < last.to) this.#rewind(now);
    else if (last !== undefined && now - last.to <= PAUSE) last.to = now;
    else this.#runs.push({ from: now, to: now });
    const oldest = now - MONTH;
    while (this.#runs.length > MAX_RUNS || (this.#runs[0]?.to ?? Infinity) < oldest) this.#runs.shift();
  }

  /** The servers of the fleet; others are forgotten. */
  fleetIs(ids: Iterable<ServerId>, now: number): void {
    const present = new Set(ids);
    for (const id of this.#servers.keys()) if (!present.has(id)) this.#servers.delete(id);
    for (const id of present) this.#of(id, now);
  }

  /** `isOn`: it is down, or drained, since `at`. Saying the same again changes nothing. */
  observe(id: ServerId, kind: PeriodKind, isOn: boolean, at: number): void {
    const periods = this.#of(id, at).periods[kind];
    const last = periods.at(-1);
    const wasOn = last?.to === Infinity;
    if (isOn === wasOn) return;
    if (last !== undefined && wasOn) last.to = Math.max(last.from, at);
    else periods.push({ from: Math.max(at, last?.to ?? -Infinity), to: Infinity });
    const [first, second] = periods;
    if (periods.length > MAX_PERIODS && first !== undefined && second !== undefined)
      periods.splice(0, 2, { from: first.from, to: second.to });
  }

  uptime(id: ServerId, now: number): ServerUptimeView | undefined {
    const recorded = this.#servers.get(id);
    return recorded && { day: this.#uptime(recorded, now - DAY, now), month: this.#uptime(recorded, now - MONTH, now) };
  }

  /** Of one server or of the fleet; the oldest first. Of many, the last ones. */
  marks(server: ServerId | undefined, from: number, to: number): readonly RecordedMark[] {
    const marks: RecordedMark[] = [];
    for (const [serverId, { periods }] of this.#servers) {
      if (server !== undefined && serverId !== server) continue;
      for (const kind of ['down', 'drained'] as const)
        for (const period of periods[kind])
          if (period.from < to && period.to > from)
            marks.push({ serverId, kind, from: period.from, to: period.to === Infinity ? null : period.to });
    }
    return marks.sort((a, b) => a.from - b.from).slice(-MAX_MARKS);
  }

  /** Everything, for saving. */
  get recorded(): { readonly runs: readonly Interval[]; readonly servers: ReadonlyMap<ServerId, Recorded> } {
    return { runs: this.#runs, servers: this.#servers };
  }

  /** Continues what the last run recorded. What lasted then ended with it, as far as is known. */
  restore(runs: readonly Interval[], servers: Iterable<readonly [ServerId, Recorded]>): void {
    const end = runs.at(-1)?.to ?? 0;
    this.#runs.unshift(...runs.map((run) => ({ ...run })));
    for (const [id, { since, periods }] of servers) {
      const known = this.#servers.get(id);
      const closed = (kind: PeriodKind) => [
        ...periods[kind].map(({ from, to }) => ({ from, to: Math.max(from, Math.min(to, end)) })),
        ...(known?.periods[kind] ?? []),
      ];
      this.#servers.set(id, { since, periods: { down: closed('down'), drained: closed('drained') } });
    }
  }

  #uptime({ since, periods }: Recorded, begin: number, now: number): UptimeView {
    const runs = clipped(this.#runs, Math.max(begin, since), now);
    const drained = intersection(runs, periods.drained);
    const down = intersection(runs, periods.down);
    const observed = lengthOf(runs) - lengthOf(drained);
    const failed = lengthOf(down) - lengthOf(intersection(drained, periods.down));
    return { share: observed > 0 ? 1 - failed / observed : null, observed };
  }

  #of(id: ServerId, at: number): Recorded {
    let recorded = this.#servers.get(id);
    if (recorded === undefined) this.#servers.set(id, (recorded = { since: at, periods: { down: [], drained: [] } }));
    return recorded;
  }

  /** The clock was set back: nothing has happened yet that would be in the future. */
  #rewind(now: number): void {
    cut(this.#runs, now);
    for (const recorded of this.#servers.values()) {
      recorded.since = Math.min(recorded.since, now);
      for (const periods of Object.values(recorded.periods)) cut(periods, now);
    }
  }
}

/** What lasts continues to last. */
function cut(intervals: Interval[], now: number): void {
  for (const interval of intervals) {
    interval.from = Math.min(interval.from, now);
    if (interval.to !== Infinity) interval.to = Math.min(interval.to, now);
  }
}
