/**
 * Reasons that clients receive about classes. Other clients learn that there is one, and neither its name nor its code. No reason contains a code: the monitor
 * lists the reasons of decisions, and a code opens seats.
 */
import { isoTime } from '../core/text/iso-time.ts';
import { doorsOf, type Reservation } from '../core/reservations/reservation.ts';

export const UNKNOWN_CODE = 'There is no class with this code; check the address that you were given.';

/** `wait`: seconds. */
export function tooManyCodes(wait: number): string {
  return `Too many wrong codes came from your network address; wait ${Math.ceil(wait)} seconds. The right code is accepted at any time.`;
}

/** For a client that showed the code. */
export function classNotOpen(reservation: Reservation, wallTime: number): string {
  const { start, end } = reservation;
  if (wallTime >= end) return 'The class with this code has ended; ask without the code.';
  return `The class with this code begins at ${clock(start)}; its seats can be taken from ${clock(doorsOf(reservation))}.`;
}

/** For a client that shows the code and waits in the line of everyone. */
export const NO_SEAT_LEFT = 'All seats of this class are taken or were given back, so you wait like everyone else.';

/** For a client without a seat. */
export function heldForClass({ start }: Reservation, wallTime: number): string {
  const when = wallTime < start ? `begins at ${clock(start)}` : 'has just begun';
  return `There is room, but it is held for a class that ${when}; places become free as it begins.`;
}

/** Of a session that was begun with an end. `endsAt` is seconds since the epoch. */
export function endsForClass(endsAt: number): string {
  return `It ends at ${clock(endsAt)}, because a class needs its seat.`;
}

/** `2026-09-15 08:00 UTC`: the time zone of the reader is not known here. */
function clock(seconds: number): string {
  return `${isoTime(seconds).slice(0, 16).replace('T', ' ')} UTC`;
}
