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
  return new Walk(order, isOverdue, candidatesOf, stretch);
}

class Walk implements Pass {
  ended = false;
  readonly #order: LineOrder;
  readonly #isOverdue: IsOverdue;
  readonly #candidatesOf: CandidatesOf;
  readonly #stretch: number;
  /** Kinds of which one did not fit, or may not be tried. */
  readonly #exhausted = new Set<string>();
  readonly #reserved = new ReservedServers();
  /** What tickets that may not be overtaken want, one for each set of servers. */
  readonly #overdue = new Map<Candidates, Want>();
  #current: Spot | undefined;
  #handedOut: { readonly spot: Spot; readonly candidates: Candidates | undefined } | undefined;
  #looked = 0;

  constructor(order: LineOrder, isOverdue: IsOverdue, candidatesOf: CandidatesOf, stretch: number) {
    this.#order = order;
    this.#isOverdue = isOverdue;
    this.#candidatesOf = candidatesOf;
    this.#stretch = stretch;
  }

  next(): Turn | undefined {
    if (this.#handedOut?.spot.inLine === true) this.#exhaust(this.#handedOut.spot, this.#handedOut.candidates);
    this.#handedOut = undefined;
    while (!this.#order.consistsOf(this.#exhausted)) {
      if (this.#looked >= this.#stretch) {
        this.#looked = 0;
        return undefined;
      }
      if (this.#looked === 0) this.#reserveNewCandidates();
      this.#current = this.#current === undefined ? this.#order.first : this.#order.after(this.#current);
      if (this.#current === undefined) break;
      this.#looked += 1;
      const turn = this.#turnOf(this.#current);
      if (turn !== undefined) return turn;
    }
    this.ended = true;
    return undefined;
  }

  skip() {
    this.#handedOut = undefined;
  }

  /** `undefined`: this one may not be tried. */
  #turnOf(spot: Spot): Turn | undefined {
    if (spot.ticket.lostAt !== undefined || this.#exhausted.has(spot.kind)) return undefined;
    const candidates = this.#candidatesOf(spot.ticket);
    // People of a class may take any server: what is reserved for one of them is not lost to another.
    const left = spot.ticket.reservation === undefined ? candidates && this.#reserved.leftOf(candidates) : candidates;
    if (left?.tiers.length === 0) {
      this.#exhaust(spot, candidates);
      return undefined;
    }
    this.#handedOut = { spot, candidates };
    return { ticket: spot.ticket, candidates: left };
  }

  #exhaust(spot: Spot, candidates: Candidates | undefined) {
    this.#exhausted.add(spot.kind);
    if (candidates === undefined || !this.#isOverdue(spot)) return;
    this.#overdue.set(candidates, spot.ticket);
    this.#reserved.reserve(candidates);
  }

  /** During a pause, more servers may have become candidates of tickets that may not be overtaken and were not tried there. */
  #reserveNewCandidates() {
    for (const [before, want] of [...this.#overdue]) {
      const candidates = this.#candidatesOf(want);
      if (candidates === undefined || candidates === before) continue;
      this.#overdue.delete(before);
      this.#overdue.set(candidates, want);
      this.#reserved.reserve(candidates);
    }
  }
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
