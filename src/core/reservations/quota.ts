/** How much one teacher may reserve. */
import { doorsOf, type Reservation } from './reservation.ts';

export interface Quota {
  /** Seats at the same time. */
  readonly seats: number;
  /** Seats times hours, by the week in which reservations begin. The usual minutes before the start are free, further ones count. */
  readonly seatHoursPerWeek: number;
  readonly daysAhead: number;
}

export const DEFAULT_QUOTA: Quota = { seats: 40, seatHoursPerWeek: 120, daysAhead: 180 };

/** Why a quota does not allow a reservation. */
export interface OverQuota {
  readonly kind: 'quota';
  readonly what: 'seats' | 'seat-hours' | 'days-ahead';
  /** In its unit. */
  readonly max: number;
  /** What there would be with the reservation. */
  readonly wanted: number;
}

type Use = Pick<Reservation, 'seats' | 'start' | 'end' | 'opens'>;

/** Seconds before the start for which doors are usually open. */
const USUAL_OPENS = 600;
const HOUR = 3600;
const DAY = 86_400;
const WEEK = 7 * DAY;
/** 1 January 1970 was a Thursday; weeks begin on Monday, UTC. */
const FIRST_MONDAY = 4 * DAY;

/** `own`: the other reservations of the same teacher. Times are seconds since the epoch. */
export function overQuota(wish: Use, own: readonly Use[], quota: Quota, now: number): OverQuota | undefined {
  const days = Math.ceil((wish.start - now) / DAY);
  if (days > quota.daysAhead) return { kind: 'quota', what: 'days-ahead', max: quota.daysAhead, wanted: days };
  const seats = seatsTogether(wish, own);
  if (seats > quota.seats) return { kind: 'quota', what: 'seats', max: quota.seats, wanted: seats };
  const hours = [wish, ...own.filter(({ start }) => weekOf(start) === weekOf(wish.start))].reduce(
    (sum, use) => sum + hoursOf(use),
    0,
  );
  if (hours <= quota.seatHoursPerWeek) return undefined;
  return { kind: 'quota', what: 'seat-hours', max: quota.seatHoursPerWeek, wanted: Math.ceil(hours) };
}

/** The maximum of seats at one moment of the reservation. It is reached where one of them begins. */
function seatsTogether(wish: Use, own: readonly Use[]): number {
  const moments = [wish, ...own].map(doorsOf).filter((at) => at >= doorsOf(wish) && at < wish.end);
  const at = (moment: number) =>
    own.filter((use) => doorsOf(use) <= moment && moment < use.end).reduce((sum, { seats }) => sum + seats, wish.seats);
  return Math.max(...moments.map(at));
}

/** Seats are held from the doors on, so a short lesson with early doors costs others as much as a long one. */
function hoursOf({ seats, start, end, opens }: Use): number {
  return (seats * (end - start + Math.max(0, opens - USUAL_OPENS))) / HOUR;
}

function weekOf(seconds: number): number {
  return Math.floor((seconds - FIRST_MONDAY) / WEEK);
}
