/**
 * A reservation: a class has seats at a certain time. A seat is a session of the project, on any server that may run it, never on a named machine.
 *
 * It is a promise that the seats can be taken when people come, not a block of idle machines. What it is worth at a moment, its state, is derived here
 * and stored nowhere. All times of reservations are seconds since the epoch, because they outlive restarts of the clock of the engine.
 */

export interface Reservation {
  readonly id: string;
  /** For people with the code, its owner and operators: what is taught when is not public. */
  readonly title: string;
  /** As `normalizedCode` writes it. No secret: it is read aloud. */
  readonly code: string;
  /** Which requests belong to it: those that show the code, those that ask for the project while it is on, or both. */
  readonly match: ReservationMatch;
  /** Normalised URL of a repository, a folder or a world. Absent: any project. */
  readonly project?: string;
  readonly seats: number;
  readonly start: number;
  readonly end: number;
  /** Seconds before the start from which seats can be taken. */
  readonly opens: number;
  /** Seconds after the start for which all seats are held. In as many seconds after that, free ones go back to other clients. */
  readonly grace: number;
  /** Name of the token that made it. */
  readonly owner: string;
  /** Moves on with every change. */
  readonly revision: number;
  /** Identity that the lessons of a series have in common. They share a code. */
  readonly series?: string;
  /** Identity of the event in the calendar from which it was imported. */
  readonly imported?: string;
  /** The rest of the seats was given back. */
  readonly released: boolean;
}

export type ReservationMatch = 'code' | 'project' | 'either';

export const RESERVATION_STATES = ['planned', 'gathering', 'open', 'running', 'easing', 'released', 'over'] as const;

/**
 * planned: it affects no client yet; gathering: others are let in only as long as the seats will be free; open: seats can be taken; running: it has begun;
 * easing: free seats go back; released: none is held any more; over.
 */
export type ReservationState = (typeof RESERVATION_STATES)[number];

/** Attendance so far. */
export interface Attendance {
  /** Seats that are taken now. */
  readonly taken: number;
  /** Seats that were ever taken, by different people as far as they can be recognized. */
  readonly came: number;
}

export interface ReservationStatus extends Attendance {
  readonly state: ReservationState;
  /** Seats that are held for people who have not come yet. */
  readonly outstanding: number;
}

/** `reach`: seconds before the doors open from which sessions of others would last until then. */
export function statusOf(reservation: Reservation, attendance: Attendance, now: number, reach: number): ReservationStatus {
  const outstanding = outstandingSeats(reservation, attendance, now);
  return { ...attendance, outstanding, state: stateOf(reservation, attendance, outstanding, now, reach) };
}

/** When seats can be taken for the first time. */
export function doorsOf({ start, opens }: Pick<Reservation, 'start' | 'opens'>): number {
  return start - opens;
}

/** Whether seats can be taken. */
export function isOn(reservation: Pick<Reservation, 'start' | 'opens' | 'end'>, now: number): boolean {
  return now >= doorsOf(reservation) && now < reservation.end;
}

/** Seats that are held: all free ones, until `grace` after the start. Then none if no member came at all, else fewer and fewer. */
function outstandingSeats({ seats, start, end, grace, released }: Reservation, { taken, came }: Attendance, now: number): number {
  if (released || now >= end) return 0;
  const left = Math.max(0, seats - taken);
  const late = now - start - grace;
  if (late <= 0) return left;
  return came === 0 || late >= grace ? 0 : Math.floor(left * (1 - late / grace));
}

function stateOf(
  reservation: Reservation,
  { taken }: Attendance,
  outstanding: number,
  now: number,
  reach: number,
): ReservationState {
  const { seats, start, end, grace, released } = reservation;
  if (now >= end) return 'over';
  if (released) return 'released';
  const doors = doorsOf(reservation);
  if (now < doors) return now < doors - reach ? 'planned' : 'gathering';
  if (now < start) return 'open';
  if (now <= start + grace || taken >= seats) return 'running';
  return outstanding > 0 ? 'easing' : 'released';
}
