/** Reservations and their taken seats as they are saved over a restart. */
import { z } from 'zod';
import { MAX_CODE, MIN_CODE } from '../core/reservations/code.ts';
import type { SavedLengths } from '../core/reservations/observed-lengths.ts';
import type { Reservation } from '../core/reservations/reservation.ts';
import type { KeptReservation, Seat } from '../core/reservations/reservation-book.ts';
import { foreign, soundItem, soundItems, type Foreign } from './document.ts';

export interface SavedReservations {
  readonly format: 'reservations';
  readonly version: 1;
  readonly reservations: readonly KeptReservation[];
  /** How long sessions were seen to last. */
  readonly lengths: SavedLengths;
}

export interface ReadReservations {
  readonly kind: 'reservations';
  readonly lengths: SavedLengths;
  readonly reservations: readonly KeptReservation[];
  /** Entries that made no sense and were left out. */
  readonly damaged: number;
}

/** Reservations that are kept at most. */
export const MAX_RESERVATIONS = 1000;
export const MAX_SEATS = 10_000;

export function saveReservations(reservations: readonly KeptReservation[], lengths: SavedLengths): SavedReservations {
  return { format: 'reservations', version: 1, reservations, lengths };
}

/** Never throws. */
export function readReservations(value: unknown): ReadReservations | Foreign {
  const read = saved.safeParse(value);
  if (!read.success) return foreign(read.error);
  const entries = read.data.reservations;
  const reservations = entries.slice(0, MAX_RESERVATIONS).flatMap((entry) => soundItem(kept, entry));
  return { kind: 'reservations', reservations, lengths: read.data.lengths, damaged: entries.length - reservations.length };
}

const saved = z.object({
  format: z.literal('reservations'),
  version: z.literal(1),
  reservations: z.array(z.unknown()),
  lengths: z.object({ ended: z.number().min(0).max(1e6), seconds: z.number().min(0).max(1e10) }).catch({ ended: 0, seconds: 0 }),
});

const name = z.string().min(1).max(200);
const time = z.number().min(0).max(1e11);
const count = z.int().min(0).max(MAX_SEATS);

const seat: z.ZodType<Seat> = z.object({
  bookingId: name,
  server: name,
  holder: z.string().max(500),
  project: z.string().min(1).max(1000).exactOptional(),
});

const reservation: z.ZodType<Reservation> = z.object({
  id: name,
  title: z.string().max(200),
  code: z.string().min(MIN_CODE).max(MAX_CODE),
  match: z.enum(['code', 'project', 'either']),
  project: z.string().min(1).max(1000).exactOptional(),
  seats: count,
  start: time,
  end: time,
  opens: time,
  grace: time,
  owner: name,
  revision: z.int().min(0),
  series: name.exactOptional(),
  imported: z.string().min(1).max(500).exactOptional(),
  released: z.boolean(),
});

const kept = z.object({ reservation, seats: soundItems(seat, MAX_SEATS), came: count });
