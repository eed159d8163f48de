/** What operators are notified of about classes. */
import type { Reservation, ReservationStatus } from './reservation.ts';

/** A reservation as a notice sees it. */
export interface ClassFacts {
  readonly reservation: Pick<Reservation, 'id' | 'series' | 'start' | 'end' | 'seats'>;
  readonly status: Pick<ReservationStatus, 'came' | 'outstanding'>;
  /** Seats that will be free when they are needed; `undefined`: too early to say, or nothing is held. */
  readonly predicted: number | undefined;
}

/** Seconds before the start from which a class that will have too few seats is reported. */
const AHEAD = 7200;
/** Seconds after the end within which a class that did not come is reported. */
const JUST_OVER = 300;

/** Fewer seats will be free than are held, and the class is near. `now` is seconds since the epoch. */
export function isShort({ reservation: { start, end }, status, predicted }: ClassFacts, now: number): boolean {
  return now >= start - AHEAD && now < end && predicted !== undefined && predicted < status.outstanding;
}

/** It has just ended, no student came, and none came to the lesson of the same series before it. */
export function isUnused(one: ClassFacts, all: readonly ClassFacts[], now: number): boolean {
  const { id, series, start, end } = one.reservation;
  if (series === undefined || now < end || now >= end + JUST_OVER || one.status.came > 0) return false;
  const before = all
    .filter(({ reservation }) => reservation.series === series && reservation.id !== id && reservation.start < start)
    .sort((a, b) => b.reservation.start - a.reservation.start)[0];
  return before?.status.came === 0;
}
