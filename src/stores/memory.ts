/** Bookings in the memory of this process: a ledger of its own, which nothing can come between. */
import type { ServerId } from '../core/endpoint.ts';
import type { Ledger } from '../core/ledger.ts';
import type { Bookings, Clock } from '../ports.ts';

/** `changed`: the booked load of this server is another, at once and not only by its next report. */
export function createMemoryBookings(ledger: Ledger, clock: Pick<Clock, 'now'>, changed?: (server: ServerId) => void): Bookings {
  return {
    book(request, candidates) {
      const outcome = ledger.book(request, candidates, clock.now());
      if (outcome.kind === 'booked') changed?.(outcome.server);
      return Promise.resolve(outcome);
    },
    fits: (candidates, project) => ledger.fits(candidates, project, clock.now()),
    isUnconfirmed: (address) => ledger.isUnconfirmed(address, clock.now()),
    connected(bookingId) {
      const server = ledger.connected(bookingId, clock.now());
      if (server !== undefined) changed?.(server);
      return Promise.resolve();
    },
    release(bookingId) {
      const server = ledger.release(bookingId, clock.now());
      if (server !== undefined) changed?.(server);
      return Promise.resolve();
    },
  };
}
