/**
 * When a follower asks for the lease. The store grants it to the first that asks while it is free; the rules here only see to it that the best one asks
 * first, and that no replica asks too early. Times are seconds of the replica's own clock.
 */
import { differingSections, type Digests, type SeenMember } from './member.ts';
import { isNewer, type Stamp } from './shared-state.ts';

export interface Candidate {
  readonly id: string;
  /** The last commit that its mirror shows. */
  readonly stamp: Stamp;
  /** All that beat lately, itself included. */
  readonly members: readonly SeenMember[];
  /** The last commit of the store. */
  readonly store: Stamp;
  /** When the lease of the present leader ends, or when it was seen to be free. */
  readonly freeAt: number;
  /** When it noticed that the store had forgotten what the mirror knows. */
  readonly forgotAt: number | undefined;
  /** When the store was out of reach last. */
  readonly unreachableAt: number | undefined;
  /** When it began to beat. */
  readonly beganAt: number;
  /** That of what is shared: replicas that do not know it cannot lead. */
  readonly format: number;
  readonly settings: Digests;
  /** Settings of the leader before; absent: none is known. */
  readonly inForce: Digests | undefined;
}

/** Seconds without a heartbeat after which a replica does not count any more. */
export const SILENT = 3;
/** Seconds between the candidates, the best one first. */
const TURN = 0.1;
/** Seconds in which all members have beaten again in a store that forgot them, the leader among them. */
const ROLL_CALL = 2;
/** Seconds that the leader has to come back first to a store that was out of reach: it may have gone on alone. */
const PRECEDENCE = 4;

/** The time from which on it asks for the lease. */
export function asksFrom(candidate: Candidate): number {
  const { freeAt, forgotAt, unreachableAt, beganAt, store, stamp } = candidate;
  const isEmpty = store.number === 0 && stamp.number === 0;
  return Math.max(
    freeAt + TURN * rankOf(candidate),
    // Others may know more about an empty store than one that has just started.
    isEmpty ? beganAt + ROLL_CALL + TURN * rankOf(candidate) : -Infinity,
    forgotAt === undefined ? -Infinity : forgotAt + ROLL_CALL + TURN * rankOf(candidate),
    unreachableAt === undefined ? -Infinity : unreachableAt + PRECEDENCE,
  );
}

/** How many others come before it: those with a newer mirror, then those with the settings of the leader before, then by id. */
function rankOf(candidate: Candidate): number {
  const { id, members, format } = candidate;
  return members.filter((other) => other.id !== id && other.age < SILENT && other.format >= format && isBefore(other, candidate))
    .length;
}

function isBefore(other: SeenMember, { id, stamp, settings, inForce }: Candidate): boolean {
  if (isNewer(other.stamp, stamp)) return true;
  if (isNewer(stamp, other.stamp)) return false;
  const fits = (digests: Digests) => inForce === undefined || differingSections(digests, inForce).length === 0;
  return fits(other.settings) === fits(settings) ? other.id < id : fits(other.settings);
}
