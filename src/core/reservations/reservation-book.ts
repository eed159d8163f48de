/** All reservations, and the seats that are taken. What it returns is derived from these and the time; nothing happens by itself. */
import type { ServerId } from '../fleet/endpoint.ts';
import { doorsOf, isOn, statusOf, type Reservation, type ReservationStatus } from './reservation.ts';

/** A seat that a client took. */
export interface Seat {
  readonly bookingId: string;
  readonly server: ServerId;
  /** How its holder is recognized; empty: not at all. */
  readonly holder: string;
  /** Key of the project that it runs. */
  readonly project?: string;
}

/** What a request says about a class. */
export interface ClassRequest {
  /** Normalised. */
  readonly code?: string;
  /** Key of the project. */
  readonly project?: string;
  /** How its client is recognized; empty: not at all. */
  readonly holder: string;
}

export type ClassOfRequest =
  /** Of no class. */
  | { readonly kind: 'public' }
  | { readonly kind: 'class'; readonly reservation: Reservation }
  /** All seats are taken or released: a place like that of any client. */
  | { readonly kind: 'seats-taken'; readonly reservation: Reservation }
  | { readonly kind: 'unknown-code' }
  /** The code is right, but its seats cannot be taken now. */
  | { readonly kind: 'not-now'; readonly reservation: Reservation };

/** A reservation with the seats that were taken, as it is saved. */
export interface KeptReservation {
  readonly reservation: Reservation;
  readonly seats: readonly Seat[];
  /** Seats that were ever taken. */
  readonly came: number;
}

interface Entry {
  reservation: Reservation;
  /** By booking. */
  readonly seats: Map<string, Seat>;
  came: number;
}

/** Seconds after its end for which a reservation is remembered. */
const REMEMBERED = 7 * 86_400;

export class ReservationBook {
  readonly #entries = new Map<string, Entry>();
  /** The reservation of each booking that has a seat. */
  readonly #ofBooking = new Map<string, Entry>();
  /** Key of a reservation's project: reservations keep its URL. */
  readonly #keyOf: (projectUrl: string) => string | undefined;
  #version = 0;

  constructor(keyOf: (projectUrl: string) => string | undefined) {
    this.#keyOf = keyOf;
  }

  /** Moves on with every change: while it stands still there is nothing new to save. */
  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(id: string): Reservation | undefined {
    return this.#entries.get(id)?.reservation;
  }

  /** The earliest start first. */
  all(): readonly Reservation[] {
    return [...this.#entries.values()].map(({ reservation }) => reservation).sort((a, b) => a.start - b.start);
  }

  /** A new one, or a changed one; seats that were taken stay taken. */
  put(reservation: Reservation): void {
    const known = this.#entries.get(reservation.id);
    if (known !== undefined) known.reservation = reservation;
    else this.#entries.set(reservation.id, { reservation, seats: new Map(), came: 0 });
    this.#version += 1;
  }

  /** Sessions that have its seats go on, as those of other clients. */
  remove(id: string): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    for (const bookingId of entry.seats.keys()) this.#ofBooking.delete(bookingId);
    this.#entries.delete(id);
    this.#version += 1;
    return true;
  }

  /** A reservation that is not over and has the code. */
  withCode(code: string, now: number): Reservation | undefined {
    return this.#of(({ code: other, end }) => other === code && now < end);
  }

  /** The one with the code that its people mean: one that is not over, else one that is. */
  latestWithCode(code: string, now: number): Reservation | undefined {
    return this.#byCode(code, now)?.reservation;
  }

  /** `waiting`: people of a reservation who wait for a seat, apart from this one. */
  classOf({ code, project, holder }: ClassRequest, now: number, waiting: (id: string) => number): ClassOfRequest {
    const entry = code === undefined ? this.#byProject(project, now) : this.#byCode(code, now);
    if (entry === undefined) return { kind: code === undefined ? 'public' : 'unknown-code' };
    const { reservation } = entry;
    if (!isOn(reservation, now)) return { kind: 'not-now', reservation };
    const { id } = reservation;
    const isFree = freeSeats(entry) > waiting(id);
    return { kind: isFree || seatOf(entry, holder) !== undefined ? 'class' : 'seats-taken', reservation };
  }

  /** Whether a seat of it may be taken now by this client: it is on, and a seat is free or already this client's. */
  mayTake(id: string, holder: string, now: number): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined || !isOn(entry.reservation, now)) return false;
    return freeSeats(entry) > 0 || seatOf(entry, holder) !== undefined;
  }

  /** A client got a seat. A client that had one already has the same seat on another server. */
  take(id: string, seat: Seat): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const before = seatOf(entry, seat.holder);
    if (before !== undefined) this.#drop(entry, before.bookingId);
    else entry.came += 1;
    entry.seats.set(seat.bookingId, seat);
    this.#ofBooking.set(seat.bookingId, entry);
    this.#version += 1;
  }

  /** The session of the booking ended: its seat is free again. */
  leave(bookingId: string): void {
    const entry = this.#ofBooking.get(bookingId);
    if (entry === undefined) return;
    this.#drop(entry, bookingId);
    this.#version += 1;
  }

  /** Frees the seats of clients that never came, so that others of the class find them. */
  sweep(neverCame: (bookingId: string) => boolean): void {
    for (const bookingId of [...this.#ofBooking.keys()].filter(neverCame)) this.leave(bookingId);
  }

  /** Seats that are taken. */
  seats(id: string): Iterable<Seat> {
    return this.#entries.get(id)?.seats.values() ?? [];
  }

  /** `isLost`: the server of a seat failed, so that its holder will need another one. */
  status(id: string, now: number, reach: number, isLost: (server: ServerId) => boolean): ReservationStatus | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    let taken = 0;
    for (const { server } of entry.seats.values()) if (!isLost(server)) taken += 1;
    return statusOf(entry.reservation, { taken, came: entry.came }, now, reach);
  }

  /** Forgets what was over long ago. */
  expire(now: number): void {
    for (const [id, { reservation, seats }] of this.#entries) {
      if (now >= reservation.end + REMEMBERED) this.remove(id);
      else if (now >= reservation.end && seats.size > 0) this.#empty(id);
    }
  }

  kept(): readonly KeptReservation[] {
    return [...this.#entries.values()].map(({ reservation, seats, came }) => ({ reservation, seats: [...seats.values()], came }));
  }

  restore(kept: readonly KeptReservation[]): void {
    for (const { reservation, seats, came } of kept) {
      this.put(reservation);
      for (const seat of seats) this.take(reservation.id, seat);
      const entry = this.#entries.get(reservation.id);
      if (entry !== undefined) entry.came = Math.max(came, entry.seats.size);
    }
  }

  /** No seat is taken after the end, but how many came is remembered. */
  #empty(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    for (const bookingId of entry.seats.keys()) this.#ofBooking.delete(bookingId);
    entry.seats.clear();
    this.#version += 1;
  }

  #drop(entry: Entry, bookingId: string): void {
    entry.seats.delete(bookingId);
    this.#ofBooking.delete(bookingId);
  }

  #of(wanted: (reservation: Reservation) => boolean): Reservation | undefined {
    for (const { reservation } of this.#entries.values()) if (wanted(reservation)) return reservation;
    return undefined;
  }

  /** Of the lessons with the code the next one that is not over, else the last one that is. */
  #byCode(code: string, now: number): Entry | undefined {
    let found: Entry | undefined;
    for (const entry of this.#entries.values()) {
      const { reservation } = entry;
      if (reservation.code !== code || reservation.match === 'project') continue;
      if (found === undefined || isMeant(reservation.end, found.reservation.end, now)) found = entry;
    }
    return found;
  }

  #byProject(project: string | undefined, now: number): Entry | undefined {
    if (project === undefined) return undefined;
    for (const entry of this.#entries.values()) {
      const { match, project: reserved } = entry.reservation;
      if (match === 'code' || reserved === undefined || !isOn(entry.reservation, now)) continue;
      const key = this.#keyOf(reserved);
      if (key !== undefined && (project === key || project.startsWith(`${key}/`))) return entry;
    }
    return undefined;
  }
}

/** Whether people mean the lesson with this end rather than the other one. */
function isMeant(end: number, other: number, now: number): boolean {
  if (now < end && now < other) return end < other;
  return end > other;
}

/** Released seats may have been reserved again. */
function freeSeats({ reservation, seats }: Entry): number {
  return reservation.released ? 0 : reservation.seats - seats.size;
}

function seatOf({ seats }: Entry, holder: string): Seat | undefined {
  if (holder === '') return undefined;
  for (const seat of seats.values()) if (seat.holder === holder) return seat;
  return undefined;
}

/** Those that are on at the same time as this one begins, itself included. */
export function onTogether(reservation: Reservation, all: readonly Reservation[], now: number): readonly Reservation[] {
  const at = Math.max(now, reservation.start);
  return all.filter((other) => other === reservation || (doorsOf(other) <= at && at < other.end));
}
