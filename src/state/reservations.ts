/** Reservations and their taken seats as they are saved over a restart. */
import { z } from 'zod';
import { MAX_CODE, MIN_CODE } from '../core/reservations/code.ts';
import type { CostTally, SavedCosts } from '../core/reservations/counted-costs.ts';
import { MAX_PROJECTS, type LengthTally, type SavedLengths } from '../core/reservations/observed-lengths.ts';
import type { Reservation } from '../core/reservations/reservation.ts';
import type { KeptReservation, Seat } from '../core/reservations/reservation-book.ts';
import { foreign, soundItem, soundItems, type Foreign } from './document.ts';

export interface SavedReservations {
  readonly format: 'reservations';
  readonly version: 1;
  readonly reservations: readonly KeptReservation[];
  /** How long sessions were seen to last, and what they were seen to cost. */
  readonly lengths: SavedLengths;
  readonly costs: SavedCosts;
}

export interface ReadReservations {
  readonly kind: 'reservations';
  readonly lengths: SavedLengths;
  readonly costs: SavedCosts;
  readonly reservations: readonly KeptReservation[];
  /** Entries that made no sense and were left out. */
  readonly damaged: number;
}

/** Reservations that are kept at most. */
export const MAX_RESERVATIONS = 1000;
export const MAX_SEATS = 10_000;
const MAX_SERVERS = 10_000;

export function saveReservations(
  reservations: readonly KeptReservation[],
  lengths: SavedLengths,
  costs: SavedCosts,
): SavedReservations {
  return { format: 'reservations', version: 1, reservations, lengths, costs };
}

/** Never throws. */
export function readReservations(value: unknown): ReadReservations | Foreign {
  const read = saved.safeParse(value);
  if (!read.success) return foreign(read.error);
  const entries = read.data.reservations;
  const reservations = entries.slice(0, MAX_RESERVATIONS).flatMap((entry) => soundItem(kept, entry));
  const { lengths, costs } = read.data;
  return { kind: 'reservations', reservations, lengths, costs, damaged: entries.length - reservations.length };
}

const sum = z.number().min(0).max(1e12);
/** What versions before 0.2.0 did not save is nothing yet. */
const tally: z.ZodType<LengthTally> = z.object({
  ended: sum,
  seconds: sum,
  known: sum.default(0),
  logs: sum.default(0),
  squares: sum.default(0),
});
const NO_LENGTHS: SavedLengths = { ended: 0, seconds: 0, known: 0, logs: 0, squares: 0, projects: [] };
const lengths: z.ZodType<SavedLengths> = z
  .object({ projects: soundItems(z.tuple([z.string().min(1).max(1000), tally]), MAX_PROJECTS).default([]) })
  .and(tally);

const costTally: z.ZodType<CostTally> = z.object({ points: sum, learned: sum, seconds: sum });
const NO_COSTS: SavedCosts = { fleet: { points: 0, learned: 0, seconds: 0 }, servers: [] };
const costs: z.ZodType<SavedCosts> = z.object({
  fleet: costTally,
  servers: soundItems(z.tuple([z.string().min(1).max(300), costTally]), MAX_SERVERS),
});

const saved = z.object({
  format: z.literal('reservations'),
  version: z.literal(1),
  reservations: z.array(z.unknown()),
  lengths: lengths.catch(NO_LENGTHS),
  costs: costs.catch(NO_COSTS),
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
