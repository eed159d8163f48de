/**
 * Reserved seats at the moment of admission: a client with a seat is placed as usual, every other one only where the seats of the classes stay free.
 *
 * Without a reservation within reach it does nothing but ask the ledger, with the same candidates.
 */
import type { BookingOutcome, BookingRequest, Ledger } from '../allocation/ledger.ts';
import type { Candidates } from '../fleet/candidates.ts';
import type { ServerId } from '../fleet/endpoint.ts';
import { announcedEnd, isEndNeeded, type AnnouncedEnd, type AnnouncedEnds } from './announced-ends.ts';
import { isOn, type Reservation, type ReservationStatus } from './reservation.ts';
import { onTogether, type ReservationBook } from './reservation-book.ts';
import { reserveFor, seatsIn, type Newcomer, type Reserve, type ServerRoom } from './reserve.ts';
import { sharesOf, type SeatShare } from './seat-shares.ts';
import { reachOf, stillRuns, type SessionLength } from './session-length.ts';

export interface ReservedSeatsOptions {
  readonly ledger: Pick<Ledger, 'book' | 'fits' | 'rooms' | 'seatCost' | 'published'>;
  readonly book: ReservationBook;
  /** The servers that may ever run the project and are not being emptied. */
  readonly eligible: (reservation: Reservation) => readonly ServerId[];
  readonly keyOf: (projectUrl: string) => string | undefined;
  /** `lengths`: of all sessions. */
  readonly parameters: () => { readonly target: number; readonly lengths: SessionLength };
  /** How long sessions of a project last. Default: as long as all. */
  readonly lengthsOf?: (project: string | undefined) => SessionLength;
  /** Absent: no session is begun with an end. */
  readonly ends?: AnnouncedEnds;
  /** Whether sessions on this server are ended as announced. */
  readonly keepsEnds?: (id: ServerId) => boolean;
}

/** What a request says about seats and ends. */
export interface SeatWish {
  /** The reservation of which it may take a seat. */
  readonly reservation?: string;
  /** Its client rather waits than gets a session that ends early. */
  readonly ends?: 'refuse';
}

type Booked = Extract<BookingOutcome, { kind: 'booked' }>;

export type SeatOutcome =
  | Exclude<BookingOutcome, Booked>
  | (Booked & {
      /** Seconds since the epoch: the session is ended then, because a class needs its seat. */
      readonly endsAt?: number;
    });

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
  take({ ends, ...request }: BookingRequest & SeatWish, candidates: Candidates, moment: Moment): SeatOutcome {
    const { ledger, book } = this.#options;
    const { reservation, ...plain } = request;
    if (reservation === undefined || !book.mayTake(reservation, request.id, moment.wall)) {
      const outcome = ledger.book(plain, this.#lasting(candidates, request.project, moment), moment.now);
      return outcome.kind === 'no-room' && ends === undefined ? this.#takeWithEnd(plain, candidates, moment) : outcome;
    }
    const outcome = ledger.book(request, candidates, moment.now);
    if (outcome.kind !== 'booked') return outcome;
    const { bookingId, server } = outcome;
    const { id: holder, project } = request;
    book.take(reservation, { bookingId, server, holder, ...(project !== undefined && { project }) });
    return outcome;
  }

  /** Would `take` find a server? */
  fits(candidates: Candidates, project: string | undefined, moment: Moment, { reservation, ends }: SeatWish = {}): boolean {
    const { ledger, book } = this.#options;
    if (reservation !== undefined && book.mayTake(reservation, '', moment.wall))
      return ledger.fits(candidates, project, moment.now);
    if (ledger.fits(this.#lasting(candidates, project, moment), project, moment.now)) return true;
    if (ends !== undefined) return false;
    const ending = this.#ending(candidates, project, moment);
    return ending.tiers.length > 0 && ledger.fits(ending, project, moment.now);
  }

  /** The candidates on which a client without a seat may be placed; the same object when these are all. */
  permitted(candidates: Candidates, project: string | undefined, moment: Moment): Candidates {
    const lasting = this.#lasting(candidates, project, moment);
    if (lasting === candidates) return candidates;
    const permitted = new Set([lasting, this.#ending(candidates, project, moment)].flatMap(({ tiers }) => tiers.flat()));
    return filtered(candidates, (id) => permitted.has(id));
  }

  /** The reservation for which the room on these servers is held, if a client without a seat would find room but for it. */
  heldFor(candidates: Candidates, project: string | undefined, moment: Moment, wish?: SeatWish): Reservation | undefined {
    const { ledger, book } = this.#options;
    if (book.size === 0 || !ledger.fits(candidates, project, moment.now) || this.fits(candidates, project, moment, wish))
      return undefined;
    return this.#holds(moment)[0]?.reservation;
  }

  /** Whether the session of this booking has to end now, as was announced. */
  isEndDue(bookingId: string): boolean {
    const { ends, book } = this.#options;
    const end = ends?.get(bookingId);
    return end !== undefined && isEndNeeded(book.get(end.reservation), end.endsAt);
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

  /** On which servers the seats of classes that are near or on are taken, and will probably be. */
  shares(moment: Moment): ReadonlyMap<ServerId, SeatShare> {
    const shares = new Map<ServerId, SeatShare>();
    if (this.#options.book.size === 0) return shares;
    const add = (id: ServerId, held: number, taken: number, points: number) => {
      const { held: heldBefore, taken: takenBefore, points: pointsBefore } = shares.get(id) ?? NO_SEATS;
      shares.set(id, { held: heldBefore + held, taken: takenBefore + taken, points: pointsBefore + points });
    };
    for (const { reservation, reserve, indexOf, rooms } of this.#holds(moment)) {
      const { cost, margin } = this.#costOf(reservation);
      const costs = rooms.map(({ factor }) => cost * (1 + margin) * factor);
      const free = costs.map((each, index) => seatsIn(reserve.rooms[index] ?? 0, each));
      const held = sharesOf(this.status(reservation.id, moment)?.outstanding ?? 0, free);
      for (const [id, index] of indexOf) {
        const count = held[index] ?? 0;
        if (count > 0) add(id, count, 0, count * (costs[index] ?? 0));
      }
      for (const { server } of this.#options.book.seats(reservation.id)) add(server, 0, 1, 0);
    }
    return shares;
  }

  /** The candidates on which a session may go on as long as it likes. */
  #lasting(candidates: Candidates, project: string | undefined, moment: Moment): Candidates {
    if (this.#options.book.size === 0) return candidates;
    const holds = this.#holds(moment);
    if (holds.length === 0) return candidates;
    const tries = this.#tries(holds, project);
    if (tries.every(({ hold, session }) => !hold.isLowered && hold.reserve.isAmple(session))) return candidates;
    return filtered(candidates, (id) => tries.every((one) => mayPlace(one, id)));
  }

  /** The candidates on which a session may run if it has an end. */
  #ending(candidates: Candidates, project: string | undefined, moment: Moment): Candidates {
    const { book, ends, keepsEnds = () => false } = this.#options;
    if (ends === undefined || book.size === 0) return NONE;
    const tries = this.#tries(this.#holds(moment), project);
    return filtered(candidates, (id) => endOn(tries, id, moment.wall) !== undefined && keepsEnds(id));
  }

  #takeWithEnd(request: BookingRequest, candidates: Candidates, moment: Moment): SeatOutcome {
    const { ledger, ends } = this.#options;
    const { project } = request;
    const ending = this.#ending(candidates, project, moment);
    if (ending.tiers.length === 0) return { kind: 'no-room' };
    // Before it is booked, because a booking changes what is held.
    const tries = this.#tries(this.#holds(moment), project);
    const outcome = ledger.book(request, ending, moment.now);
    if (outcome.kind !== 'booked') return outcome;
    const { server, bookingId } = outcome;
    const end = endOn(tries, server, moment.wall);
    if (end === undefined) return outcome;
    ends?.announce(bookingId, { ...end, server, project }, moment.wall);
    return { ...outcome, endsAt: end.endsAt };
  }

  /** A session of a client without a seat against everything that is held. */
  #tries(holds: readonly Hold[], project: string | undefined): readonly Try[] {
    const { ledger, parameters, lengthsOf } = this.#options;
    const { cost, margin } = ledger.seatCost(project);
    const lengths = lengthsOf?.(project) ?? parameters().lengths;
    return holds.map((hold) => ({ hold, margin, session: { cost, survival: stillRuns(lengths, hold.reserve.ahead) } }));
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

  /** The load of sessions of which it is known when they leave, by server, and how much of it will be there at the time. */
  #members(
    indexOf: ReadonlyMap<ServerId, number>,
    rooms: readonly ServerRoom[],
    wall: number,
    at: number,
  ): readonly (Members | undefined)[] {
    const { book, ledger, ends } = this.#options;
    const members: Members[] = [];
    const add = (server: ServerId, project: string | undefined, here: number, there: number) => {
      const index = indexOf.get(server);
      if (index === undefined) return;
      const points = ledger.seatCost(project).cost * (rooms[index]?.factor ?? 1);
      const { points: before, staying } = members[index] ?? NOBODY;
      const sum = before + points * here;
      members[index] = { points: sum, staying: (staying * before + points * there) / sum };
    };
    for (const { id, end } of book.all()) {
      const [here, there] = [shareThere(end, wall), shareThere(end, at)];
      if (here > 0) for (const { server, project } of book.seats(id)) add(server, project, here, there);
    }
    for (const { server, project, reservation, endsAt } of ends?.ahead(wall) ?? [])
      if (isEndNeeded(book.get(reservation), endsAt)) add(server, project, 1, endsAt <= at ? 0 : 1);
    return members;
  }

  /** The server of a seat does not answer any more. */
  #isLost(): (server: ServerId) => boolean {
    const { ledger } = this.#options;
    return (server) => ledger.rooms([server]).length === 0;
  }
}

interface Try {
  readonly hold: Hold;
  readonly session: Newcomer;
  /** The share by which the session may cost more than expected. */
  readonly margin: number;
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

const NO_SEATS: SeatShare = { held: 0, taken: 0, points: 0 };
const NOBODY: Members = { points: 0, staying: 0 };
const NONE: Candidates = { tiers: [] };

/** A report or a booking changes few seats: what is far from its limit need not be counted again within a second. */
function isFresh(holds: readonly Hold[], changes: number): boolean {
  return changes === 0 || holds.every(({ reserve }) => reserve.spare > SEATS_OF_A_CHANGE * (changes + 1));
}

function mayPlace({ hold, session, margin }: Try, id: ServerId): boolean {
  const { indexOf, rooms, reserve, target } = hold;
  const index = indexOf.get(id);
  const room = index === undefined ? undefined : rooms[index];
  if (index === undefined || room === undefined) return true;
  return reserve.admits(index, session) && room.load + session.cost * room.factor * (1 + margin) < target;
}

/** The earliest end that a session on this server needs; `undefined`: it needs none, or no end helps. */
function endOn(tries: readonly Try[], id: ServerId, wall: number): Pick<AnnouncedEnd, 'reservation' | 'endsAt'> | undefined {
  let first: Pick<AnnouncedEnd, 'reservation' | 'endsAt'> | undefined;
  for (const one of tries) {
    if (mayPlace(one, id)) continue;
    const { hold } = one;
    const endsAt = announcedEnd(hold.reservation, wall);
    if (endsAt === undefined) return undefined;
    if (first === undefined || endsAt < first.endsAt) first = { reservation: hold.reservation.id, endsAt };
  }
  return first;
}

function filtered(candidates: Candidates, admits: (id: ServerId) => boolean): Candidates {
  const tiers = candidates.tiers.map((tier) => tier.filter(admits));
  if (tiers.every(({ length }, index) => length === candidates.tiers[index]?.length)) return candidates;
  return tiers.every(({ length }) => length === 0) ? NONE : { tiers };
}
