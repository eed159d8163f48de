/**
 * The calls of admission to the ledger, in one place. They return promises although the ledger of this process answers at once, so that admission does not
 * depend on it: between the choice of a server and the answer a client may leave.
 */
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { Candidates } from '../core/fleet/candidates.ts';
import type { BookingRequest, Ledger } from '../core/allocation/ledger.ts';
import type { ReservedSeats, SeatOutcome, SeatWish } from '../core/reservations/reserved-seats.ts';
import type { Clock } from '../ports.ts';

export interface Bookings {
  /** Chooses a server and books the session on it in one step, so that two requests never get the same last place. */
  book(request: BookingRequest & SeatWish, candidates: Candidates): Promise<SeatOutcome>;
  /** Would `book` find a place now? `project` is the key of a project. */
  fits(candidates: Candidates, project?: string, wish?: SeatWish): boolean;
  /** Whether `book` would answer `unconfirmed` to a client from this address. */
  isUnconfirmed(address: string | undefined): boolean;
  /** The client of the booking opened its session. */
  connected(bookingId: string): Promise<void>;
  /** The session ended, or the client never got its place: its predicted load is free at once. */
  release(bookingId: string): Promise<void>;
}

/** What reserved seats add to bookings. */
export interface SeatBookings {
  readonly seats: ReservedSeats;
  /** The session of the booking began. */
  readonly began: (bookingId: string) => void;
  /** It ended, or never began. */
  readonly left: (bookingId: string) => void;
  readonly wallTime: () => number;
}

/** `changed` is called with the server whose booked load changed. */
export function ledgerBookings(
  ledger: Ledger,
  clock: Pick<Clock, 'now'>,
  changed: (server: ServerId) => void = () => undefined,
  classes?: SeatBookings,
): Bookings {
  const moment = () => ({ now: clock.now(), wall: classes?.wallTime() ?? 0 });
  return {
    book(request, candidates) {
      const outcome = classes?.seats.take(request, candidates, moment()) ?? ledger.book(request, candidates, clock.now());
      if (outcome.kind === 'booked') changed(outcome.server);
      return Promise.resolve(outcome);
    },
    fits: (candidates, project, wish) =>
      classes?.seats.fits(candidates, project, moment(), wish) ?? ledger.fits(candidates, project, clock.now()),
    isUnconfirmed: (address) => ledger.isUnconfirmed(address, clock.now()),
    connected(bookingId) {
      classes?.began(bookingId);
      const server = ledger.connected(bookingId, clock.now());
      if (server !== undefined) changed(server);
      return Promise.resolve();
    },
    release(bookingId) {
      classes?.left(bookingId);
      const server = ledger.release(bookingId, clock.now());
      if (server !== undefined) changed(server);
      return Promise.resolve();
    },
  };
}
