/**
 * Sessions of others that end before a class comes. A client that is kept out by the reserve alone is let in if its session is ended before the doors open, and
 * learns the time at once. Such a session costs the class no seat. A session that began without an end never gets one.
 */
import type { ServerId } from '../fleet/endpoint.ts';
import { doorsOf, type Reservation } from './reservation.ts';

export interface AnnouncedEnd {
  readonly server: ServerId;
  /** Key of the project that it runs. */
  readonly project: string | undefined;
  /** The reservation that needs its seat. */
  readonly reservation: string;
  /** Seconds since the epoch. */
  readonly endsAt: number;
}

interface Entry extends AnnouncedEnd {
  /** Seconds since the epoch. */
  readonly at: number;
  began: boolean;
}

/** Seconds before the doors open at which such a session ends. */
const BEFORE_DOORS = 60;
/** Seconds until the doors below which no session is begun for so short a time: clients warn five minutes before the end. */
const MIN_AHEAD = 600;
/** Seconds after which a client that has not come is not expected any more. */
const MAX_DELAY = 60;

/** When a session that begins now would have to end for this class; `undefined`: the doors open too soon. `now` and the answer are seconds since the epoch. */
export function announcedEnd(reservation: Pick<Reservation, 'start' | 'opens'>, now: number): number | undefined {
  const doors = doorsOf(reservation);
  return doors - now >= MIN_AHEAD ? doors - BEFORE_DOORS : undefined;
}

/** Whether the class still needs the seat at that time. It may have been cancelled, released, or moved to a later time. */
export function isEndNeeded(reservation: Reservation | undefined, endsAt: number): boolean {
  return reservation !== undefined && !reservation.released && doorsOf(reservation) <= endsAt + BEFORE_DOORS;
}

export class AnnouncedEnds {
  readonly #entries = new Map<string, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  /** `now` is seconds since the epoch, here and everywhere. */
  announce(bookingId: string, end: AnnouncedEnd, now: number): void {
    this.#forgetOld(now);
    this.#entries.set(bookingId, { ...end, at: now, began: false });
  }

  get(bookingId: string): AnnouncedEnd | undefined {
    return this.#entries.get(bookingId);
  }

  /** The session of the booking began. */
  began(bookingId: string): void {
    const entry = this.#entries.get(bookingId);
    if (entry !== undefined) entry.began = true;
  }

  /** It ended, or never began. */
  left(bookingId: string): void {
    this.#entries.delete(bookingId);
  }

  /** Those that are still to come, of sessions that run or may begin. */
  *ahead(now: number): Generator<AnnouncedEnd> {
    for (const entry of this.#entries.values()) if (entry.endsAt > now && isExpected(entry, now)) yield entry;
  }

  /** Ends that are over are forgotten a while later: the session may be about to end. */
  #forgetOld(now: number): void {
    for (const [bookingId, entry] of this.#entries)
      if (!isExpected(entry, now) || now > entry.endsAt + MAX_DELAY) this.#entries.delete(bookingId);
  }
}

function isExpected({ at, began }: Entry, now: number): boolean {
  return began || now - at < MAX_DELAY;
}
