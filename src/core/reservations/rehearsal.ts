/**
 * Would so many fit? The answer before seats are reserved: how many seats there would be, as a range, and what would help most. Only places are computed. How
 * long people would wait depends on how long sessions last, and is not said.
 */
import type { ServerId } from '../fleet/endpoint.ts';
import { checkCapacity, seatsFree, type Fleet, type Slot } from './capacity.ts';

/** What a seat costs, in points of a server of average power. */
export interface CostRange {
  readonly low: number;
  readonly high: number;
  /** The project ran often enough that its cost is known. */
  readonly isLearned: boolean;
}

export interface RehearsalFleet extends Fleet {
  readonly costRange: (slot: Slot) => CostRange;
}

export type Change =
  /** One more machine like this one. */
  | { readonly kind: 'one-more-server'; readonly like: ServerId; readonly seats: number }
  /** In seconds since the epoch. */
  | { readonly kind: 'other-time'; readonly start: number; readonly seats: number }
  /** One after the other. */
  | { readonly kind: 'two-groups'; readonly seats: number };

export interface Rehearsal {
  /** Seats that are there if sessions turn out dear, and if they turn out cheap. */
  readonly seats: { readonly from: number; readonly to: number };
  readonly answer: 'yes' | 'perhaps' | 'no';
  /** At most three, those first that bring enough seats. `seats` is what there would be, in the worse case. Empty if the answer is yes. */
  readonly changes: readonly Change[];
  /** The cost of a session is a guess: the project has hardly run here. */
  readonly isGuess: boolean;
}

const MAX_CHANGES = 3;
/** Of a machine that is not there. */
const NEW: ServerId = '+';

/** `others`, `now`: as for `checkCapacity`. */
export function rehearse(slot: Slot, others: readonly Slot[], fleet: RehearsalFleet, now: number): Rehearsal {
  const { low, high, isLearned } = fleet.costRange(slot);
  const withCost = (cost: number): Fleet => ({ ...fleet, costOf: (one) => (one.id === slot.id ? cost : fleet.costOf(one)) });
  const worse = withCost(high);
  const seats = { from: seatsFree(slot, others, worse), to: seatsFree(slot, others, withCost(low)) };
  const answer = seats.from >= slot.seats ? 'yes' : seats.to >= slot.seats ? 'perhaps' : 'no';
  const changes = answer === 'yes' ? [] : changesFor(slot, others, worse, now);
  return { seats, answer, changes: best(changes, slot.seats), isGuess: !isLearned };
}

function changesFor(slot: Slot, others: readonly Slot[], fleet: Fleet, now: number): readonly Change[] {
  const free = seatsFree(slot, others, fleet);
  const found: Change[] = oneMoreServer(slot, others, fleet);
  const checked = checkCapacity(slot, others, fleet, now);
  const [start] = checked.kind === 'over-capacity' ? checked.alternatives : [];
  if (start !== undefined) found.push({ kind: 'other-time', start, seats: slot.seats });
  if (free >= Math.ceil(slot.seats / 2)) found.push({ kind: 'two-groups', seats: slot.seats });
  return found;
}

/** The strongest kind of machine that may run the project, once more. */
function oneMoreServer(slot: Slot, others: readonly Slot[], fleet: Fleet): Change[] {
  const [like] = [...fleet.eligible(slot)].sort((one, other) => fleet.pointsOf(other) - fleet.pointsOf(one));
  if (like === undefined) return [];
  const larger: Fleet = {
    ...fleet,
    eligible: (one) => (fleet.eligible(one).includes(like) ? [...fleet.eligible(one), NEW] : fleet.eligible(one)),
    pointsOf: (server) => fleet.pointsOf(server === NEW ? like : server),
  };
  return [{ kind: 'one-more-server', like, seats: seatsFree(slot, others, larger) }];
}

/** What brings enough comes first; among that, what asks nothing of the fleet. */
function best(changes: readonly Change[], wanted: number): readonly Change[] {
  const rank = ({ kind, seats }: Change) => (seats >= wanted ? 0 : 2) + (kind === 'one-more-server' ? 1 : 0);
  return [...changes].sort((one, other) => rank(one) - rank(other)).slice(0, MAX_CHANGES);
}
