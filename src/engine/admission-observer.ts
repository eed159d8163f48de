/** Is notified of everything that admission changes, at once. With replicas, this is the journal. */
import type { BookingRequest } from '../core/allocation/ledger.ts';
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { LineObserver } from '../core/queue/waiting-line.ts';
import type { Bookings } from './bookings.ts';
import type { OutcomeObserver } from './undelivered-outcomes.ts';

export interface AdmissionObserver {
  readonly line: LineObserver;
  readonly outcomes: OutcomeObserver;
  readonly bookings: {
    readonly booked: (bookingId: string, server: ServerId, request: BookingRequest) => void;
    readonly connected: (bookingId: string) => void;
    readonly released: (bookingId: string) => void;
  };
}

/** Reports every change before its caller goes on, so that what follows from it is known together with it. */
export function observedBookings(bookings: Bookings, { booked, connected, released }: AdmissionObserver['bookings']): Bookings {
  return {
    fits: (...query) => bookings.fits(...query),
    isUnconfirmed: (address) => bookings.isUnconfirmed(address),
    async book(request, candidates) {
      const outcome = await bookings.book(request, candidates);
      if (outcome.kind === 'booked') booked(outcome.bookingId, outcome.server, request);
      return outcome;
    },
    async connected(bookingId) {
      connected(bookingId);
      await bookings.connected(bookingId);
    },
    async release(bookingId) {
      released(bookingId);
      await bookings.release(bookingId);
    },
  };
}
