/**
 * Backfill in the waiting line (docs/design/allocation.md, "Queue"): which tickets may be tried now, on which servers, and whether a request that is not in line may be.
 *
 * A walk does not repeat attempts that cannot succeed: tickets of one *kind* (same project, same labels) fit together or not at all, so a class that
 * waits for one place costs one attempt, not three hundred. A ticket that has been overtaken for long enough gets its servers reserved: tickets behind it
 * are tried only on the others. So it gets the next session on any of its servers, and a ticket whose machine is full for half an hour does not block
 * servers that could not serve it anyway.
 */
import { ReservedServers } from './reserved-servers.ts';
import type { Candidates } from '../fleet/candidates.ts';
import { kindOf, type LineOrder, type Spot, type Ticket, type Want } from './line-order.ts';
import { compete } from '../fleet/routing.ts';

/** The servers that may take a ticket now. `undefined`: none ever will, which the engine has to report to its client. */
export type CandidatesOf = (want: Want) => Candidates | undefined;

/**
 * Whether there is room for the ticket now on one of these servers. `undefined`: it may not have a place now for a reason
 * of its own, and others that want the same may.
 */
export type Fits = (ticket: Ticket, candidates: Candidates) => boolean | undefined;

/**
 * Whether a new request may be tried: yes, on these servers; no, waiting tickets come first; or only once the line was served, because a ticket in it
 * fits now.
 */
export type Backfill =
  { readonly kind: 'yes'; readonly candidates: Candidates } | { readonly kind: 'no' } | { readonly kind: 'line-first' };

/** A ticket that may be tried, and the servers it may be tried on. `undefined`: none will ever take it. */
export interface Turn {
  readonly ticket: Ticket;
  readonly candidates: Candidates | undefined;
}

/** One walk along the line, from its head. */
export interface Pass {
  /**
   * The next ticket that may be tried. A ticket that is still in line at the next call did not fit. Tickets may come and go between two calls.
   * `undefined`: no other ticket may be tried now, or, while the walk has not `ended`, it should pause and continue from here.
   */
  next(): Turn | undefined;
  readonly ended: boolean;
  /** The last ticket did not fit for a reason of its own: others that want the same are still tried. */
  skip(): void;
}

/** Whether it has waited so long that it may not be overtaken any more. */
export type IsOverdue = (spot: Spot) => boolean;

/** Starts a walk along the line, which pauses after every `stretch` tickets. It has to be completed at once. */
export function passAlong(order: LineOrder, isOverdue: IsOverdue, candidatesOf: CandidatesOf, stretch: number): Pass {
  /** Kinds of which one did not fit, or may not be tried. */
  const exhausted = new Set<string>();
  const reserved = new ReservedServers();
  /** What tickets that may not be overtaken want, one for each set of servers. */
  const overdue = new Map<Candidates, Want>();
  let current: Spot | undefined;
  let handedOut: { readonly spot: Spot; readonly candidates: Candidates | undefined } | undefined;
  let looked = 0;
  let ended = false;

  const exhaust = (spot: Spot, candidates: Candidates | undefined) => {
    exhausted.add(spot.kind);
    if (candidates === undefined || !isOverdue(spot)) return;
    overdue.set(candidates, spot.ticket);
    reserved.reserve(candidates);
  };
  /** During a pause, more servers may have become candidates of tickets that may not be overtaken and were not tried there. */
  const reserveNewCandidates = () => {
    for (const [before, want] of [...overdue]) {
      const candidates = candidatesOf(want);
      if (candidates === undefined || candidates === before) continue;
      overdue.delete(before);
      overdue.set(candidates, want);
      reserved.reserve(candidates);
    }
  };

  return {
    next: () => {
      if (handedOut?.spot.inLine === true) exhaust(handedOut.spot, handedOut.candidates);
      handedOut = undefined;
      while (!order.consistsOf(exhausted)) {
        if (looked >= stretch) {
          looked = 0;
          return undefined;
        }
        if (looked === 0) reserveNewCandidates();
        current = current === undefined ? order.first : order.after(current);
        if (current === undefined) break;
        looked += 1;
        if (current.ticket.lostAt !== undefined || exhausted.has(current.kind)) continue;
        const candidates = candidatesOf(current.ticket);
        // People of a class may take any server: what is reserved for one of them is not lost to another.
        const left = current.ticket.reservation === undefined ? candidates && reserved.leftOf(candidates) : candidates;
        if (left?.tiers.length === 0) {
          exhaust(current, candidates);
          continue;
        }
        handedOut = { spot: current, candidates };
        return { ticket: current.ticket, candidates: left };
      }
      ended = true;
      return undefined;
    },
    get ended() {
      return ended;
    },
    skip: () => (handedOut = undefined),
  };
}

/**
 * Whether a request that is not in line may be tried at once, before all tickets, and on which servers. Not if a ticket of the same kind waits, and not
 * on servers that are reserved. Room can appear with time alone, before the line was tried: then a ticket that fits now comes first. The cost grows with
 * the number of kinds and of tickets that may not be overtaken.
 */
export function mayBackfill(
  order: LineOrder,
  isOverdue: IsOverdue,
  want: Want,
  candidatesOf: CandidatesOf,
  fits: Fits,
): Backfill {
  const own = candidatesOf(want);
  if (own === undefined) return NO;
  const kind = kindOf(want);
  if (want.reservation !== undefined) return mayTakeSeat(order.kinds.get(kind) ?? NOBODY, own, fits);
  const reserved = new ReservedServers();
  const seen = new Set<string>();
  // Tickets that may not be overtaken are at the head, and each is tried on what those before it leave.
  for (let spot = order.first; spot !== undefined && isOverdue(spot); spot = spot.next) {
    if (seen.size >= order.kinds.size) break;
    if (spot.ticket.lostAt !== undefined || seen.has(spot.kind)) continue;
    const candidates = candidatesOf(spot.ticket);
    const left = candidates && reserved.leftOf(candidates);
    const hasRoom = left !== undefined && left.tiers.length > 0 && fits(spot.ticket, left);
    if (hasRoom === undefined) continue;
    seen.add(spot.kind);
    if (candidates === undefined || left === undefined) continue;
    if (hasRoom && (spot.kind === kind || compete(left, reserved.leftOf(own)))) return LINE_FIRST;
    if (!hasRoom) reserved.reserve(candidates);
    if (spot.kind === kind || reserved.leftOf(own).tiers.length === 0) return NO;
  }
  const open = reserved.leftOf(own);
  for (const [other, spots] of order.kinds) {
    if (seen.has(other)) continue;
    for (const { ticket } of spots) {
      if (ticket.lostAt !== undefined) continue;
      const candidates = candidatesOf(ticket);
      if (candidates === undefined) break;
      const left = reserved.leftOf(candidates);
      if (other !== kind && !compete(left, open)) break;
      const hasRoom = left.tiers.length > 0 && fits(ticket, left);
      if (hasRoom === undefined) continue;
      if (hasRoom) return LINE_FIRST;
      if (other === kind) return NO;
      break;
    }
  }
  return { kind: 'yes', candidates: open };
}

/** Only members of the same class come before a member of a class. */
function mayTakeSeat(waiting: ReadonlySet<Spot>, candidates: Candidates, fits: Fits): Backfill {
  for (const { ticket } of waiting) {
    const hasRoom = ticket.lostAt === undefined ? fits(ticket, candidates) : undefined;
    if (hasRoom !== undefined) return hasRoom ? LINE_FIRST : NO;
  }
  return { kind: 'yes', candidates };
}

const NOBODY: ReadonlySet<Spot> = new Set();
const NO: Backfill = { kind: 'no' };
const LINE_FIRST: Backfill = { kind: 'line-first' };
