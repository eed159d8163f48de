/**
 * What the ledger keeps of one simulation server: its reports, its bookings, and what follows from both.
 *
 * A booking fades with the reports, not with the clock: its age counts at the time of the last measurement, so that a server whose reports are
 * late or lost keeps its bookings until evidence retires them (docs/design/allocation.md, "The algorithm"). It weighs
 * what a session is thought to cost by now, not
 * what it was thought to cost when it was booked. All times are seconds of the engine's clock.
 */
import type { AllocationParameters } from './allocation-parameters.ts';
import { expectedPart, type Arrivals } from './arrivals.ts';
import type { Booking } from './booking.ts';
import { limited, marginOf, moveExpectation, newServerEstimate, overwrite, VARIANCE, type Costs, type Estimate } from './cost.ts';
import type { ServerId } from '../fleet/endpoint.ts';
import type { SessionReport } from '../fleet/session-report.ts';

/** What a window of learning knows of its beginning; `learning.ts` closes it. */
export interface LearningWindow {
  /** When the baseline was measured. */
  readonly start: number;
  /** Percent: the baseline. */
  readonly load: number;
  /** Load points that should have left by themselves since. */
  gone: number;
}

interface Report {
  readonly at: number;
  readonly load: number;
}

/** Seconds a booking is remembered: evidence for suspicion. */
const REMEMBERED = 1800;
/** Seconds after which a client that was expected to connect is not expected any more. */
const CONNECT_WITHIN = 10;
/** Seconds of which a report is the mean, of which half pass until a departure shows for the most part. */
export const REPORT_LAG = 3;
/** Seconds after its beginning between which a session that ends takes load with it. */
export const SHOWN = [5, 60] as const;
/** The share of its cost that a session is sure to take with it. */
const CERTAIN = 0.8;
/** Seconds after its start in which a simulation comes to show in the reports. */
const STARTED = [0, 10] as const;
/** Seconds after that in which it may come late and still be booked. */
export const LATE = 60;
/** Seconds without a learning window after which any hand-out opens one, however unlikely it is to become a session. */
const LONG_WITHOUT_WINDOW = 300;
/** The chance, compared to an ordinary hand-out, below which a hand-out opens no learning window. */
const UNLIKELY = expectedPart(0.3);
/** Bookings of a server that are remembered as evidence alone; a flood of requests must not fill the memory. */
const MAX_EVIDENCE = 1000;
/** Most reports kept for the peak and the mean of the recent ones; with polls every few seconds there are four. */
const MAX_RECENT = 500;
/** Percent. What a server may report is limited, so that no sum of loads can overflow. */
const MAX_LOAD = 1000;
/** Percent. A machine that does more than this beside its sessions is taken for one that runs sessions. */
const MAX_BASE = 4;
/** Seconds in which the lowest report is forgotten. */
const FORGET_LOWEST = 86_400;

export class Account {
  readonly id: ServerId;
  /** Its row in the columns that the choice reads, while it is in the fleet. */
  row = -1;
  /** What sessions cost here, times what they cost in the fleet. */
  readonly server: Estimate;

  /** Percent, as last reported. */
  load = 0;
  /** When that was measured; `undefined`: never. */
  seen: number | undefined;
  /** Probes that failed since. */
  missed = 0;
  /** Percent: the highest of the recent reports. */
  peak = 0;
  /** Percent: their mean. */
  mean = 0;
  /** Its last report about its sessions; `undefined`: it sends none, or the gateway counts them, which is exact. */
  reported: SessionReport | undefined;

  /** Moves on with every booking and release. */
  revision = 0;
  /** The oldest first. */
  readonly bookings: Booking[] = [];
  /** Load points of the bookings that reports do not show yet. */
  booked = 0;
  /** Load points by which they may turn out higher; admission counts them, the choice does not. */
  risk = 0;
  window: LearningWindow | undefined;

  suspectSince: number | undefined;
  /** The bookings up to this time were seen in the load. */
  sessionsSeenAt = -Infinity;
  /** When it was last given a session. */
  usedAt = -Infinity;
  /** Rank of that allocation among all; ties go to the server not used for longest. */
  lastUsed = 0;

  readonly #recent: Report[] = [];
  #weight: number;
  #maxSessions: number | undefined;
  #isRelayed = false;
  /** Counted sessions that left lately, and the load points that left with them. */
  readonly #departures: { readonly at: number; readonly points: number }[] = [];
  /** Percent: the lowest report of about a day. */
  #lowest = MAX_BASE;
  /** When the last learning window was opened. */
  #windowAt = -Infinity;

  constructor(id: ServerId, weight: number) {
    this.id = id;
    this.server = newServerEstimate(weight);
    this.#weight = weight;
  }

  /** Rough power compared to the other servers, by the operator. */
  get weight(): number {
    return this.#weight;
  }

  get maxSessions(): number | undefined {
    return this.#maxSessions;
  }

  /** Whether it is known when sessions on it begin and end: clients come through the gateway, or the server reports it. */
  get countsSessions(): boolean {
    return this.#isRelayed || this.reported !== undefined;
  }

  /** Clients come through the gateway, which notifies it of each session. */
  get isRelayed(): boolean {
    return this.#isRelayed;
  }

  configure(weight: number, maxSessions: number | undefined, countsSessions: boolean): void {
    moveExpectation(this.server, Math.log(this.#weight / weight), VARIANCE.server.before);
    this.#weight = weight;
    this.#maxSessions = maxSessions;
    this.#isRelayed = countsSessions;
    if (countsSessions) this.reported = undefined;
  }

  /** Takes over what was learned of it when its weight was `weight`. */
  restoreCost(weight: number, log: number, variance: number): void {
    overwrite(this.server, log, variance, VARIANCE.server);
    const wanted = this.#weight;
    this.#weight = weight;
    this.configure(wanted, this.#maxSessions, this.#isRelayed);
  }

  /** As if nothing had been learned of it. */
  forgetLearned(): void {
    this.window = undefined;
    overwrite(this.server, -Math.log(this.#weight), VARIANCE.server.before, VARIANCE.server);
  }

  /** Percent: reported load, booked load and doubt. The choice goes by it. */
  level(parameters: AllocationParameters): number {
    return Math.max(0, this.load - this.#relief(this.seen)) + this.booked + this.doubt(parameters);
  }

  /** The same with the highest of the recent reports: admission uses it. `Infinity` while no client may be sent there at all. */
  ceiling(parameters: AllocationParameters): number {
    return this.isOpen(parameters) ? this.expected(parameters) : Infinity;
  }

  /** The same, whether or not a client may be sent there. */
  expected(parameters: AllocationParameters): number {
    return Math.max(this.load - this.#relief(this.seen), this.#reliefPeak()) + this.booked + this.risk + this.doubt(parameters);
  }

  /** Percent: its load without sessions, which is not much, and at most the lowest that was seen. */
  get base(): number {
    return Math.min(MAX_BASE, this.#lowest);
  }

  answers({ closedAfter }: AllocationParameters): boolean {
    return this.seen !== undefined && this.missed < closedAfter;
  }

  isOpen({ threshold, closedAfter }: AllocationParameters): boolean {
    return this.seen !== undefined && this.load < threshold && this.missed < closedAfter;
  }

  /** Load points. */
  doubt({ doubt }: AllocationParameters): number {
    return this.missed > 0 ? doubt : 0;
  }

  /** Sessions handed out within `sessionLength` before `now` and not released; where sessions are counted, those that run or are about to. */
  sessions(now: number, sessionLength: number): number {
    let count = 0;
    for (let i = this.bookings.length - 1; i >= 0; i--) {
      const booking = this.bookings[i];
      if (booking === undefined || (!this.countsSessions && booking.at <= now - sessionLength)) break;
      if (this.isOut(booking, now, sessionLength)) count += 1;
    }
    return count;
  }

  /** The time from which less than `maxSessions` sessions are out, if none is handed out until then; about, where sessions are counted. */
  freeAt(now: number, { sessionLength }: AllocationParameters): number {
    const { bookings } = this;
    let left = this.#maxSessions;
    if (left === undefined) return -Infinity;
    for (let i = bookings.length - 1; i >= 0; i--) {
      const booking = bookings[i];
      if (booking === undefined || !this.isOut(booking, now, sessionLength)) continue;
      left -= 1;
      if (left === 0) return Math.max(booking.at + sessionLength, now + 1);
    }
    return -Infinity;
  }

  /** Its session runs, is about to begin, or may run. */
  isOut({ at, connected, left }: Booking, now: number, sessionLength: number): boolean {
    if (left !== undefined) return false;
    if (connected !== undefined) return true;
    return at > (this.countsSessions ? this.#heardBy(now) - CONNECT_WITHIN : now - sessionLength);
  }

  /** Until when it is known which sessions began. */
  #heardBy(now: number): number {
    return this.reported === undefined ? now : Math.min(now, this.seen ?? -Infinity);
  }

  /** Takes in a reading. `false`: it is older than the last one and was dropped. */
  report(load: number, at: number, parameters: AllocationParameters): boolean {
    if (this.seen !== undefined && at < this.seen) return false;
    const read = Math.max(0, Math.min(MAX_LOAD, load));
    if (this.window !== undefined && this.seen !== undefined)
      this.window.gone += (((this.load + read) / 2) * (at - this.seen)) / parameters.sessionLength;
    this.#lowest = Math.min(read, this.#lowest + (MAX_BASE * (at - (this.seen ?? at))) / FORGET_LOWEST);
    this.load = read;
    this.seen = at;
    this.missed = 0;
    this.#remember({ at, load: read }, parameters.recent);
    const oldest = (this.#recent[0]?.at ?? at) - REPORT_LAG;
    while ((this.#departures[0]?.at ?? Infinity) <= oldest) this.#departures.shift();
    return true;
  }

  miss({ closedAfter }: AllocationParameters): void {
    this.missed += 1;
    if (this.missed >= closedAfter) this.#forgetReports();
  }

  /** `points`: what is booked for it now; `margin`: the share by which it may turn out higher. */
  book(booking: Booking, points: number, margin: number, rank: number): void {
    this.revision += 1;
    this.bookings.push(booking);
    this.booked += points;
    this.risk += points * margin;
    this.usedAt = booking.at;
    this.lastUsed = rank;
    const isWorthAWindow = booking.weight >= UNLIKELY || booking.at - this.#windowAt >= LONG_WITHOUT_WINDOW;
    if (!this.countsSessions && isWorthAWindow) this.#openWindow(booking.at);
  }

  /** The session began. */
  connect(booking: Booking, now: number): void {
    this.revision += 1;
    booking.connected = now;
    if (this.countsSessions) this.#openWindow(now);
  }

  /** Where sessions are counted: the hand-outs of which it is clear by `now`, and was not before, that their clients did not come. */
  missing(now: number): readonly Booking[] {
    if (!this.countsSessions) return NONE;
    const missing: Booking[] = [];
    for (let i = this.bookings.length - 1; i >= 0; i--) {
      const booking = this.bookings[i];
      if (booking === undefined || booking.at <= now - CONNECT_WITHIN - LATE) break;
      if (booking.connected !== undefined || booking.absent || booking.at > now - CONNECT_WITHIN) continue;
      booking.absent = true;
      missing.push(booking);
    }
    return missing;
  }

  #openWindow(now: number): void {
    if (this.window !== undefined || this.seen === undefined) return;
    // The mean: the server was chosen because its last report was low, and part of that is noise.
    this.window = { start: this.seen, load: this.mean, gone: 0 };
    this.#windowAt = now;
  }

  /** A booking from before a restart; the oldest come first. */
  restore(booking: Booking, rank: number): void {
    this.bookings.splice(this.bookings.findLastIndex(({ at }) => at <= booking.at) + 1, 0, booking);
    this.usedAt = Math.max(this.usedAt, booking.at);
    this.lastUsed = rank;
  }

  /** The session ended, or never began. `false`: it stays remembered as evidence. */
  release(booking: Booking, now: number, points: number, { learnSettle }: AllocationParameters): boolean {
    const index = this.bookings.lastIndexOf(booking);
    if (index < 0) return true;
    this.revision += 1;
    if (this.countsSessions && booking.connected !== undefined) {
      booking.left = now;
      const shown = 1 - hidden(now - booking.connected, SHOWN);
      this.#departures.push({ at: now, points: CERTAIN * shown * points });
      return false;
    }
    this.bookings.splice(index, 1);
    // Load that may have been seen leaves at a time of which the window knows nothing.
    if (this.seen !== undefined && hidden(this.seen - booking.at, learnSettle) < 1) this.window = undefined;
    return true;
  }

  /** Removes and returns the bookings that are of no use any more. */
  retire(now: number, { settle, learning, learnSettle, sessionLength }: AllocationParameters): readonly Booking[] {
    // Until then it counts: as load, for a lesson, or as a session.
    const counts = Math.max(settle[1], learning ? learnSettle[1] : 0, this.#maxSessions === undefined ? 0 : sessionLength);
    const kept = Math.max(REMEMBERED, counts);
    const shown = Math.min(now, this.seen ?? -Infinity) - counts;
    let old = 0;
    for (; old < this.bookings.length; old += 1) {
      const at = this.bookings[old]?.at ?? Infinity;
      if (at >= now - kept && (at > shown || this.bookings.length - old <= MAX_EVIDENCE)) break;
    }
    if (old === 0) return NONE;
    const retired = this.bookings.splice(0, old);
    const running = retired.filter(isRunning);
    if (running.length === 0) return retired;
    this.bookings.unshift(...running);
    return retired.filter((booking) => !isRunning(booking));
  }

  /** Counts again what the bookings hide, after reports, releases, and changes of what sessions cost or who comes. */
  recount(costs: Costs, arrivals: Arrivals, now: number, parameters: AllocationParameters): void {
    const { settle } = parameters;
    const { seen } = this;
    const oldest = seen === undefined ? -Infinity : seen - settle[1] - (this.countsSessions ? LATE : 0);
    let sum = 0;
    let risk = 0;
    for (let i = this.bookings.length - 1; i >= 0; i--) {
      const booking = this.bookings[i];
      if (booking === undefined || booking.at <= oldest) break;
      const share = this.#hiddenShare(booking, now, settle);
      if (share === 0) continue;
      const arrives = booking.connected === undefined ? arrivals.chance(booking.source, booking.project) : 1;
      const points = share * expectedPart(arrives) * limited(costs.ofProject(booking.project) * this.server.factor);
      sum += points;
      risk += points * marginOf(costs, booking.project, parameters);
    }
    this.booked = sum;
    this.risk = risk;
  }

  /** How many bookings the reports do not show in full yet. */
  hiddenBookings(now: number, { settle }: AllocationParameters): number {
    return this.bookings.filter((booking) => this.#hiddenShare(booking, now, settle) > 0).length;
  }

  /** The part of the load of a booking that the reports do not show yet, if its client comes. */
  #hiddenShare({ at, connected, left, streams }: Booking, now: number, settle: readonly [number, number]): number {
    const { seen } = this;
    if (left !== undefined) return 0;
    if (this.countsSessions && connected === undefined) return this.#heardBy(now) - at <= CONNECT_WITHIN ? 1 : 0;
    if (this.reported !== undefined) return streams === undefined || seen === undefined ? 1 : hidden(seen - streams, STARTED);
    return seen === undefined ? 1 : hidden(seen - (connected ?? at), settle);
  }

  /** The server left the fleet: what is known of its load is worth nothing when it returns. */
  leave(): void {
    this.#forgetReports();
    this.reported = undefined;
    this.seen = undefined;
    this.load = 0;
    this.missed = 0;
  }

  /** Load points of sessions that are known to have left and that a report of that time still shows. */
  #relief(at = -Infinity): number {
    let points = 0;
    for (const departure of this.#departures) if (departure.at + REPORT_LAG > at) points += departure.points;
    return points;
  }

  /** The highest of the recent reports, each without what has left since. */
  #reliefPeak(): number {
    if (this.#departures.length === 0) return this.peak;
    let peak = 0;
    for (const { at, load } of this.#recent) peak = Math.max(peak, load - this.#relief(at));
    return peak;
  }

  /** The share of the recent reports that were measured at or after `at`. */
  recentShareSince(at: number): number {
    if (this.#recent.length === 0) return 0;
    return this.#recent.filter((report) => report.at >= at).length / this.#recent.length;
  }

  #forgetReports(): void {
    this.window = undefined;
    this.#recent.length = 0;
    this.peak = 0;
    this.mean = 0;
  }

  #remember(report: Report, recent: number): void {
    const reports = this.#recent;
    reports.push(report);
    let outdated = Math.max(0, reports.length - MAX_RECENT);
    while ((reports[outdated]?.at ?? Infinity) < report.at - recent) outdated += 1;
    if (outdated > 0) reports.splice(0, outdated);
    let sum = 0;
    let peak = 0;
    for (const { load } of reports) {
      sum += load;
      if (load > peak) peak = load;
    }
    this.peak = peak;
    this.mean = sum / reports.length;
  }
}

/** The part of a session's load that the reports do not show yet, `age` seconds after its allocation: 1, then fading, then 0. */
export function hidden(age: number, [from, to]: readonly [number, number]): number {
  if (age <= from) return 1;
  return age >= to ? 0 : (to - age) / (to - from);
}

/** Its session began and has not ended. */
export function isRunning({ connected, left }: Booking): boolean {
  return connected !== undefined && left === undefined;
}

const NONE: readonly Booking[] = [];
