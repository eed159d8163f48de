/** Bookings in the memory of this process: a ledger of its own, so that choosing and booking is one step. */
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { Ledger } from '../core/allocation/ledger.ts';
import type { Bookings, Clock } from '../ports.ts';

/** `changed` is called when the booked load of a server changed, before its next report shows it. */
export function createMemoryBookings(ledger: Ledger, clock: Pick<Clock, 'now'>, changed?: (server: ServerId) => void): Bookings {
  return {
    book(request, candidates) {
      const outcome = ledger.book(request, candidates, clock.now());
      if (outcome.kind === 'booked') changed?.(outcome.server);
      return Promise.resolve(outcome);
    },
    fits: (candidates, project) => ledger.fits(candidates, project, clock.now()),
    release(bookingId) {
      const server = ledger.release(bookingId, clock.now());
      if (server !== undefined) changed?.(server);
      return Promise.resolve();
    },
  };
}
