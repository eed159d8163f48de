/**
 * What people do with reservations: make, extend, release, cancel and list them. Each action has taken effect when its promise resolves, is logged with
 * the name of the person, and survives a restart.
 */
import type { Ledger } from '../core/allocation/ledger.ts';
import type { Candidates } from '../core/fleet/candidates.ts';
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { Lesson } from '../core/reservations/calendar-event.ts';
import { checkCapacity, seatsFree, type CapacityAnswer, type Slot } from '../core/reservations/capacity.ts';
import { isShort, isUnused } from '../core/reservations/class-notices.ts';
import { normalizedCode } from '../core/reservations/code.ts';
import { overQuota, type OverQuota, type Quota } from '../core/reservations/quota.ts';
import { doorsOf, type Reservation, type ReservationStatus } from '../core/reservations/reservation.ts';
import type { ClassOfRequest, ClassRequest, ReservationBook } from '../core/reservations/reservation-book.ts';
import type { Moment, ReservedSeats, SeatWish } from '../core/reservations/reserved-seats.ts';
import { rehearse, type Rehearsal } from '../core/reservations/rehearsal.ts';
import type { SeatShare } from '../core/reservations/seat-shares.ts';
import { seatsOverTime } from '../core/reservations/seats-over-time.ts';
import { weeklyStarts, type Weekly, type WeeklyStarts } from '../core/reservations/weekly.ts';
import type { Clock, Log, NewId } from '../ports.ts';
import type { Restored } from '../state/document.ts';
import { MAX_RESERVATIONS, readReservations, saveReservations } from '../state/reservations.ts';
import type { CountedSessions } from './counted-sessions.ts';
import { startLoop, type Loop } from './loop.ts';
import type { SessionRequest } from './request-types.ts';
import { bookedFleet, seatFleet, type SeatFleetOptions } from './seat-fleet.ts';
import { createStartupGate } from './startup-gate.ts';
import { WrongCodes } from './wrong-codes.ts';

export interface ReservationsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: NewId;
  readonly book: ReservationBook;
  readonly seats: ReservedSeats;
  readonly counted: CountedSessions;
  readonly ledger: Pick<Ledger, 'rooms' | 'fleetCost' | 'seatCost' | 'neverCame'>;
  readonly eligible: (slot: Pick<Slot, 'project'>) => readonly ServerId[];
  readonly keyOf: (projectUrl: string) => string | undefined;
  /** Percent. */
  readonly target: () => number;
  /** People of a reservation who wait in line. */
  readonly waiting: (id: string) => number;
  /** Who is admitted may have changed. */
  readonly changed: () => void;
  /** Something has to be saved soon. */
  readonly saveSoon: () => void;
  /** With replicas: resolves when the next leader would know what was done here; never when this one does not lead any more. */
  readonly committed?: () => Promise<void>;
  /** Operators have to know something about a class. `reason` is a sentence. */
  readonly notify: (kind: ClassNotice, reservation: Reservation, reason: string) => void;
}

/** Seats for a class, as an operator wants them. */
export type Wish = Omit<Reservation, 'id' | 'code' | 'owner' | 'revision' | 'released' | 'series'> & {
  /** A lesson each week. */
  readonly weekly?: Weekly;
  /** All lessons, where they are known one by one; `start` and `end` are those of the first. */
  readonly lessons?: readonly [Lesson, ...Lesson[]];
  /** Normalised. Absent: one is made up. */
  readonly code?: string;
};

export interface Making {
  /** The answer alone: nothing is stored. */
  readonly dryRun?: boolean;
  /** Identities of reservations that are cancelled if it can be made. */
  readonly replaces?: ReadonlySet<string>;
  /** Reservations that are planned at the same time, and not stored. */
  readonly besides?: readonly Reservation[];
}

/** Who acts on reservations. */
export interface Person {
  readonly name: string;
  /** Of a teacher, who sees and changes own reservations alone. Absent: an operator. */
  readonly quota?: Quota;
}

export interface ReservationView {
  readonly reservation: Reservation;
  readonly status: ReservationStatus;
  /** Seats that will be free when they are needed, beside other reservations' needs; known from some hours before. */
  readonly predicted: number | undefined;
  /** Seats that could be reserved at its time; only in the answer to a trial. */
  readonly free?: number;
  /** Of its seats, those that can be taken at once; the others within two minutes. Only in the answer to a trial. */
  readonly atOnce?: number;
}

/** Kinds of notifications about classes. */
export type ClassNotice = 'class-short' | 'class-unused';

type Fits = Extract<CapacityAnswer, { kind: 'fits' }> & { readonly atOnce: number };
export type OverCapacity = Extract<CapacityAnswer, { kind: 'over-capacity' }>;
export type ReservationOutcome =
  /** `lessons`: how many, of a series; `view` is the first one. `made`: all of them, also those of a trial. */
  | {
      readonly kind: 'done';
      readonly view: ReservationView;
      readonly lessons?: number;
      readonly made?: readonly Reservation[];
    }
  | Exclude<WeeklyStarts, { readonly kind: 'starts' }>
  | OverCapacity
  | OverQuota
  | { readonly kind: 'code-in-use' }
  /** The teacher chose many codes that other classes have. */
  | { readonly kind: 'too-many-codes'; readonly retryAfter: number }
  | { readonly kind: 'no-server' }
  | { readonly kind: 'too-many' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'over' }
  /** Its time is over before it is made. */
  | { readonly kind: 'in-the-past' }
  | { readonly kind: 'too-far' };

/** How far ahead seats can be reserved. A year with five digits would be a mistyped one, or none that other programs can read. */
export const MAX_YEARS_AHEAD = 5;
const MAX_AHEAD = MAX_YEARS_AHEAD * 366 * 86_400;
/** Seconds between two looks at what time alone changes. */
const TICK = 1;
const CODE_LENGTH = 6;
/** Seconds between two looks for classes that operators have to know of. */
const NOTICE_INTERVAL = 60;
const NOTICES: Readonly<Record<ClassNotice, string>> = {
  'class-short': 'a class may get fewer seats than are reserved for it',
  'class-unused': 'no student of a class came, for the second time',
};
/** Reservations of one teacher, those of the last week included. Small ones would otherwise use up all that can be made, within any quota. */
const MAX_OF_TEACHER = MAX_RESERVATIONS / 5;
/** Sessions that ended. */
const WORTH_SAVING = 10;

/** What someone with a code finds. */
export type ClassLookup =
  | { readonly kind: 'found'; readonly reservation: Reservation; readonly status: ReservationStatus }
  | { readonly kind: 'unknown-code' }
  | { readonly kind: 'too-many-codes'; readonly retryAfter: number };

/** What admission asks about reserved seats. */
export type Classes = Pick<Reservations, 'classOf' | 'heldFor' | 'permitted' | 'wrongCode'>;

export class Reservations {
  readonly #options: ReservationsOptions;
  readonly #ticking: Loop;
  readonly #wrongCodes: WrongCodes;
  readonly #noticed = new Set<string>();
  #lookedAt = -Infinity;
  /** Actions wait until those of the last run are restored. */
  readonly #startupGate = createStartupGate();

  constructor(options: ReservationsOptions) {
    this.#options = options;
    this.#wrongCodes = new WrongCodes(options.clock, options.log);
    this.#ticking = startLoop({
      clock: options.clock,
      delay: TICK,
      cycle: () => this.#tick(),
      failed: (error) => {
        options.log.error('the reservations could not be looked at', { error });
        return TICK;
      },
    });
  }

  /** To be called once the reservations of the last run are restored. */
  begin(): void {
    this.#startupGate.begin();
    this.#ticking.wake();
  }

  stop(): Promise<void> {
    return this.#ticking.stop();
  }

  /** Which class a request belongs to. */
  classOf(request: ClassRequest): ClassOfRequest {
    const { book, clock, waiting } = this.#options;
    if (book.size === 0) return request.code === undefined ? PUBLIC : UNKNOWN_CODE;
    return book.classOf(request, clock.wallTime(), waiting);
  }

  /** Counts a wrong code against its address. Returns the seconds its sender should wait; 0: none. */
  wrongCode(address: SessionRequest['address']): number {
    return this.#wrongCodes.count(address);
  }

  /** The class with a code, as its people see it. */
  lookUp(code: string, address: SessionRequest['address']): ClassLookup {
    const { book, seats } = this.#options;
    const moment = this.#moment();
    const normalized = normalizedCode(code);
    const reservation = normalized === undefined ? undefined : book.latestWithCode(normalized, moment.wall);
    const status = reservation && seats.status(reservation.id, moment);
    if (reservation !== undefined && status !== undefined) return { kind: 'found', reservation, status };
    const retryAfter = this.wrongCode(address);
    return retryAfter > 0 ? { kind: 'too-many-codes', retryAfter } : { kind: 'unknown-code' };
  }

  /** The reservation that alone keeps a client without a seat from these servers. */
  heldFor(candidates: Candidates, project: string | undefined, wish?: SeatWish): Reservation | undefined {
    return this.#options.seats.heldFor(candidates, project, this.#moment(), wish);
  }

  /** Whether the session of this booking has to end now, as was announced. */
  isEndDue(bookingId: string): boolean {
    return this.#options.seats.isEndDue(bookingId);
  }

  /** The servers of these on which a client without a seat may be placed. */
  permitted(candidates: Candidates, project: string | undefined): Candidates {
    return this.#options.seats.permitted(candidates, project, this.#moment());
  }

  /** The seats of classes that are near or on, by server. */
  seatShares(): ReadonlyMap<ServerId, SeatShare> {
    return this.#options.seats.shares(this.#moment());
  }

  /** The seats that could be taken in each bucket of a chart. */
  seatsOverTime(times: readonly number[], step: number): readonly number[] {
    return seatsOverTime(this.#options.book.all(), times, step);
  }

  /** Of a series, all lessons are reserved or none. */
  async make(wish: Wish, by: Person, making: Making = {}): Promise<ReservationOutcome> {
    await this.#startupGate.ready;
    const { book, log } = this.#options;
    const { dryRun = false, replaces = NONE, besides = [] } = making;
    const refused = this.#refusalOfCode(wish, by, making);
    if (refused !== undefined) return refused;
    const found = wish.weekly === undefined ? undefined : weeklyStarts(wish.start, wish.weekly);
    if (found !== undefined && found.kind !== 'starts') return found;
    const made = this.#lessonsOf(wish, by.name, found?.starts);
    const more = made.length + besides.length;
    if (book.size + more - replaces.size > MAX_RESERVATIONS) return { kind: 'too-many' };
    const own = book.all().filter(({ id, owner }) => owner === by.name && !replaces.has(id));
    if (by.quota !== undefined && own.length + more > MAX_OF_TEACHER) return { kind: 'too-many' };
    let [free, atOnce] = [Infinity, Infinity];
    for (const [index, lesson] of made.entries()) {
      const answer = this.#check(lesson, by, [...besides, ...made.slice(0, index)], replaces);
      if (answer.kind !== 'fits') return answer;
      free = Math.min(free, answer.free);
      atOnce = Math.min(atOnce, answer.atOnce);
    }
    const [first] = made;
    const count = { made, ...(made.length > 1 && { lessons: made.length }) };
    if (dryRun) return { kind: 'done', view: { ...unmade(first), free, atOnce }, ...count };
    log.info(`${first.seats} seats reserved by ${by.name}`, {
      by: by.name,
      id: first.id,
      seats: first.seats,
      lessons: made.length,
    });
    for (const id of replaces) book.remove(id);
    for (const lesson of made) book.put(lesson);
    return { ...(await this.#store(first)), ...count };
  }

  /** A teacher could find the codes of other classes by choosing one after the other, so not many may be tried. */
  #refusalOfCode(wish: Wish, { name, quota }: Person, making: Making): ReservationOutcome | undefined {
    const isTeacher = quota !== undefined;
    const retryAfter = isTeacher && wish.code !== undefined ? this.#wrongCodes.waitOf(name) : 0;
    if (retryAfter > 0) return { kind: 'too-many-codes', retryAfter };
    if (!this.#isCodeTaken(wish, making)) return undefined;
    if (isTeacher) this.#wrongCodes.countTaken(name);
    return { kind: 'code-in-use' };
  }

  #isCodeTaken({ code, imported }: Wish, { replaces = NONE, besides = [] }: Making): boolean {
    const { book, clock } = this.#options;
    const now = clock.wallTime();
    const isOwn = (other: Reservation) => replaces.has(other.id) || (imported !== undefined && other.imported === imported);
    const isUsed = (other: Reservation) => other.code === code && now < other.end && !isOwn(other);
    return [...book.all(), ...besides].some(isUsed);
  }

  /** Whether so many would fit. Nothing is reserved. */
  rehearse(wish: Pick<Slot, 'seats' | 'start' | 'end' | 'project'>): Rehearsal {
    const { book, clock } = this.#options;
    const now = clock.wallTime();
    const others = book.all().filter(({ end, released }) => end > now && !released);
    return rehearse({ ...wish, id: '', title: '', opens: 0 }, others, seatFleet(this.#fleet()), now);
  }

  /** Only the end moves. `end` is seconds since the epoch. */
  extend(id: string, end: number, by: Person): Promise<ReservationOutcome> {
    return this.#change(id, by, 'extended', () => ({ end }));
  }

  /** To another time. Only before its doors open: people may have come then. `start` is seconds since the epoch. */
  move(id: string, start: number, by: Person): Promise<ReservationOutcome> {
    const { clock } = this.#options;
    return this.#change(id, by, 'moved', (known) =>
      clock.wallTime() >= doorsOf(known) ? undefined : { start, end: known.end + start - known.start },
    );
  }

  /** The free seats go back to other clients now. */
  async release(id: string, by: Person): Promise<ReservationOutcome> {
    await this.#startupGate.ready;
    const { log } = this.#options;
    const known = this.#ofPerson(id, by);
    if (known === undefined) return { kind: 'unknown' };
    log.info(`a reservation was released by ${by.name}`, { by: by.name, id });
    return this.#store({ ...known, released: true, revision: known.revision + 1 });
  }

  /** `false`: there is no such reservation. Sessions that have its seats go on. `andLater`: also the lessons of its series after it. */
  async cancel(id: string, by: Person, andLater = false): Promise<boolean> {
    await this.#startupGate.ready;
    const { book, log } = this.#options;
    const known = this.#ofPerson(id, by);
    if (known === undefined) return false;
    book.remove(id);
    const { series, start } = known;
    const isLater = (other: Reservation) => series !== undefined && other.series === series && other.start > start;
    if (andLater) for (const other of book.all().filter(isLater)) book.remove(other.id);
    log.info(`a reservation was cancelled by ${by.name}`, { by: by.name, id });
    await this.#changed();
    return true;
  }

  /** `by`: absent for the program itself. */
  view(id: string, by?: Person): ReservationView | undefined {
    const { seats } = this.#options;
    const moment = this.#moment();
    const reservation = this.#ofPerson(id, by);
    const status = seats.status(id, moment);
    if (reservation === undefined || status === undefined) return undefined;
    const isFar = status.state === 'planned' || status.outstanding === 0;
    return { reservation, status, predicted: isFar ? undefined : seats.predicted(reservation, moment) };
  }

  views(by?: Person): readonly ReservationView[] {
    return this.#options.book.all().flatMap(({ id }) => this.view(id, by) ?? []);
  }

  // ---- what survives a restart

  /** Differs when there is something new to save; lengths of sessions are worth it now and then. */
  get version(): string {
    const { book, counted } = this.#options;
    return `${book.version} ${Math.floor(counted.lengths.count / WORTH_SAVING)}`;
  }

  save(): unknown {
    const { book, counted } = this.#options;
    return saveReservations(book.kept(), counted.lengths.save(), counted.costs.save());
  }

  restore(value: unknown): Restored {
    const { book, counted, log } = this.#options;
    const read = readReservations(value);
    if (read.kind === 'foreign') return read;
    if (read.damaged > 0) log.warn(`${read.damaged} saved reservations are damaged and were left out`);
    book.restore(read.reservations);
    counted.lengths.restore(read.lengths);
    counted.costs.restore(read.costs);
    return { kind: 'restored' };
  }

  // ---- inside

  /** A teacher cannot find out that others have reservations. */
  #ofPerson(id: string, by: Person | undefined): Reservation | undefined {
    const found = this.#options.book.get(id);
    return by?.quota === undefined || found?.owner === by.name ? found : undefined;
  }

  /** `changed`: what is different; `undefined`: it is too late for that. */
  async #change(
    id: string,
    by: Person,
    what: string,
    changed: (known: Reservation) => Partial<Reservation> | undefined,
  ): Promise<ReservationOutcome> {
    await this.#startupGate.ready;
    const { clock, log } = this.#options;
    const known = this.#ofPerson(id, by);
    if (known === undefined) return { kind: 'unknown' };
    const difference = clock.wallTime() >= known.end ? undefined : changed(known);
    if (difference === undefined) return { kind: 'over' };
    const next = { ...known, ...difference, revision: known.revision + 1 };
    const answer = this.#check(next, by);
    if (answer.kind !== 'fits') return answer;
    log.info(`a reservation was ${what} by ${by.name}`, { by: by.name, id });
    return this.#store(next);
  }

  /** The lessons of a wish; without `starts` the only one. */
  #lessonsOf(
    { code = this.#newCode(), weekly: _weekly, lessons, ...wish }: Wish,
    owner: string,
    starts: readonly [number, ...number[]] = [wish.start],
  ): readonly [Reservation, ...Reservation[]] {
    const { newId } = this.#options;
    const [first, ...more] = lessons ?? starts;
    const series = more.length === 0 ? {} : { series: newId() };
    const lesson = (at: number | Lesson): Reservation => {
      const { start, end } = typeof at === 'number' ? { start: at, end: at + wish.end - wish.start } : at;
      return { ...wish, ...series, code, owner, start, end, id: newId(), revision: 0, released: false };
    };
    return [lesson(first), ...more.map(lesson)];
  }

  /** `besides`: reservations that are made together with this one. */
  #check(
    reservation: Reservation,
    { name, quota }: Person,
    besides: readonly Reservation[] = [],
    without: ReadonlySet<string> = NONE,
  ): Fits | OverCapacity | OverQuota | { readonly kind: 'no-server' | 'in-the-past' | 'too-far' } {
    const { book, clock, eligible } = this.#options;
    const now = clock.wallTime();
    if (reservation.end <= now) return { kind: 'in-the-past' };
    if (reservation.end > now + MAX_AHEAD) return { kind: 'too-far' };
    const all = [...book.all().filter(({ id }) => id !== reservation.id && !without.has(id)), ...besides];
    const own = all.filter(({ owner }) => owner === name);
    const over = quota && overQuota(reservation, own, quota, now);
    if (over !== undefined) return over;
    if (eligible(reservation).length === 0) return { kind: 'no-server' };
    const others = all.filter(({ end, released }) => end > now && !released);
    // A teacher learns that there are other classes, and not which ones.
    const named = others.map((other) => (quota === undefined || other.owner === name ? other : { ...other, title: '' }));
    const answer = checkCapacity(reservation, named, seatFleet(this.#fleet()), now);
    if (answer.kind !== 'fits') return answer;
    const atOnce = Math.min(reservation.seats, seatsFree(reservation, others, bookedFleet(this.#fleet())));
    return { ...answer, atOnce };
  }

  #fleet(): SeatFleetOptions {
    const { ledger, counted, eligible, keyOf, target } = this.#options;
    return { ledger, costs: counted.costs, eligible, keyOf, target };
  }

  async #store(reservation: Reservation): Promise<ReservationOutcome> {
    this.#options.book.put(reservation);
    await this.#changed();
    const view = this.view(reservation.id);
    return view === undefined ? { kind: 'unknown' } : { kind: 'done', view };
  }

  async #changed(): Promise<void> {
    const { saveSoon, changed, committed } = this.#options;
    saveSoon();
    changed();
    this.#ticking.wake();
    await committed?.();
  }

  /** While a class is near, time alone changes who is admitted. */
  #tick(): number {
    const { book, seats, ledger, clock, changed } = this.#options;
    if (book.size === 0) return Infinity;
    const [now, wall] = [clock.now(), clock.wallTime()];
    book.expire(wall);
    book.sweep((bookingId) => ledger.neverCame(bookingId, now));
    if (seats.isWithinReach(wall)) changed();
    if (wall - this.#lookedAt >= NOTICE_INTERVAL) this.#lookForNotices(wall);
    return TICK;
  }

  /** Each at most once for a reservation, since the start of the program. */
  #lookForNotices(wall: number): void {
    this.#lookedAt = wall;
    const views = this.views();
    for (const view of views) {
      const { reservation, predicted = 0, status } = view;
      const short = `${predicted} seats will be free, and ${status.outstanding} are held (reservation ${reservation.id})`;
      if (isShort(view, wall)) this.#notice('class-short', reservation, short);
      if (isUnused(view, views, wall)) this.#notice('class-unused', reservation, `reservation ${reservation.id}`);
    }
  }

  #notice(kind: ClassNotice, reservation: Reservation, reason: string): void {
    const key = `${kind} ${reservation.id}`;
    if (this.#noticed.has(key)) return;
    this.#noticed.add(key);
    this.#options.log.warn(NOTICES[kind], { id: reservation.id, reason });
    this.#options.notify(kind, reservation, reason);
  }

  #newCode(): string {
    const { newId, book, clock } = this.#options;
    for (;;) {
      const code = newId()
        .toUpperCase()
        .replace(/[^A-Z0-9]/g, '')
        .padEnd(CODE_LENGTH, 'X')
        .slice(0, CODE_LENGTH);
      if (book.withCode(code, clock.wallTime()) === undefined) return code;
    }
  }

  #moment(): Moment {
    const { clock } = this.#options;
    return { now: clock.now(), wall: clock.wallTime() };
  }
}

const NONE: ReadonlySet<string> = new Set();
const PUBLIC: ClassOfRequest = { kind: 'public' };
const UNKNOWN_CODE: ClassOfRequest = { kind: 'unknown-code' };

function unmade(reservation: Reservation): ReservationView {
  return { reservation, status: { state: 'planned', taken: 0, came: 0, outstanding: reservation.seats }, predicted: undefined };
}
