/** Bookings in the memory of this process: a ledger of its own, which nothing can come between. */
import type { Ledger } from '../core/ledger.ts';
import type { Bookings, Clock } from '../ports.ts';

export function createMemoryBookings(ledger: Ledger, clock: Pick<Clock, 'now'>): Bookings {
  return {
    book: (request, candidates) => Promise.resolve(ledger.book(request, candidates, clock.now())),
    fits: (candidates, project) => ledger.fits(candidates, project, clock.now()),
    release(bookingId) {
      ledger.release(bookingId, clock.now());
      return Promise.resolve();
    },
  };
}
