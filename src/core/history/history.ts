/**
 * What the charts of the monitor show: loads, booked loads, hand-outs and the waiting line over the last 30 days, for the fleet and for each server.
 *
 * Recorded by wall time, because people read it and because it survives restarts. So the clock may be set meanwhile, and `advance` reports the time: a
 * step back removes the buckets that are now in the future, and a leap of more than a day is believed only after a minute, because a machine that
 * starts with a wrong clock and is corrected must not lose a month of history.
 *
 * Memory is bounded: only the first `MAX_SERVERS` servers have a history of their own. The fleet always has one.
 */
import type { ServerId } from '../fleet/endpoint.ts';
import type { FleetLoads } from '../fleet/fleet.ts';
import { Rings, tiers, type Bucket } from './history-rings.ts';
import type { HistoryView, SparklinesView } from '../views/monitor-view.ts';
import { encodeSparkline } from './sparkline.ts';

/** Servers with a history of their own, at 62 KiB each. */
const MAX_SERVERS = 2000;

/** Without what the timeline and the reservations know. */
export type RecordedHistory = Omit<HistoryView, 'marks' | 'reserved'>;
export type RecordedSparklines = Omit<SparklinesView, 'uptime'>;

export interface HistoryQuery {
  /** Absent: the fleet. */
  readonly server?: ServerId;
  /** Seconds since the epoch; `from` < `to`. */
  readonly from: number;
  readonly to: number;
  /** Seconds of a bucket; absent: about 400 buckets. */
  readonly step?: number;
}

/** Seconds. A larger step of the clock is believed after `CONFIRMED` seconds. */
const LEAP = 86_400;
const CONFIRMED = 60;
/** Seconds the clock may go back without having been set. */
const SLACK = 1;
const MAX_BUCKETS = 5000;
const USUAL_BUCKETS = 400;
/** Seconds that may pass between a query for the last hour and its answer without the hour being shown in coarser buckets. */
const ASKED_LATE = 60;
const SPARKLINE = { tier: 1, buckets: 60 };

export class History {
  #fleet = new Rings('fleet');
  #servers = new Map<ServerId, Rings>();
  /** The servers of the fleet, whether or not anything was recorded of them. */
  #known: ReadonlySet<ServerId> = new Set();
  readonly #maxServers: number;
  #present: number | undefined;
  #leap: number | undefined;

  constructor(maxServers = MAX_SERVERS) {
    this.#maxServers = maxServers;
  }

  /** Seconds since the epoch as last believed; `undefined` before the first `advance`. */
  get present(): number | undefined {
    return this.#present;
  }

  /** Reports the time, seconds since the epoch. To be called before the events of that time are recorded. */
  advance(now: number): void {
    if (this.#isDoubtful(now)) return;
    this.#leap = undefined;
    if (this.#present !== undefined && now < this.#present - SLACK) this.#rewind(now);
    this.#present = now;
  }

  /** The servers of the fleet; the history of others is forgotten. */
  fleetIs(ids: Iterable<ServerId>): void {
    this.#known = new Set(ids);
    for (const id of this.#servers.keys()) if (!this.#known.has(id)) this.#servers.delete(id);
  }

  /** A good probe: reported and booked load in percent. `at` is seconds since the epoch; samples may come in any order. */
  sampled(id: ServerId, at: number, load: number, booked: number): void {
    const time = this.#time(at);
    if (time !== undefined) this.#ringsOf(id)?.sampled(time, load, booked);
  }

  /** The loads of the fleet now. Recorded in even steps of time: recorded by probe, the server that is probed most often would count most. */
  loadsAre(at: number, { least, mean, most, booked }: FleetLoads): void {
    const time = this.#time(at);
    if (time !== undefined) this.#fleet.sampled(time, mean, booked, least, most);
  }

  handedOut(id: ServerId, at: number): void {
    const time = this.#time(at);
    if (time === undefined) return;
    this.#fleet.handedOut(time);
    this.#ringsOf(id)?.handedOut(time);
  }

  /** The present length of the waiting line. */
  waitingIs(at: number, length: number): void {
    const time = this.#time(at);
    if (time !== undefined) this.#fleet.waitingIs(time, length);
  }

  /** `undefined`: this server has no history of its own. */
  query({ server, from, to, step }: HistoryQuery): RecordedHistory | undefined {
    const rings = server === undefined ? this.#fleet : this.#servers.get(server);
    if (rings === undefined && !(server !== undefined && this.#known.has(server) && this.#hasSpace())) return undefined;
    const present = this.#present ?? to;
    const oldest = present - reach(tiers.length - 1);
    const begin = Math.max(from, oldest);
    const end = Math.max(begin, Math.min(to, present + 1));
    const least = Math.max(step ?? (end - begin) / USUAL_BUCKETS, (end - begin) / MAX_BUCKETS);
    const tier = tierFor(begin, least, present);
    return columnsOf(rings, server ?? null, begin, end, tier, least);
  }

  /** The last hour of every recorded server, a bucket a minute. */
  sparklines(): RecordedSparklines {
    const step = tiers[SPARKLINE.tier]?.step ?? 60;
    const last = Math.floor((this.#present ?? 0) / step);
    const first = last - SPARKLINE.buckets + 1;
    const servers: Record<ServerId, string> = {};
    for (const [id, rings] of this.#servers) {
      const loads: (number | null)[] = [];
      for (let index = first; index <= last; index++) {
        const { count, mean } = rings.merged(SPARKLINE.tier, index * step, (index + 1) * step);
        loads.push(count === 0 ? null : mean);
      }
      servers[id] = encodeSparkline(loads);
    }
    return { from: first * step, step, servers };
  }

  /** Everything that is recorded, the fleet first; for the snapshot. */
  *entries(): Iterable<{ readonly id: ServerId | undefined; readonly rings: Rings }> {
    yield { id: undefined, rings: this.#fleet };
    for (const [id, rings] of this.#servers) yield { id, rings };
  }

  /** The rings that a snapshot is read into. The fleet's for `undefined`. */
  ringsFor(id: ServerId | undefined): Rings {
    if (id === undefined) return this.#fleet;
    let rings = this.#servers.get(id);
    if (rings === undefined) {
      rings = new Rings('server');
      this.#servers.set(id, rings);
    }
    return rings;
  }

  /** Continues another history, which replaces what was recorded so far. */
  adopt(restored: History): void {
    this.#fleet = restored.#fleet;
    this.#servers = restored.#servers;
    this.#present = restored.#present;
  }

  /** Whether the clock is not believed yet. Nothing is recorded until it is. */
  #isDoubtful(now: number): boolean {
    if (this.#present === undefined || Math.abs(now - this.#present) <= LEAP) return false;
    if (this.#leap === undefined || now < this.#leap || now > this.#leap + LEAP) this.#leap = now;
    return now - this.#leap < CONFIRMED;
  }

  /** The time to record an event at; `undefined` while the clock is in doubt. An event that seems to come from the future happens now. */
  #time(at: number): number | undefined {
    if (this.#leap !== undefined) return undefined;
    return this.#present === undefined ? at : Math.min(at, this.#present);
  }

  #rewind(now: number): void {
    this.#fleet.rewind(now);
    for (const rings of this.#servers.values()) rings.rewind(now);
  }

  #hasSpace(): boolean {
    return this.#servers.size < this.#maxServers;
  }

  #ringsOf(id: ServerId): Rings | undefined {
    return this.#servers.get(id) ?? (this.#hasSpace() ? this.ringsFor(id) : undefined);
  }
}

/** Seconds a tier reaches back. */
function reach(tier: number): number {
  const found = tiers[tier];
  return found === undefined ? 0 : found.step * found.length;
}

/** The coarsest tier that is fine enough and reaches back to `from`; else the finest that reaches; else the last. */
function tierFor(from: number, step: number, present: number): number {
  const reaching = tiers.map((_, tier) => tier).filter((tier) => present - from <= reach(tier) + ASKED_LATE);
  const fineEnough = reaching.filter((tier) => (tiers[tier]?.step ?? Infinity) <= step);
  return fineEnough.at(-1) ?? reaching[0] ?? tiers.length - 1;
}

function columnsOf(
  rings: Rings | undefined,
  server: ServerId | null,
  begin: number,
  end: number,
  tier: number,
  least: number,
): RecordedHistory {
  const unit = tiers[tier]?.step ?? 1;
  const step = Math.max(1, Math.ceil(least / unit - 1e-9)) * unit;
  const from = Math.floor(begin / step) * step;
  const buckets: Bucket[] = [];
  const time: number[] = [];
  for (let at = from; at < end; at += step) {
    time.push(at);
    buckets.push(rings?.merged(tier, at, at + step) ?? noBucket);
  }
  const measured = (value: (bucket: Bucket) => number) =>
    buckets.map((bucket) => (bucket.count === 0 ? null : rounded(value(bucket))));
  return {
    server,
    from,
    to: from + buckets.length * step,
    step,
    time,
    min: measured(({ min }) => min),
    mean: measured(({ mean }) => mean),
    max: measured(({ max }) => max),
    count: buckets.map(({ count }) => count),
    predicted: measured(({ mean, booked }) => mean + booked),
    handOuts: buckets.map(({ handOuts }) => handOuts),
    waiting: buckets.map(({ waiting }) => (waiting < 0 ? null : waiting)),
  };
}

const noBucket: Bucket = { count: 0, min: 0, mean: 0, max: 0, booked: 0, handOuts: 0, waiting: -1 };

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
