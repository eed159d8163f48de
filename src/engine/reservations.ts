/**
 * What people do with reservations: make, extend, release, cancel and list them. Each action has taken effect when its promise resolves, is logged with
 * the name of the person, and survives a restart.
 */
import type { Ledger } from '../core/allocation/ledger.ts';
import type { Candidates } from '../core/fleet/candidates.ts';
import type { ServerId } from '../core/fleet/endpoint.ts';
import { checkCapacity, type CapacityAnswer, type Fleet, type Slot } from '../core/reservations/capacity.ts';
import type { ObservedLengths } from '../core/reservations/observed-lengths.ts';
import type { Reservation, ReservationStatus } from '../core/reservations/reservation.ts';
import type { ClassOfRequest, ClassRequest, ReservationBook } from '../core/reservations/reservation-book.ts';
import type { Moment, ReservedSeats } from '../core/reservations/reserved-seats.ts';
import type { Clock, Log, NewId } from '../ports.ts';
import type { Restored } from '../state/document.ts';
import { MAX_RESERVATIONS, readReservations, saveReservations } from '../state/reservations.ts';
import { startLoop, type Loop } from './loop.ts';
import { createStartupGate } from './startup-gate.ts';

export interface ReservationsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: NewId;
  readonly book: ReservationBook;
  readonly seats: ReservedSeats;
  readonly lengths: ObservedLengths;
  readonly ledger: Pick<Ledger, 'rooms' | 'fleetCost'>;
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
}

/** Seats for a class, as an operator wants them. */
export type Wish = Omit<Reservation, 'id' | 'code' | 'owner' | 'revision' | 'released'> & {
  /** Normalised. Absent: one is made up. */
  readonly code?: string;
};

export interface ReservationView {
  readonly reservation: Reservation;
  readonly status: ReservationStatus;
  /** Seats that will be free when they are needed, beside other reservations' needs; known from some hours before. */
  readonly predicted: number | undefined;
}

export type OverCapacity = Extract<CapacityAnswer, { kind: 'over-capacity' }>;
export type ReservationOutcome =
  | { readonly kind: 'done'; readonly view: ReservationView }
  | OverCapacity
  | { readonly kind: 'code-in-use' }
  | { readonly kind: 'no-server' }
  | { readonly kind: 'too-many' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'over' };

/** Seconds between two looks at what time alone changes. */
const TICK = 1;
/** A cost that was learned is right within this; one that was not may be higher by the second factor. */
const LEARNED = 1.15;
const UNKNOWN = 1.5;
const CODE_LENGTH = 6;
/** Sessions that ended. */
const WORTH_SAVING = 10;

/** What admission asks about reserved seats. */
export type Classes = Pick<Reservations, 'classOf' | 'heldFor' | 'permitted'>;

export class Reservations {
  readonly #options: ReservationsOptions;
  readonly #ticking: Loop;
  /** Actions wait until those of the last run are restored. */
  readonly #startupGate = createStartupGate();

  constructor(options: ReservationsOptions) {
    this.#options = options;
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

  /** The reservation that alone keeps a client without a seat from these servers. */
  heldFor(candidates: Candidates, project: string | undefined): Reservation | undefined {
    return this.#options.seats.heldFor(candidates, project, this.#moment());
  }

  /** The servers of these on which a client without a seat may be placed. */
  permitted(candidates: Candidates, project: string | undefined): Candidates {
    return this.#options.seats.permitted(candidates, project, this.#moment());
  }

  /** `dryRun`: the answer alone, nothing is stored. */
  async make(wish: Wish, by: string, dryRun = false): Promise<ReservationOutcome> {
    await this.#startupGate.ready;
    const { book, clock, newId, log } = this.#options;
    const { code = this.#newCode() } = wish;
    const reservation: Reservation = { ...wish, id: newId(), code, owner: by, revision: 0, released: false };
    if (book.size >= MAX_RESERVATIONS) return { kind: 'too-many' };
    if (book.withCode(code, clock.wallTime()) !== undefined) return { kind: 'code-in-use' };
    const obstacle = this.#obstacleTo(reservation);
    if (obstacle !== undefined) return obstacle;
    if (dryRun) return { kind: 'done', view: unmade(reservation) };
    log.info(`${reservation.seats} seats reserved by ${by}`, { by, id: reservation.id, seats: reservation.seats });
    return this.#store(reservation);
  }

  /** Only the end moves. `end` is seconds since the epoch. */
  async extend(id: string, end: number, by: string): Promise<ReservationOutcome> {
    await this.#startupGate.ready;
    const { book, clock, log } = this.#options;
    const known = book.get(id);
    if (known === undefined) return { kind: 'unknown' };
    if (clock.wallTime() >= known.end) return { kind: 'over' };
    const extended = { ...known, end, revision: known.revision + 1 };
    const obstacle = this.#obstacleTo(extended);
    if (obstacle !== undefined) return obstacle;
    log.info(`a reservation was extended by ${by}`, { by, id });
    return this.#store(extended);
  }

  /** The free seats go back to other clients now. */
  async release(id: string, by: string): Promise<ReservationOutcome> {
    await this.#startupGate.ready;
    const { book, log } = this.#options;
    const known = book.get(id);
    if (known === undefined) return { kind: 'unknown' };
    log.info(`a reservation was released by ${by}`, { by, id });
    return this.#store({ ...known, released: true, revision: known.revision + 1 });
  }

  /** `false`: there is no such reservation. Sessions that have its seats go on. */
  async cancel(id: string, by: string): Promise<boolean> {
    await this.#startupGate.ready;
    const { book, log } = this.#options;
    if (!book.remove(id)) return false;
    log.info(`a reservation was cancelled by ${by}`, { by, id });
    this.#changed();
    return true;
  }

  view(id: string): ReservationView | undefined {
    const { book, seats } = this.#options;
    const moment = this.#moment();
    const reservation = book.get(id);
    const status = seats.status(id, moment);
    if (reservation === undefined || status === undefined) return undefined;
    const isFar = status.state === 'planned' || status.outstanding === 0;
    return { reservation, status, predicted: isFar ? undefined : seats.predicted(reservation, moment) };
  }

  views(): readonly ReservationView[] {
    return this.#options.book.all().flatMap(({ id }) => this.view(id) ?? []);
  }

  // ---- what survives a restart

  /** Differs when there is something new to save; lengths of sessions are worth it now and then. */
  get version(): string {
    const { book, lengths } = this.#options;
    return `${book.version} ${Math.floor(lengths.save().ended / WORTH_SAVING)}`;
  }

  save(): unknown {
    return saveReservations(this.#options.book.kept(), this.#options.lengths.save());
  }

  restore(value: unknown): Restored {
    const { book, lengths, log } = this.#options;
    const read = readReservations(value);
    if (read.kind === 'foreign') return read;
    if (read.damaged > 0) log.warn(`${read.damaged} saved reservations are damaged and were left out`);
    book.restore(read.reservations);
    lengths.restore(read.lengths);
    return { kind: 'restored' };
  }

  // ---- inside

  #obstacleTo(reservation: Reservation): ReservationOutcome | undefined {
    const { book, clock, eligible } = this.#options;
    if (eligible(reservation).length === 0) return { kind: 'no-server' };
    const now = clock.wallTime();
    const others = book.all().filter(({ id, end, released }) => id !== reservation.id && end > now && !released);
    const answer = checkCapacity(reservation, others, this.#fleet(), now);
    return answer.kind === 'fits' ? undefined : answer;
  }

  #fleet(): Fleet {
    const { eligible, ledger, target, keyOf } = this.#options;
    const points = new Map<ServerId, number>();
    return {
      eligible,
      pointsOf: (id) => {
        const known = points.get(id);
        if (known !== undefined) return known;
        const room = ledger.rooms([id])[0]?.room;
        const found = room === undefined ? 0 : (target() - room.base) / room.factor;
        points.set(id, found);
        return found;
      },
      costOf: ({ project }) => {
        const { value, high } = ledger.fleetCost(project === undefined ? undefined : keyOf(project));
        return Math.max(LEARNED * value, Math.min(UNKNOWN * value, high));
      },
    };
  }

  #store(reservation: Reservation): ReservationOutcome {
    this.#options.book.put(reservation);
    this.#changed();
    const view = this.view(reservation.id);
    return view === undefined ? { kind: 'unknown' } : { kind: 'done', view };
  }

  #changed(): void {
    this.#options.saveSoon();
    this.#options.changed();
    this.#ticking.wake();
  }

  /** While a class is near, time alone changes who is admitted. */
  #tick(): number {
    const { book, seats, clock, changed } = this.#options;
    if (book.size === 0) return Infinity;
    const wall = clock.wallTime();
    book.expire(wall);
    if (seats.isWithinReach(wall)) changed();
    return TICK;
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

const PUBLIC: ClassOfRequest = { kind: 'public' };
const UNKNOWN_CODE: ClassOfRequest = { kind: 'unknown-code' };

function unmade(reservation: Reservation): ReservationView {
  return { reservation, status: { state: 'planned', taken: 0, came: 0, outstanding: reservation.seats }, predicted: undefined };
}
