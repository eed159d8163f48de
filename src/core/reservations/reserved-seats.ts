/**
 * Reserved seats at the moment of admission: a client with a seat is placed as usual, every other one only where the seats of the classes stay free.
 *
 * Without a reservation within reach it does nothing but ask the ledger, with the same candidates.
 */
import type { BookingOutcome, BookingRequest, Ledger } from '../allocation/ledger.ts';
import type { Candidates } from '../fleet/candidates.ts';
import type { ServerId } from '../fleet/endpoint.ts';
import { isOn, type Reservation, type ReservationStatus } from './reservation.ts';
import { onTogether, type ReservationBook } from './reservation-book.ts';
import { reserveFor, type Reserve, type ServerRoom } from './reserve.ts';
import { reachOf, type SessionLength } from './session-length.ts';

export interface ReservedSeatsOptions {
  readonly ledger: Pick<Ledger, 'book' | 'fits' | 'rooms' | 'seatCost' | 'published'>;
  readonly book: ReservationBook;
  /** The servers that may ever run the project and are not being emptied. */
  readonly eligible: (reservation: Reservation) => readonly ServerId[];
  readonly keyOf: (projectUrl: string) => string | undefined;
  readonly parameters: () => { readonly target: number; readonly lengths: SessionLength };
}

/** Seconds of the engine's clock, and since the epoch: the ledger lives by the first, reservations by the second. */
export interface Moment {
  readonly now: number;
  readonly wall: number;
}

/** What holds others back for one reservation at a moment. */
interface Hold {
  readonly reservation: Reservation;
  readonly reserve: Reserve;
  readonly indexOf: ReadonlyMap<ServerId, number>;
  readonly rooms: readonly ServerRoom[];
  /** Percent: others stay below it on these servers. */
  readonly target: number;
  /** It is lower than usual. */
  readonly isLowered: boolean;
}

/**
 * Load points that others stay below the target on servers of a class that is on: it sits there for an hour, and servers that are filled to the brim again
 * and again would be overloaded under it.
 */
const COMFORT = 3;
/** Seats that one report or booking changes at most, even on a strong server. */
const SEATS_OF_A_CHANGE = 30;
/** Seconds around the end of a reservation within which its people leave. */
const LEAVING = 300;

export class ReservedSeats {
  readonly #options: ReservedSeatsOptions;
  /** What holds others back, as long as nothing changes but the time within a second. */
  #known: { readonly key: string; readonly published: number; readonly holds: readonly Hold[] } | undefined;

  constructor(options: ReservedSeatsOptions) {
    this.#options = options;
  }

  /** Chooses a server and books the session, with a seat if the request names a reservation that has one for it. */
  take(request: BookingRequest, candidates: Candidates, moment: Moment): BookingOutcome {
    const { ledger, book } = this.#options;
    const { reservation, ...plain } = request;
    if (reservation === undefined || !book.mayTake(reservation, request.id, moment.wall))
      return ledger.book(plain, this.permitted(candidates, request.project, moment), moment.now);
    const outcome = ledger.book(request, candidates, moment.now);
    if (outcome.kind !== 'booked') return outcome;
    const { bookingId, server } = outcome;
    const { id: holder, project } = request;
    book.take(reservation, { bookingId, server, holder, ...(project !== undefined && { project }) });
    return outcome;
  }

  /** Would `take` find a server? */
  fits(candidates: Candidates, project: string | undefined, moment: Moment, reservation?: string): boolean {
    const { ledger, book } = this.#options;
    const isClass = reservation !== undefined && book.mayTake(reservation, '', moment.wall);
    return ledger.fits(isClass ? candidates : this.permitted(candidates, project, moment), project, moment.now);
  }

  /** The candidates on which a client without a seat may be placed; the same object when these are all. */
  permitted(candidates: Candidates, project: string | undefined, moment: Moment): Candidates {
    const { ledger, book } = this.#options;
    if (book.size === 0) return candidates;
    const holds = this.#holds(moment);
    if (holds.length === 0) return candidates;
    const { cost, margin } = ledger.seatCost(project);
    if (holds.every(({ reserve, isLowered }) => !isLowered && reserve.isAmple(cost))) return candidates;
    const admits = (id: ServerId) => holds.every((hold) => mayPlace(hold, id, cost, margin));
    return filtered(candidates, admits);
  }

  /** The reservation for which the room on these servers is held, if a client without a seat would find room but for it. */
  heldFor(candidates: Candidates, project: string | undefined, moment: Moment): Reservation | undefined {
    const { ledger, book } = this.#options;
    if (book.size === 0 || !ledger.fits(candidates, project, moment.now) || this.fits(candidates, project, moment))
      return undefined;
    return this.#holds(moment)[0]?.reservation;
  }

  /** Whether a change of time alone can change who is admitted. */
  isWithinReach(wall: number): boolean {
    return this.#withinReach(wall).length > 0;
  }

  status(id: string, { wall }: Moment): ReservationStatus | undefined {
    const { book, parameters } = this.#options;
    return book.status(id, wall, reachOf(parameters().lengths), this.#isLost());
  }

  /** Seats that will be free when they are needed, if no other client is let in. */
  predicted(reservation: Reservation, moment: Moment): number {
    return this.#hold(reservation, [reservation], moment).reserve.predicted;
  }

  #withinReach(wall: number): readonly Reservation[] {
    const { book, parameters } = this.#options;
    const reach = reachOf(parameters().lengths);
    return book.all().filter(({ start, end, opens }) => wall >= start - opens - reach && wall < end);
  }

  #holds(moment: Moment): readonly Hold[] {
    const { ledger, book } = this.#options;
    const { published } = ledger;
    const key = `${book.version} ${Math.floor(moment.wall)}`;
    if (this.#known?.key === key && isFresh(this.#known.holds, published - this.#known.published)) return this.#known.holds;
    const near = this.#withinReach(moment.wall);
    const holds = near.map((reservation) => this.#hold(reservation, onTogether(reservation, near, moment.wall), moment));
    this.#known = { key, published, holds };
    return holds;
  }

  #hold(reservation: Reservation, together: readonly Reservation[], moment: Moment): Hold {
    const { ledger, eligible, parameters } = this.#options;
    const { wall } = moment;
    const { target, lengths } = parameters();
    const found = ledger.rooms(eligible(reservation));
    const rooms = found.map(({ room }) => room);
    const indexOf = new Map(found.map(({ id }, index) => [id, index]));
    const demand = this.#demand(together, moment);
    const ahead = Math.max(0, reservation.start - wall);
    const members = this.#members(indexOf, rooms, wall, wall + ahead);
    const reserve = reserveFor(rooms, { ...demand, ahead, ofClasses: (index) => members[index] ?? NOBODY }, { target, lengths });
    const isLowered = isOn(reservation, wall);
    return { reservation, reserve, indexOf, rooms, isLowered, target: isLowered ? target - COMFORT : target };
  }

  /** All seats that are outstanding, in units of the heaviest. */
  #demand(together: readonly Reservation[], moment: Moment): { readonly seats: number; readonly seatCost: number } {
    const weights = together.map((reservation) => {
      const { cost, margin } = this.#costOf(reservation);
      return {
        points: cost * (1 + margin),
        seats: this.status(reservation.id, moment)?.outstanding ?? 0,
      };
    });
    const needed = weights.filter(({ seats }) => seats > 0);
    const seatCost = Math.max(...(needed.length > 0 ? needed : weights).map(({ points }) => points));
    return { seatCost, seats: needed.reduce((sum, { points, seats }) => sum + (seats * points) / seatCost, 0) };
  }

  #costOf({ project }: Reservation): ReturnType<Ledger['seatCost']> {
    const { ledger, keyOf } = this.#options;
    return ledger.seatCost(project === undefined ? undefined : keyOf(project));
  }

  /** The load of people who have seats, by server, and how much of it will be there at the time. */
  #members(
    indexOf: ReadonlyMap<ServerId, number>,
    rooms: readonly ServerRoom[],
    wall: number,
    at: number,
  ): readonly (Members | undefined)[] {
    const { book, ledger } = this.#options;
    const members: Members[] = [];
    for (const { id, end } of book.all()) {
      const [here, there] = [shareThere(end, wall), shareThere(end, at)];
      for (const { server, project } of here === 0 ? [] : book.seats(id)) {
        const index = indexOf.get(server);
        if (index === undefined) continue;
        const points = ledger.seatCost(project).cost * (rooms[index]?.factor ?? 1);
        const { points: before, staying } = members[index] ?? NOBODY;
        const sum = before + points * here;
        members[index] = { points: sum, staying: (staying * before + points * there) / sum };
      }
    }
    return members;
  }

  /** The server of a seat does not answer any more. */
  #isLost(): (server: ServerId) => boolean {
    const { ledger } = this.#options;
    return (server) => ledger.rooms([server]).length === 0;
  }
}

interface Members {
  /** Load points. */
  readonly points: number;
  /** The share of them that stays. */
  readonly staying: number;
}

/** The share of the people of a reservation that is there: they leave around its end. */
function shareThere(end: number, at: number): number {
  return Math.min(1, Math.max(0, (end + LEAVING - at) / (2 * LEAVING)));
}

const NOBODY: Members = { points: 0, staying: 0 };
const NONE: Candidates = { tiers: [] };

/** A report or a booking changes few seats: what is far from its limit need not be counted again within a second. */
function isFresh(holds: readonly Hold[], changes: number): boolean {
  return changes === 0 || holds.every(({ reserve }) => reserve.spare > SEATS_OF_A_CHANGE * (changes + 1));
}

function mayPlace({ indexOf, rooms, reserve, target }: Hold, id: ServerId, cost: number, margin: number): boolean {
  const index = indexOf.get(id);
  const room = index === undefined ? undefined : rooms[index];
  if (index === undefined || room === undefined) return true;
  return reserve.admits(index, cost) && room.load + cost * room.factor * (1 + margin) < target;
}

function filtered(candidates: Candidates, admits: (id: ServerId) => boolean): Candidates {
  const tiers = candidates.tiers.map((tier) => tier.filter(admits));
  if (tiers.every(({ length }, index) => length === candidates.tiers[index]?.length)) return candidates;
  return tiers.every(({ length }) => length === 0) ? NONE : { tiers };
}
