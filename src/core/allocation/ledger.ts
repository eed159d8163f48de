/**
 * The allocation ledger: which simulation server gets the next session.
 *
 * A session handed out now shows in the reports 5 to 60 seconds later, so the reports alone send a whole class to one server. The ledger books each
 * allocation at once as the load it will bring, and admits no client where the predicted load would reach `target`. Bookings fade with the reports, what
 * a session costs is learned, and servers that swallow sessions are suspected (docs/design/allocation.md has the
 * reasons and the figures).
 *
 * Everything is handed in: the time (seconds of the engine's clock) and chance. `book` chooses and books in one step; nothing comes between.
 */
import { Account, isRunning } from './account.ts';
import type { AllocationParameters } from './allocation-parameters.ts';
import { Arrivals, expectedPart, type ArrivalRate } from './arrivals.ts';
import type { Booking } from './booking.ts';
import { BookingIndex } from './booking-index.ts';
import type { Candidates } from '../fleet/candidates.ts';
import { Choice, type Search } from './choice.ts';
import { canBeKept, Costs, limited, marginOf, type CostView } from './cost.ts';
import type { ServerId } from '../fleet/endpoint.ts';
import type { SessionReport } from '../fleet/session-report.ts';
import { countSessions, listSessions, type KnownSession, type KnownSessions } from './known-sessions.ts';
import { readSnapshot, takeSnapshot, type LedgerSnapshot, type SavedBooking, type SavedServer } from './ledger-snapshot.ts';
import { verdict, view, type AccountView, type Suspect, type Verdict } from './ledger-view.ts';
import { closeWindow, learn } from './learning.ts';
import { sessionChanges } from './reported-sessions.ts';
import { Accounts } from './accounts.ts';
import { isActedOn, isSuspect, pointsToShow, sawSessions } from './suspicion.ts';

export type { AccountView, Prediction, Suspect, Verdict } from './ledger-view.ts';
export type { LedgerSnapshot } from './ledger-snapshot.ts';

/** A session request as the ledger sees it. */
export interface BookingRequest {
  /** The same when a client asks again; empty if the client cannot be recognized. */
  readonly id: string;
  /** Key of the project, when the client said what it wants to run. */
  readonly project?: string;
  /** Network address, or network, of the client: hand-outs are judged by it. Absent: all that have none are judged together. */
  readonly address?: string;
  /** A reservation of which it takes a seat. The seats are counted, so a class behind one address needs no other limit. */
  readonly reservation?: string;
}

export type BookingOutcome =
  | {
      readonly kind: 'booked';
      readonly bookingId: string;
      readonly server: ServerId;
      /** Percent, as last reported. */
      readonly load: number;
      /** Percent: reported load, booked load and the new session. */
      readonly predicted: number;
      /** Load points booked for this session. */
      readonly cost: number;
      /** Index of the tier it was chosen from; no earlier one had room. */
      readonly tier: number;
      /** It is suspected, and was taken because no other server had room. */
      readonly lastResort: boolean;
    }
  | { readonly kind: 'no-room' }
  /** Its address was given as much as one address may have before any of it is known to be used. */
  | { readonly kind: 'unconfirmed' };

/** The room on one server. */
export interface Room {
  /** Percent: the highest recent report, and what is booked. */
  readonly load: number;
  /** Percent: the load without sessions, as far as it was seen. */
  readonly base: number;
  /** What sessions cost there compared to the rest of the fleet. */
  readonly factor: number;
  /** It is known when each of its sessions begins and ends. */
  readonly counted: boolean;
}

export interface ServerOptions {
  /** Rough power compared to the other servers; 2 is about twice as strong. Default 1. */
  readonly weight?: number;
  /** Maximum number of sessions handed out within `sessionLength` and not released. */
  readonly maxSessions?: number;
  /** `connected` and `release` are called when each session on it begins and ends. Default: no. */
  readonly countsSessions?: boolean;
}

/** What an operator may have forgotten: everything that was learned, or that of one server or one project. */
export type Forgettable =
  | { readonly kind: 'fleet' }
  | { readonly kind: 'server'; readonly server: ServerId }
  | { readonly kind: 'project'; readonly project: string };

export type Restored =
  | {
      readonly kind: 'restored';
      readonly servers: number;
      readonly projects: number;
      readonly bookings: number;
      /** Entries that made no sense and were left out. */
      readonly ignored: number;
    }
  /** Not ours, of another version, or damaged: nothing was taken over. */
  | { readonly kind: 'foreign'; readonly reason: string };

/** Hand-outs of one address within a minute that are not known to be used: a class behind one address must be served at once. */
const MAX_UNCONFIRMED = 40;
const MAX_UNCONFIRMED_PER_SERVER = 8;
/** Evidence for and against the hand-outs of an address, as logarithms: a client that connected, and one that did not. */
const CONNECTED = 2;
const ABSENT = -0.3;
/** Seconds. No clock of ours shows more: what does is an error of the caller and is ignored. */
const LATEST_TIME = 1e12;

/** Seconds: a minute that the gateway expects a client, and as much before a client that polls fetches its place. */
const COME_WITHIN = 120;

export class Ledger {
  #parameters: AllocationParameters;
  readonly #random: () => number;
  readonly #costs: Costs;
  readonly #arrivals = new Arrivals();
  readonly #choice = new Choice();
  readonly #bookings = new BookingIndex();
  readonly #accounts = new Accounts(this.#choice, (account) => this.#forget(account.bookings));
  readonly #suspects = new Set<Account>();
  #suspected: readonly Suspect[] | undefined;
  readonly #prefix: string;
  #allocations = 0;
  #now = -LATEST_TIME;
  #revision = 0;
  /** Moves on with what changes the accounts of many servers. */
  #common = 0;
  #published = 0;

  constructor(parameters: AllocationParameters, random: () => number) {
    this.#parameters = parameters;
    this.#random = random;
    this.#costs = new Costs(parameters.cost);
    this.#prefix = Math.floor(random() * 36 ** 6).toString(36);
  }

  /** Moves on with every allocation, release, lesson and suspicion: while it stands still there is nothing new to save. */
  get revision(): number {
    return this.#revision;
  }

  /** Moves on with every report, booking and release: while it stands still, only time changes where there is room. */
  get published(): number {
    return this.#published;
  }

  // ---- the fleet

  /** The server joins, returns, or has a new configuration; nothing that is known of it is lost. */
  add(id: ServerId, { weight = 1, maxSessions, countsSessions = false }: ServerOptions = {}, now: number = this.#now): void {
    this.#advance(now);
    const account = this.#accounts.join(id, weight);
    account.configure(weight, maxSessions, countsSessions);
    if (account.suspectSince !== undefined) this.#suspects.add(account);
    this.#suspected = undefined;
    this.#common += 1;
    this.#recount(account);
  }

  /** The server left the fleet. What is known of it is kept in case it returns. */
  remove(id: ServerId): void {
    const account = this.#accounts.leave(id);
    if (account === undefined) return;
    this.#suspects.delete(account);
    this.#suspected = undefined;
    this.#common += 1;
    this.#published += 1;
  }

  /** New parameters. Learning switched off also forgets what was learned: every session costs `cost`, divided by the server's weight. */
  reconfigure(parameters: AllocationParameters): void {
    this.#parameters = parameters;
    this.#costs.expect(parameters.cost);
    if (!parameters.learning) {
      this.#costs.forget();
      this.#arrivals.forget();
      for (const account of this.#accounts.all()) account.forgetLearned();
    }
    for (const account of this.#accounts.present()) this.#recount(account);
    this.#revision += 1;
    this.#common += 1;
  }

  // ---- reports and sessions

  /**
   * `load` in percent, measured at `measuredAt`, known at `now`. A report that was overtaken by a younger one is dropped, one from the future counts as
   * measured now, one that is not a number is ignored. `sessions`: what the server reports about its sessions beside it, if it does.
   */
  report(id: ServerId, load: number, measuredAt: number, now: number = measuredAt, sessions?: SessionReport): void {
    const time = this.#advance(now);
    const account = this.#accounts.get(id);
    if (account === undefined || !Number.isFinite(load) || !isTime(measuredAt)) return;
    const parameters = this.#parameters;
    this.#countSessions(account, measuredAt, time, sessions);
    if (!account.report(load, Math.min(measuredAt, time), parameters)) return;
    this.#forget(account.retire(time, parameters));
    this.#suspect(account);
    this.#noteAbsent(account, time);
    const observation = closeWindow(account, this.#costs, this.#arrivals, parameters);
    // A server that swallows sessions would teach that they cost nothing.
    const believed = parameters.learning && !(account.suspectSince !== undefined && this.#isWary());
    if (observation !== undefined && believed) {
      learn(observation, account, this.#costs, this.#arrivals, time);
      this.#revision += 1;
      this.#common += 1;
    }
    this.#recount(account);
  }

  /** A probe failed. */
  miss(id: ServerId, now: number): void {
    this.#advance(now);
    const account = this.#accounts.get(id);
    if (account === undefined) return;
    account.miss(this.#parameters);
    this.#publish(account);
  }

  // ---- decisions

  /** Chooses the server whose predicted load will be least and books the session there. */
  book({ id, project, address = '', reservation }: BookingRequest, candidates: Candidates, now: number): BookingOutcome {
    const time = this.#advance(now);
    const known = canBeKept(project) ? project : undefined;
    if (reservation === undefined && this.isUnconfirmed(address, time)) return { kind: 'unconfirmed' };
    const choice = this.#choose(candidates, known, time, this.#parameters.jitter);
    if (choice === undefined) return { kind: 'no-room' };
    const { account, tier, lastResort } = choice;
    const cost = limited(this.#costs.ofProject(known) * account.server.factor);
    const predicted = account.level(this.#parameters) + cost;
    const rank = ++this.#allocations;
    const bookingId = `${this.#prefix}-${rank.toString(36)}`;
    const source = this.#arrivals.sourceOf(address, time);
    const weight = expectedPart(this.#arrivals.chance(source, known));
    const booking: Booking = {
      ...{ id: bookingId, server: account.id, at: time, request: id, project: known, source, weight, returned: false },
    };
    const before = this.#bookings.ofRequest(id);
    if (before !== undefined) before.returned = true;
    this.#bookings.add(booking);
    this.#arrivals.handedOut(booking);
    account.book(booking, weight * cost, marginOf(this.#costs, known, this.#parameters), rank);
    this.#publish(account);
    this.#revision += 1;
    return { kind: 'booked', bookingId, server: account.id, load: account.load, predicted, cost, tier, lastResort };
  }

  /**
   * Whether the address was given as much within the last minute as one address may have before any of it is known to be used: more than a class, and
   * more than most of the fleet can take. Otherwise one address could book the whole fleet by asking and never coming.
   */
  isUnconfirmed(address: string | undefined, now: number): boolean {
    if (address === undefined || address === '') return false;
    const most = Math.max(MAX_UNCONFIRMED, MAX_UNCONFIRMED_PER_SERVER * this.#accounts.size);
    return this.#arrivals.unconfirmed(address, this.#advance(now)) >= most;
  }

  /** The server that `book` would choose now, but for chance. */
  first(candidates: Candidates, project: string | undefined, now: number): ServerId | undefined {
    return this.#choose(candidates, project, this.#advance(now), 0)?.account.id;
  }

  /** The session of the booking began, on a server that counts its sessions. Returns where. */
  connected(bookingId: string, now: number): ServerId | undefined {
    const booking = this.#bookings.get(bookingId);
    return booking === undefined ? undefined : this.#connect(booking, this.#advance(now));
  }

  #connect(booking: Booking, time: number): ServerId | undefined {
    if (booking.connected !== undefined) return undefined;
    this.#accounts.find(booking.server)?.connect(booking, time);
    if (this.#parameters.learning && booking.source !== undefined) {
      this.#arrivals.judge(booking, 1, 1, time);
      this.#arrivals.believe(booking.source, CONNECTED, time);
    }
    return this.#changed(booking.server);
  }

  /** The session ended, or the client never got its place: what is still booked for it is free at once. Releasing twice does nothing. Returns where it was. */
  release(bookingId: string, now: number): ServerId | undefined {
    const time = this.#advance(now);
    const booking = this.#bookings.get(bookingId);
    if (booking === undefined || booking.left !== undefined) return undefined;
    const where = this.#accounts.find(booking.server);
    const points = limited(this.#costs.ofProject(booking.project) * (where?.server.factor ?? 1));
    const isGone = where?.release(booking, time, points, this.#parameters) ?? true;
    if (isGone) this.#bookings.delete(booking);
    return this.#changed(booking.server);
  }

  /** Would `book` find a server? */
  fits(candidates: Candidates, project: string | undefined, now: number): boolean {
    const time = this.#advance(now);
    const parameters = this.#parameters;
    const base = this.#costs.ofProject(project);
    const margin = marginOf(this.#costs, project, parameters);
    return this.#accounts.resolve(candidates).some(({ accounts, rows }) => {
      let i = this.#choice.next(rows, { base, margin, target: parameters.target }, 0);
      while (i >= 0 && time < (accounts[i]?.freeAt(time, parameters) ?? -Infinity))
        i = this.#choice.next(rows, { base, margin, target: parameters.target }, i + 1);
      return i >= 0;
    });
  }

  /** About how many sessions of the project fit now. */
  places(candidates: Candidates, project: string | undefined, now: number): number {
    return this.#placesAt(candidates, this.#costs.ofProject(project), marginOf(this.#costs, project, this.#parameters), now);
  }

  /** The same if sessions cost a standard deviation more than is thought, and less. */
  placesBetween(
    candidates: Candidates,
    project: string | undefined,
    now: number,
  ): { readonly from: number; readonly to: number } {
    const { low, high } = this.#costs.view(undefined, project);
    return { from: this.#placesAt(candidates, high, 0, now), to: this.#placesAt(candidates, low, 0, now) };
  }

  /** What is known of the room on these servers, whether or not it is open to sessions now. Those that do not answer are left out. */
  rooms(ids: readonly ServerId[]): readonly { readonly id: ServerId; readonly room: Room }[] {
    const parameters = this.#parameters;
    return ids.flatMap((id) => {
      const account = this.#accounts.get(id);
      if (account?.answers(parameters) !== true) return [];
      const { base, server, countsSessions: counted } = account;
      return { id, room: { load: account.expected(parameters), base, factor: server.factor, counted } };
    });
  }

  /** Load points of a session of the project before the factor of its server, and the share by which admission takes it to cost more. */
  seatCost(project: string | undefined): { readonly cost: number; readonly margin: number } {
    return { cost: this.#costs.ofProject(project), margin: marginOf(this.#costs, project, this.#parameters) };
  }

  #placesAt(candidates: Candidates, base: number, margin: number, now: number): number {
    const time = this.#advance(now);
    const parameters = this.#parameters;
    let places = 0;
    const tiers = this.#accounts.resolve(candidates);
    const [first] = tiers;
    const accounts = tiers.length === 1 && first !== undefined ? first.accounts : tiers.flatMap((tier) => tier.accounts);
    for (const account of tiers.length === 1 ? accounts : new Set(accounts)) {
      const room = parameters.target - account.ceiling(parameters);
      // The predicted load stays below the target: in the room of exactly two there is place for one.
      const byLoad = Math.max(0, Math.ceil(room / (limited(base * account.server.factor) * (1 + margin))) - 1);
      const { maxSessions = Infinity } = account;
      places += Math.min(byLoad, Math.max(0, maxSessions - account.sessions(time, parameters.sessionLength)));
    }
    return places;
  }

  /** Everything needed to say in a sentence why this server would, or would not, get a session of the project. */
  examine(id: ServerId, project: string | undefined, now: number): Verdict {
    const time = this.#advance(now);
    const account = this.#accounts.get(id);
    if (account === undefined) return { kind: 'unknown-server' };
    const cost = limited(this.#costs.ofProject(project) * account.server.factor);
    const margin = marginOf(this.#costs, project, this.#parameters);
    return verdict(account, { cost, margin }, this.#isAvoided(account, time), time, this.#parameters);
  }

  // ---- views

  account(id: ServerId): AccountView | undefined {
    const account = this.#accounts.get(id);
    if (account === undefined) return undefined;
    return view(account, this.#costs.view(account.server), this.#isWary(), this.#now, this.#parameters);
  }

  /** How many sessions the server has, as far as that is known; `undefined`: it is not in the fleet. */
  sessionCount(id: ServerId, now: number): KnownSessions | undefined {
    const account = this.#accounts.get(id);
    if (account === undefined) return undefined;
    return countSessions(account, this.#costs.view(account.server).value, this.#advance(now), this.#parameters);
  }

  /** Its sessions one by one, the oldest first. */
  sessions(id: ServerId, now: number): readonly KnownSession[] {
    const account = this.#accounts.get(id);
    return account === undefined ? [] : listSessions(account, this.#advance(now), this.#parameters);
  }

  /** The gateway sees all clients of its server, and this one did not come in time: it holds nothing any more. */
  neverCame(bookingId: string, now: number): boolean {
    const booking = this.#bookings.get(bookingId);
    if (booking?.connected !== undefined || booking?.left !== undefined) return false;
    return booking !== undefined && now - booking.at > COME_WITHIN && this.#accounts.find(booking.server)?.isRelayed === true;
  }

  /** Where the hand-out was made, unless it ended. */
  serverOf(bookingId: string): ServerId | undefined {
    const booking = this.#bookings.get(bookingId);
    return booking?.left === undefined ? booking?.server : undefined;
  }

  /** While it stands still, only a report, a missed one, or the passing of time can make `account` say something else. */
  revisionOf(id: ServerId): number {
    return this.#common + (this.#accounts.find(id)?.revision ?? 0);
  }

  /** Load points of the bookings of a server that its reports do not show yet; of its whole account the part that is asked for at every report. */
  booked(id: ServerId): number {
    return this.#accounts.get(id)?.booked ?? 0;
  }

  /**
   * The servers that were given work and still look idle; none while so many do that the expectation must be wrong. The same list until it changes, with
   * the figures of that moment.
   */
  suspects(): readonly Suspect[] {
    this.#suspected ??= this.#isWary() ? Array.from(this.#suspects, (account) => this.#describe(account)) : [];
    return this.#suspected;
  }

  /** Load points of a session of the project, or of no particular one, on an ordinary server of the fleet. */
  fleetCost(project?: string): CostView {
    return this.#costs.view(undefined, project);
  }

  /** How hand-outs fared lately: of those that were judged so many arrived. */
  arrivals(now: number): ArrivalRate {
    return this.#arrivals.rate(this.#advance(now));
  }

  // ---- what is forgotten

  /** An operator says that what was learned is wrong: all of it, what it was of one server, or of one project. `false`: nothing is known of that. */
  forget(what: Forgettable, now: number): boolean {
    this.#advance(now);
    if (!this.#forgetLearned(what)) return false;
    for (const account of this.#accounts.present()) this.#recount(account);
    this.#revision += 1;
    this.#common += 1;
    return true;
  }

  #forgetLearned(what: Forgettable): boolean {
    if (what.kind === 'project') {
      this.#arrivals.forgetProject(what.project);
      return this.#costs.forgetProject(what.project);
    }
    if (what.kind === 'server') {
      const account = this.#accounts.find(what.server);
      account?.forgetLearned();
      return account !== undefined;
    }
    this.#costs.forget();
    this.#arrivals.forget();
    for (const account of this.#accounts.all()) account.forgetLearned();
    for (const booking of this.#bookings.all()) booking.source = undefined;
    return true;
  }

  // ---- what survives a restart

  /** Plain JSON. `wallTime` is seconds since the epoch: it lets ages survive although the engine's clock starts at zero again. */
  save(now: number, wallTime: number): LedgerSnapshot {
    const time = this.#advance(now);
    for (const account of this.#accounts.all()) this.#forget(account.retire(time, this.#parameters));
    return takeSnapshot(
      this.#accounts.all(),
      this.#bookings.all(),
      this.#costs,
      this.#arrivals.save(time),
      this.#allocations,
      time,
      wallTime,
    );
  }

  /** Takes over what `save` gave, wherever it was kept since. Servers may be added before or after; what was booked meanwhile stays. */
  restore(value: unknown, now: number, wallTime: number): Restored {
    const time = this.#advance(now);
    const read = readSnapshot(value);
    if (read.kind === 'foreign') return read;
    const { snapshot, ignored } = read;
    // A clock that was set back meanwhile must not make bookings younger than they were.
    const savedAt = time - Math.max(0, wallTime - snapshot.savedAt);
    if (this.#parameters.learning) {
      this.#costs.restoreFleet(snapshot.fleet.cost, snapshot.fleet.log, snapshot.fleet.variance);
      for (const [key, log, variance] of snapshot.projects) this.#costs.restoreProject(key, log, variance);
      if (snapshot.arrivals !== undefined) this.#arrivals.restore(snapshot.arrivals, savedAt);
    }
    for (const saved of snapshot.servers) this.#restoreServer(saved, savedAt);
    this.#allocations = Math.max(this.#allocations, snapshot.allocations);
    const bookings = snapshot.bookings.filter((saved) => this.#restoreBooking(saved, savedAt)).length;
    for (const account of this.#accounts.present()) this.#recount(account);
    this.#revision += 1;
    this.#common += 1;
    return { kind: 'restored', servers: snapshot.servers.length, projects: snapshot.projects.length, bookings, ignored };
  }

  /** Takes over a booking that was made after the last `save`; `at` is seconds of the clock. `false`: it is known, or its server is not. */
  adopt(booking: Omit<SavedBooking, 'age'>, at: number, now: number): boolean {
    this.#advance(now);
    const isNew = this.#restoreBooking({ ...booking, age: 0 }, Math.min(at, this.#now));
    if (isNew) this.#changed(booking.server);
    return isNew;
  }

  // ---- inside

  #choose(candidates: Candidates, project: string | undefined, now: number, jitter: number): Chosen | undefined {
    const { target } = this.#parameters;
    const search: Search = {
      base: this.#costs.ofProject(project),
      target,
      margin: marginOf(this.#costs, project, this.#parameters),
      jitter,
      random: this.#random,
    };
    let lastResort: Chosen | undefined;
    for (const [tier, { accounts, rows }] of this.#accounts.resolve(candidates).entries()) {
      let suspects: [Suspected, ...Suspected[]] | undefined;
      const best = this.#choice.best(rows, search, (index, level) => {
        const account = accounts[index];
        if (account === undefined || now < account.freeAt(now, this.#parameters)) return false;
        const avoided = this.#isAvoided(account, now);
        if (avoided && suspects === undefined) suspects = [{ account, level }];
        else if (avoided) suspects?.push({ account, level });
        return !avoided;
      });
      const account = accounts[best];
      if (account !== undefined) return { account, tier, lastResort: false };
      if (suspects !== undefined && lastResort === undefined) lastResort = { account: leastOf(suspects), tier, lastResort: true };
    }
    return lastResort;
  }

  /** Suspected, acted on, and not due for a session to prove itself. */
  #isAvoided(account: Account, now: number): boolean {
    return account.suspectSince !== undefined && this.#isWary() && now - account.usedAt < this.#parameters.trial;
  }

  #isWary(): boolean {
    return isActedOn(this.#suspects.size, this.#accounts.size);
  }

  #changed(server: ServerId): ServerId {
    this.#revision += 1;
    const account = this.#accounts.get(server);
    if (account !== undefined) this.#recount(account);
    return server;
  }

  /** Takes the report of a server about its sessions as if its clients had been seen to come and go. */
  #countSessions(account: Account, measuredAt: number, now: number, report: SessionReport | undefined): void {
    if (account.isRelayed || measuredAt < (account.seen ?? -Infinity)) return;
    const before = account.reported;
    account.reported = report;
    if (report === undefined) {
      // Another program took its place. When its sessions end will not be known.
      if (before !== undefined) for (const { id } of account.bookings.filter(isRunning)) this.release(id, now);
      return;
    }
    const oldest = now - this.#parameters.sessionLength;
    const { began, ended, started } = sessionChanges(account.bookings, { before, report, now, oldest });
    for (const booking of began) this.#connect(booking, now);
    for (const booking of started) booking.streams = now;
    for (const booking of ended) this.release(booking.id, now);
  }

  /** Where sessions are counted, clients that did not come are known. */
  #noteAbsent(account: Account, now: number): void {
    const missing = account.missing(now);
    if (missing.length > 0) this.#revision += 1;
    for (const booking of missing) {
      if (!this.#parameters.learning || booking.source === undefined) continue;
      this.#arrivals.judge(booking, 0, 1, now);
      this.#arrivals.believe(booking.source, ABSENT, now);
    }
  }

  #describe(account: Account): Suspect {
    const { id, suspectSince: since = this.#now, mean: load } = account;
    return { id, since, expected: pointsToShow(account, this.#costs), load };
  }

  #suspect(account: Account): void {
    const { sessionsSeenAt } = account;
    const suspect = isSuspect(account, this.#costs, this.#parameters);
    // What acquits a server must survive a restart as much as what it is accused of.
    if (sawSessions(account, sessionsSeenAt)) this.#revision += 1;
    if (suspect === (account.suspectSince !== undefined)) return;
    this.#revision += 1;
    this.#common += 1;
    account.suspectSince = suspect ? account.seen : undefined;
    if (suspect) this.#suspects.add(account);
    else this.#suspects.delete(account);
    this.#suspected = undefined;
  }

  #recount(account: Account): void {
    account.recount(this.#costs, this.#arrivals, this.#now, this.#parameters);
    this.#publish(account);
  }

  /** Writes what the choice reads. */
  #publish(account: Account): void {
    const parameters = this.#parameters;
    this.#published += 1;
    this.#choice.setRow(account.row, {
      level: account.level(parameters),
      ceiling: account.ceiling(parameters),
      factor: account.server.factor,
      lastUsed: account.lastUsed,
      special: account.suspectSince !== undefined || account.maxSessions !== undefined,
    });
  }

  #forget(bookings: readonly Booking[]): void {
    for (const booking of bookings) this.#bookings.delete(booking);
  }

  #restoreServer({ id, weight, log, variance, used, seen, suspect }: SavedServer, savedAt: number): void {
    let account = this.#accounts.find(id);
    if (account === undefined) {
      account = new Account(id, weight);
      this.#accounts.keep(account);
    }
    if (this.#parameters.learning) account.restoreCost(weight, log, variance);
    if (used !== undefined) account.usedAt = Math.max(account.usedAt, savedAt - used);
    if (seen !== undefined) account.sessionsSeenAt = Math.max(account.sessionsSeenAt, savedAt - seen);
    if (suspect === undefined) return;
    account.suspectSince = savedAt - suspect;
    if (this.#accounts.get(id) !== undefined) this.#suspects.add(account);
    this.#suspected = undefined;
  }

  #restoreBooking({ id, server, age, request = '', project, returned }: SavedBooking, savedAt: number): boolean {
    const account = this.#accounts.find(server);
    if (account === undefined || this.#bookings.get(id) !== undefined) return false;
    const booking: Booking = {
      id,
      server,
      at: savedAt - age,
      request,
      project,
      source: undefined,
      weight: 1,
      returned: returned === true,
    };
    this.#bookings.add(booking);
    account.restore(booking, ++this.#allocations);
    return true;
  }

  /** The time as the ledger takes it: it never runs backwards, and what is not a time changes nothing. */
  #advance(now: number): number {
    if (isTime(now)) this.#now = Math.max(this.#now, now);
    return this.#now;
  }
}

interface Chosen {
  readonly account: Account;
  readonly tier: number;
  readonly lastResort: boolean;
}

interface Suspected {
  readonly account: Account;
  readonly level: number;
}

function leastOf([first, ...others]: readonly [Suspected, ...Suspected[]]): Account {
  return others.reduce((least, other) => (other.level < least.level ? other : least), first).account;
}

function isTime(seconds: number): boolean {
  return Math.abs(seconds) < LATEST_TIME;
}
