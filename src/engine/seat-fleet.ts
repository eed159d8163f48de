/** What the fleet can take, for questions about seats at another time. */
import type { Ledger } from '../core/allocation/ledger.ts';
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { Fleet, Slot } from '../core/reservations/capacity.ts';
import type { CountedCosts } from '../core/reservations/counted-costs.ts';
import type { CostRange, RehearsalFleet } from '../core/reservations/rehearsal.ts';

export interface SeatFleetOptions {
  readonly ledger: Pick<Ledger, 'rooms' | 'fleetCost' | 'seatCost'>;
  readonly costs: CountedCosts;
  readonly eligible: (slot: Pick<Slot, 'project'>) => readonly ServerId[];
  readonly keyOf: (projectUrl: string) => string | undefined;
  /** Percent. */
  readonly target: () => number;
}

/** A cost that was learned is right within this; one that was not may be higher by the second factor. */
const LEARNED = 1.15;
const UNKNOWN = 1.5;
/** One standard deviation above, as a factor: beyond it a cost is a guess. */
const GUESS = 1.3;

/** By what sessions really cost, as far as they are counted: seats that a class has within two minutes, when the reports show its first sessions. */
export function seatFleet(options: SeatFleetOptions): RehearsalFleet {
  const { costs, eligible } = options;
  return {
    eligible,
    pointsOf: pointsOf(options, (id) => costs.factor(id) ?? 1),
    costOf: (slot) => costRange(options, slot).high,
    costRange: (slot) => costRange(options, slot),
  };
}

/** By the costs that are booked: seats that a class has at once. */
export function bookedFleet(options: SeatFleetOptions): Fleet {
  const { ledger, eligible } = options;
  return {
    eligible,
    pointsOf: pointsOf(options, () => 1),
    costOf: (slot) => {
      const { cost, margin } = ledger.seatCost(keyOf(options, slot));
      return cost * (1 + margin);
    },
  };
}

/** Load points of learned cost that fit on a server; `factor`: what sessions really cost there, compared with that. */
function pointsOf({ ledger, target }: SeatFleetOptions, factor: (id: ServerId) => number): Fleet['pointsOf'] {
  const known = new Map<ServerId, number>();
  return (id) => {
    const before = known.get(id);
    if (before !== undefined) return before;
    const room = ledger.rooms([id])[0]?.room;
    const found = room === undefined ? 0 : (target() - room.base) / (room.factor * factor(id));
    known.set(id, found);
    return found;
  };
}

/** What a seat costs, if it turns out cheap or dear. */
function costRange(options: SeatFleetOptions, slot: Slot): CostRange {
  const { value, low, high } = options.ledger.fleetCost(keyOf(options, slot));
  const dear = Math.max(LEARNED * value, Math.min(UNKNOWN * value, high));
  return { low, high: dear, isLearned: high < GUESS * value };
}

function keyOf({ keyOf: read }: SeatFleetOptions, { project }: Pick<Slot, 'project'>): string | undefined {
  return project === undefined ? undefined : read(project);
}
