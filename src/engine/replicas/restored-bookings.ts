/** Takes over the bookings that another replica made since it saved the learned costs last, and the ends of older ones. */
import type { Ledger } from '../../core/allocation/ledger.ts';
import type { Clock } from '../../ports.ts';
import type { Restored } from '../../state/document.ts';
import { readBookings } from '../../state/shared-bookings.ts';

export function restoreBookings(
  value: unknown,
  { ledger, clock }: { readonly ledger: Ledger; readonly clock: Pick<Clock, 'now' | 'wallTime'> },
): Restored {
  const read = readBookings(value);
  if (read.kind === 'foreign') return read;
  const now = clock.now();
  for (const { id, made, connected, released } of read.bookings) {
    if (made !== undefined) {
      const { at, ...booking } = made;
      ledger.adopt({ id, ...booking }, now - Math.max(0, clock.wallTime() - at), now);
    }
    if (connected === true) ledger.connected(id, now);
    if (released === true) ledger.release(id, now);
  }
  return { kind: 'restored' };
}
