/**
 * May a reservation be made? At every moment at which one begins, all that are on then must fit on the servers that may run them. A refusal states the
 * numbers, and other times that would do.
 */
import type { ServerId } from '../fleet/endpoint.ts';
import { doorsOf, type Reservation } from './reservation.ts';
import { largestFlow, type Supply } from './seat-flow.ts';

/** The part of a reservation that takes up room. */
export type Slot = Pick<Reservation, 'id' | 'title' | 'seats' | 'start' | 'end' | 'opens' | 'project'>;

/** What the fleet can take, as far as it is known today. */
export interface Fleet {
  /** The servers that may ever run the project of the slot. */
  readonly eligible: (slot: Slot) => readonly ServerId[];
  /** Load points on a server of average power, between its load without sessions and the target. */
  readonly pointsOf: (server: ServerId) => number;
  /** Load points of one seat there, if it turns out dear. */
  readonly costOf: (slot: Slot) => number;
}

export type CapacityAnswer =
  | {
      readonly kind: 'fits';
      /** Seats that could be reserved at most. */
      readonly free: number;
    }
  | {
      readonly kind: 'over-capacity';
      /** The first moment at which too few seats are free, in seconds since the epoch. */
      readonly at: number;
      /** Seats that are free then, and of the same kind without any other reservation. */
      readonly free: number;
      readonly all: number;
      /** Reservations that take up room at that moment. */
      readonly others: readonly { readonly title: string; readonly seats: number; readonly end: number }[];
      /** Starts that would do, the nearest first. */
      readonly alternatives: readonly number[];
    };

/** The share of the fleet that may be reserved; the rest is for other clients. */
export const MAX_SHARE = 0.8;
/** Other times that a refusal proposes. */
const MAX_ALTERNATIVES = 3;
const HALF_HOUR = 1800;
const DAY = 86_400;

/** `others` are all other reservations; `now` keeps proposals out of the past. */
export function checkCapacity(slot: Slot, others: readonly Slot[], fleet: Fleet, now: number): CapacityAnswer {
  const tightest = tightestMoment(slot, others, fleet);
  if (tightest.free >= slot.seats) return { kind: 'fits', free: tightest.free };
  const first = momentsOf(slot, others).find((at) => freeAt(slot, others, fleet, at) < slot.seats) ?? tightest.at;
  return {
    kind: 'over-capacity',
    at: first,
    free: freeAt(slot, others, fleet, first),
    all: freeAt(slot, [], fleet, first),
    others: onAt(others, first).map(({ title, seats, end }) => ({ title, seats, end })),
    alternatives: alternatives(slot, others, fleet, now),
  };
}

/** Seats of this kind that could be reserved at the time of the slot. */
export function seatsFree(slot: Slot, others: readonly Slot[], fleet: Fleet): number {
  return tightestMoment(slot, others, fleet).free;
}

function tightestMoment(slot: Slot, others: readonly Slot[], fleet: Fleet): { readonly at: number; readonly free: number } {
  return momentsOf(slot, others)
    .map((at) => ({ at, free: freeAt(slot, others, fleet, at) }))
    .reduce((least, moment) => (moment.free < least.free ? moment : least));
}

/** The moments at which the most can be on: when the doors of one open. */
function momentsOf(slot: Slot, others: readonly Slot[]): [number, ...number[]] {
  const first = doorsOf(slot);
  const later = others.map(doorsOf).filter((at) => at > first && at < slot.end);
  return [first, ...later.sort((a, b) => a - b)];
}

function onAt(slots: readonly Slot[], at: number): readonly Slot[] {
  return slots.filter((slot) => doorsOf(slot) <= at && at < slot.end);
}

/** Seats of the slot that are left when all others have theirs. */
function freeAt(slot: Slot, others: readonly Slot[], fleet: Fleet, at: number): number {
  const together = [...onAt(others, at), slot];
  const costs = together.map((one) => fleet.costOf(one));
  const needs = together.map(({ seats }, index) => seats * (costs[index] ?? 0));
  const last = together.length - 1;
  const got = largestFlow(suppliesOf(together, fleet, Math.max(...costs)), needs.with(last, Infinity));
  return Math.floor((got[last] ?? 0) / (costs[last] ?? 1) + ROUNDING);
}

const ROUNDING = 1e-6;

/** Servers that the same slots may use are one supply. Of each, one heaviest seat is left out, because seats are whole. */
function suppliesOf(together: readonly Slot[], { eligible, pointsOf }: Fleet, heaviest: number): readonly Supply[] {
  const usableBy = new Map<ServerId, number[]>();
  for (const [index, slot] of together.entries())
    for (const server of eligible(slot)) usableBy.set(server, [...(usableBy.get(server) ?? []), index]);
  const supplies = new Map<string, Supply>();
  for (const [server, slots] of usableBy) {
    const key = slots.join();
    const points = (supplies.get(key)?.points ?? 0) + Math.max(0, pointsOf(server) * MAX_SHARE - heaviest);
    supplies.set(key, { points, usableBy: slots });
  }
  return [...supplies.values()];
}

/** Within the same day first, then at the same time of the days around it. */
function alternatives(slot: Slot, others: readonly Slot[], fleet: Fleet, now: number): readonly number[] {
  const found: number[] = [];
  for (const shift of SHIFTS) {
    const moved = { ...slot, start: slot.start + shift, end: slot.end + shift };
    if (doorsOf(moved) < now || tightestMoment(moved, others, fleet).free < slot.seats) continue;
    found.push(moved.start);
    if (found.length === MAX_ALTERNATIVES) break;
  }
  return found;
}

/** Seconds. */
const SHIFTS: readonly number[] = [
  ...Array.from({ length: 8 }, (_, i) => (i + 1) * HALF_HOUR).flatMap((shift) => [shift, -shift]),
  ...[1, 2, 3].flatMap((days) => [days * DAY, -days * DAY]),
];
