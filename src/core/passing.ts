/**
 * The passing rule of the waiting line (ALLOCATION, "Queue"): who in it may be tried now, on which servers, and whether somebody who is not in it may be.
 *
 * A walk does not try again what cannot succeed: tickets of one *kind* (same project, same labels) fit together or not at all, so a class that waits for
 * one place costs one attempt, not three hundred. And for a ticket that has been passed long enough its servers are kept: those behind are tried on the
 * others alone. So it gets the next place on any of them, and somebody whose machine is full for half an hour does not close those that could not serve
 * it anyway.
 */
import { KeptServers } from './kept-servers.ts';
import type { Candidates } from './candidates.ts';
import { kindOf, type LineOrder, type Spot, type Ticket, type Want } from './line-order.ts';
import { compete } from './routing.ts';

/** The servers that may take a ticket now; `undefined` when none ever will, which the engine has to tell its holder. */
export type CandidatesOf = (want: Want) => Candidates | undefined;

/**
 * Is there room now for the ticket on one of these servers? `undefined`: it may not have a place now for a reason of its own, and others who want the same
 * may.
 */
export type Fits = (ticket: Ticket, candidates: Candidates) => boolean | undefined;

/**
 * May a newcomer be tried: yes, on these servers; no, those who wait come first; or only once the line was served, because somebody in it could have what
 * came free.
 */
export type Passing =
  { readonly kind: 'yes'; readonly candidates: Candidates } | { readonly kind: 'no' } | { readonly kind: 'line-first' };

/** A ticket whose turn it is, and the servers it may be tried on; `undefined`: none will ever take it. */
export interface Turn {
  readonly ticket: Ticket;
  readonly candidates: Candidates | undefined;
}

/** One walk along the line, from the front. */
export interface Pass {
  /**
   * The next ticket that may be tried. One that was handed out and is still in the line when the next is asked for did not fit. Tickets may come and go
   * between two calls. `undefined`: nobody else may be tried now, or, while it has not `ended`, the walk should pause and go on from here.
   */
  next(): Turn | undefined;
  readonly ended: boolean;
  /** The ticket that was handed out last did not fit for a reason of its own: others who want the same are still tried. */
  skip(): void;
}

/** Has it waited so long that it may not be passed any more? */
export type IsOverdue = (spot: Spot) => boolean;

/** Begins a walk along the line, which pauses after each `stretch` tickets that it looked at. It is to be walked at once, not to be kept. */
export function passAlong(order: LineOrder, isOverdue: IsOverdue, candidatesOf: CandidatesOf, stretch: number): Pass {
  /** Kinds of which one did not fit, or may not be tried. */
  const settled = new Set<string>();
  const kept = new KeptServers();
  /** Who may not be passed, one for each set of servers. */
  const overdue = new Map<Candidates, Want>();
  let current: Spot | undefined;
  let handedOut: { readonly spot: Spot; readonly candidates: Candidates | undefined } | undefined;
  let looked = 0;
  let ended = false;

  const settle = (spot: Spot, candidates: Candidates | undefined) => {
    settled.add(spot.kind);
    if (candidates === undefined || !isOverdue(spot)) return;
    overdue.set(candidates, spot.ticket);
    kept.keep(candidates);
  };
  /** During a pause other servers may have come up for those who may not be passed, and they have not been tried there. */
  const keepWhatCameUp = () => {
    for (const [before, want] of [...overdue]) {
      const candidates = candidatesOf(want);
      if (candidates === undefined || candidates === before) continue;
      overdue.delete(before);
      overdue.set(candidates, want);
      kept.keep(candidates);
    }
  };

  return {
    next: () => {
      if (handedOut?.spot.inLine === true) settle(handedOut.spot, handedOut.candidates);
      handedOut = undefined;
      while (!order.consistsOf(settled)) {
        if (looked >= stretch) {
          looked = 0;
          return undefined;
        }
        if (looked === 0) keepWhatCameUp();
        current = current === undefined ? order.first : order.after(current);
        if (current === undefined) break;
        looked += 1;
        if (current.ticket.lostAt !== undefined || settled.has(current.kind)) continue;
        const candidates = candidatesOf(current.ticket);
        const left = candidates && kept.leftOf(candidates);
        if (left?.tiers.length === 0) {
          settle(current, candidates);
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
 * May somebody who is not in the line be tried at once, before all who are, and on which servers? Not if one who wants the same waits, and not on those
 * that are kept for one who may not be passed. Room can come by time alone, so that nobody has tried the line yet: whoever in it fits now comes first.
 * It takes as long as there are kinds, and tickets that may not be passed.
 */
export function mayPass(order: LineOrder, isOverdue: IsOverdue, want: Want, candidatesOf: CandidatesOf, fits: Fits): Passing {
  const own = candidatesOf(want);
  if (own === undefined) return NO;
  const kind = kindOf(want);
  const kept = new KeptServers();
  const seen = new Set<string>();
  // Those who may not be passed stand in front, and each is tried on what those before it leave.
  for (let spot = order.first; spot !== undefined && isOverdue(spot); spot = spot.next) {
    if (seen.size >= order.kinds.size) break;
    if (spot.ticket.lostAt !== undefined || seen.has(spot.kind)) continue;
    const candidates = candidatesOf(spot.ticket);
    const left = candidates && kept.leftOf(candidates);
    const hasRoom = left !== undefined && left.tiers.length > 0 && fits(spot.ticket, left);
    if (hasRoom === undefined) continue;
    seen.add(spot.kind);
    if (candidates === undefined || left === undefined) continue;
    if (hasRoom && (spot.kind === kind || compete(left, kept.leftOf(own)))) return LINE_FIRST;
    if (!hasRoom) kept.keep(candidates);
    if (spot.kind === kind || kept.leftOf(own).tiers.length === 0) return NO;
  }
  const open = kept.leftOf(own);
  for (const [other, spots] of order.kinds) {
    if (seen.has(other)) continue;
    for (const { ticket } of spots) {
      if (ticket.lostAt !== undefined) continue;
      const candidates = candidatesOf(ticket);
      if (candidates === undefined) break;
      const left = kept.leftOf(candidates);
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

const NO: Passing = { kind: 'no' };
const LINE_FIRST: Passing = { kind: 'line-first' };
