/**
 * The waiting line: one per replica, first come, first served, with one exception (ALLOCATION, "Queue"): a ticket that fits may pass one that does not,
 * as long as the one that is passed has waited less than `passing`.
 *
 * Who may be tried now is answered by a `Pass`, one walk along the line. The walk does not try again what cannot succeed: tickets of one *kind* (same
 * project, same labels) fit together or not at all, so a class that waits for one place costs one attempt, not three hundred. And for a ticket that has
 * been passed long enough its servers are kept: those behind are tried on the others alone. So it gets the next place on any of them, and somebody whose
 * machine is full for half an hour does not close those that could not serve it anyway.
 *
 * The line knows no clock, no sockets and no servers: times are seconds handed in, and what it says about a ticket is told to its holder by the engine. A
 * ticket ends exactly once, in `admitted`, `leave`, `lost`, `expire` or another's `join`; whoever gets `undefined` there came second.
 *
 * A holder with a resume token keeps the place for `resume` seconds without a connection. Such a ticket counts in everybody's position, but it is not tried
 * and holds nobody back: a booking for somebody who is not there would be lost.
 */
import { AdmissionPace, type WaitEstimate } from './admission-pace.ts';
import type { ServerId } from './endpoint.ts';
import { KeptServers } from './kept-servers.ts';
import type { Candidates } from './ledger.ts';
import { Places } from './places.ts';
import { compete, type Labels } from './routing.ts';
import { readSavedLine, type SavedLine, type SavedTicket } from './saved-line.ts';

export interface WaitingRules {
  /** Most tickets. */
  readonly maxLength: number;
  /** Most tickets of one address; a new one takes the place of one without a connection. */
  readonly maxPerAddress: number;
  /** Seconds a place is kept without a connection. */
  readonly resume: number;
  /** Seconds of waiting after which a ticket is not passed any more. */
  readonly passing: number;
}

/** What somebody waits for. */
export interface Want {
  /** Normalised URL of the project (`Project.url`). */
  readonly project?: string;
  readonly labels?: Labels;
  /** Servers that failed it before; another one is wanted. */
  readonly except?: readonly ServerId[];
}

export interface TicketRequest extends Want {
  readonly id: string;
  /** Where it came from; absent for those who are not limited by address. */
  readonly address?: string;
  /** What the client calls itself; the same when it asks again. */
  readonly clientId?: string;
  /** Nobody can guess it. Whoever shows it gets the place back; without one the place is lost with the connection. */
  readonly token?: string;
}

export interface Ticket extends TicketRequest {
  /** Seconds of the engine's clock; before its zero for a ticket from before a restart. */
  readonly joinedAt: number;
  /** Since when its holder has no connection. */
  readonly lostAt: number | undefined;
}

/** A ticket and its position; 1 is next. */
export interface Standing {
  readonly ticket: Ticket;
  readonly position: number;
}

export type JoinRefusalCode = 'waiting-line-full' | 'too-many-waiting' | 'already-waiting';

export type Joined =
  | ({
      readonly kind: 'joined';
      /** It ended to make room: of the same address, and without a connection for longest. */
      readonly displaced?: Ticket;
    } & Standing)
  | { readonly kind: 'refused'; readonly code: JoinRefusalCode; readonly reason: string };

/** The servers that may take a ticket now; `undefined` when none ever will, which the engine has to tell its holder. */
export type CandidatesOf = (want: Want) => Candidates | undefined;

/** Is there room now for somebody who wants this, on one of these servers? */
export type Fits = (want: Want, candidates: Candidates) => boolean;

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
}

export type Restored =
  | {
      readonly kind: 'restored';
      readonly tickets: readonly Ticket[];
      /** What was left out, a sentence each, for the log. */
      readonly problems: readonly string[];
    }
  /** Not a line of ours: nothing was taken over. */
  | { readonly kind: 'foreign'; readonly reason: string };

export class WaitingLine {
  #rules: WaitingRules;
  readonly #pace = new AdmissionPace();
  readonly #byId = new Map<string, Spot>();
  readonly #byToken = new Map<string, Spot>();
  /** In the order in which they joined. */
  readonly #kinds = new Map<string, Set<Spot>>();
  readonly #perAddress = new Map<string, number>();
  /** In the order in which their connections were lost. */
  readonly #lost = new Set<Spot>();
  #first: Spot | undefined;
  #last: Spot | undefined;
  /** The first one whose position may differ from what its holder was told. */
  #moved: Spot | undefined;
  #places = new Places(64);
  #nextPlace = 0;
  #order = 0;
  /** Of those who came back to the head; below zero. */
  #headOrder = 0;

  constructor(rules: WaitingRules) {
    this.#rules = rules;
  }

  /** New settings; who is in the line stays. */
  configure(rules: WaitingRules): void {
    this.#rules = rules;
  }

  /** Tickets, those without a connection included. */
  get length(): number {
    return this.#byId.size;
  }

  /** Seconds the first in line has waited; `undefined` when nobody waits. */
  longestWait(now: number): number | undefined {
    return this.#first && now - this.#first.ticket.joinedAt;
  }

  /** `now` is seconds of the engine's clock, here and everywhere. The position counts as told to the holder. */
  join(request: TicketRequest, now: number): Joined {
    const refusal = this.#refusal(request);
    // A page that was closed must not keep out the one that was opened instead.
    const displaced = refusal?.code === 'too-many-waiting' ? this.#longestLost(request.address) : undefined;
    if (displaced !== undefined) this.#remove(displaced);
    else if (refusal !== undefined) return refusal;
    if (this.length === 0) this.#pace.began(now);
    const spot = this.#append({ ...request, joinedAt: now, lostAt: undefined });
    spot.told = this.length;
    return {
      ...{ kind: 'joined', ticket: spot.ticket, position: spot.told },
      ...(displaced !== undefined && { displaced: displaced.ticket }),
    };
  }

  /**
   * Whoever was let in and got a server that failed takes the head of the line. No limit is applied: the place was earned. `joinedAt` is when the waiting
   * began, in seconds of the engine's clock. The position counts as told.
   */
  rejoin(request: TicketRequest, joinedAt: number, now: number): Joined {
    if (this.#byId.has(request.id)) return alreadyWaiting();
    if (this.length === 0) this.#pace.began(now);
    // Who stands behind has not waited longer.
    const spot = this.#prepend({
      ...request,
      joinedAt: Math.min(joinedAt, this.#first?.ticket.joinedAt ?? now),
      lostAt: undefined,
    });
    spot.told = 1;
    return { kind: 'joined', ticket: spot.ticket, position: 1 };
  }

  get(id: string): Ticket | undefined {
    return this.#byId.get(id)?.ticket;
  }

  /** In order. */
  *tickets(): Generator<Ticket> {
    for (let spot = this.#first; spot !== undefined; spot = this.#after(spot)) yield spot.ticket;
  }

  /** 1 is next; `undefined` when it is not in the line. */
  position(id: string): number | undefined {
    const spot = this.#byId.get(id);
    return spot && this.#places.upTo(spot.place);
  }

  /** Seconds until the ticket at `position` is let in; `undefined` while there is nothing to tell it from. */
  estimate(position: number, now: number): WaitEstimate | undefined {
    return this.#pace.estimate(position, now);
  }

  /** The ticket got a server. `undefined`: it had left before, and what was booked for it has to be released. */
  admitted(id: string, now: number): Ticket | undefined {
    const spot = this.#byId.get(id);
    // Who got a server without waiting says nothing about the pace.
    if (spot !== undefined && now - spot.ticket.joinedAt >= WAITED) this.#pace.admitted(now);
    return this.leave(id);
  }

  /** The ticket ends without a server. */
  leave(id: string): Ticket | undefined {
    const spot = this.#byId.get(id);
    if (spot === undefined) return undefined;
    this.#remove(spot);
    return spot.ticket;
  }

  /** The holder's connection is gone. Without a token the ticket ends, with one it is kept for `resume` seconds. */
  lost(id: string, now: number): 'kept' | 'ended' | undefined {
    const spot = this.#byId.get(id);
    if (spot === undefined) return undefined;
    if (spot.ticket.token === undefined) {
      this.#remove(spot);
      return 'ended';
    }
    if (spot.ticket.lostAt === undefined) this.#lose(spot, now);
    return 'kept';
  }

  /**
   * The holder of the token is back: here is the place, and it counts as told. `undefined`: there is none, or it was kept long enough. Who shows the token
   * while the first connection still seems alive gets the place too; the engine then drops the old connection.
   */
  resume(token: string, now: number): Standing | undefined {
    const spot = this.#byToken.get(token);
    if (spot === undefined || this.ofToken(token, now) === undefined) return undefined;
    spot.ticket.lostAt = undefined;
    this.#lost.delete(spot);
    spot.told = this.#places.upTo(spot.place);
    return { ticket: spot.ticket, position: spot.told };
  }

  /** The ticket that `resume` would find. */
  ofToken(token: string, now: number): Ticket | undefined {
    const spot = this.#byToken.get(token);
    return spot === undefined || this.#isOver(spot, now) ? undefined : spot.ticket;
  }

  /** Ends the tickets whose holders did not come back, and returns them. Made to be called every second. */
  expire(now: number): readonly Ticket[] {
    const over: Ticket[] = [];
    for (const spot of this.#lost) {
      if (!this.#isOver(spot, now)) break;
      this.#remove(spot);
      over.push(spot.ticket);
    }
    return over;
  }

  /** Seconds of the engine's clock when `expire` will have something to do. */
  nextExpiry(): number | undefined {
    for (const { ticket } of this.#lost) return (ticket.lostAt ?? 0) + this.#rules.resume;
    return undefined;
  }

  /** The tickets whose position differs from what their holders were told, in order. From now on they count as told. */
  changes(): readonly Standing[] {
    const changed: Standing[] = [];
    const from = this.#moved;
    this.#moved = undefined;
    if (from === undefined) return changed;
    let position = this.#places.upTo(from.place);
    for (let spot: Spot | undefined = from; spot !== undefined; spot = spot.next, position += 1) {
      if (spot.told === position || spot.ticket.lostAt !== undefined) continue;
      spot.told = position;
      changed.push({ ticket: spot.ticket, position });
    }
    return changed;
  }

  /** Begins a walk along the line, which pauses after each `stretch` tickets that it looked at. It is to be walked at once, not to be kept. */
  pass(now: number, candidatesOf: CandidatesOf, stretch = Infinity): Pass {
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
      if (candidates === undefined || !this.#isOverdue(spot, now)) return;
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
        while (!this.#consistsOf(settled)) {
          if (looked >= stretch) {
            looked = 0;
            return undefined;
          }
          if (looked === 0) keepWhatCameUp();
          current = current === undefined ? this.#first : this.#after(current);
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
    };
  }

  /**
   * May somebody who is not in the line be tried at once, before all who are, and on which servers? Not if one who wants the same waits, and not on those
   * that are kept for one who may not be passed. Room can come by time alone, so that nobody has tried the line yet: whoever in it fits now comes first.
   * It takes as long as there are kinds, and tickets that may not be passed.
   */
  mayPass(want: Want, now: number, candidatesOf: CandidatesOf, fits: Fits): Passing {
    const own = candidatesOf(want);
    if (own === undefined) return NO;
    const kind = kindOf(want);
    const kept = new KeptServers();
    const seen = new Set<string>();
    // Those who may not be passed stand in front, and each is tried on what those before it leave.
    for (let spot = this.#first; spot !== undefined && this.#isOverdue(spot, now); spot = spot.next) {
      if (seen.size >= this.#kinds.size) break;
      if (spot.ticket.lostAt !== undefined || seen.has(spot.kind)) continue;
      seen.add(spot.kind);
      const candidates = candidatesOf(spot.ticket);
      if (candidates === undefined) continue;
      const left = kept.leftOf(candidates);
      const hasRoom = left.tiers.length > 0 && fits(spot.ticket, left);
      if (hasRoom && (spot.kind === kind || compete(left, kept.leftOf(own)))) return LINE_FIRST;
      if (!hasRoom) kept.keep(candidates);
      if (spot.kind === kind || kept.leftOf(own).tiers.length === 0) return NO;
    }
    const open = kept.leftOf(own);
    for (const [other, spots] of this.#kinds) {
      const first = seen.has(other) ? undefined : firstPresent(spots);
      const candidates = first && candidatesOf(first.ticket);
      if (first === undefined || candidates === undefined) continue;
      const left = kept.leftOf(candidates);
      if (other !== kind && !compete(left, open)) continue;
      if (left.tiers.length > 0 && fits(first.ticket, left)) return LINE_FIRST;
      if (other === kind) return NO;
    }
    return { kind: 'yes', candidates: open };
  }

  /** What survives a restart, as plain JSON: the tickets whose holders can come back. `wallTime` is seconds since the epoch. */
  save(now: number, wallTime: number): SavedLine {
    const tickets: SavedTicket[] = [];
    for (const { token, id, address, clientId, project, labels, joinedAt } of this.tickets()) {
      if (token === undefined) continue;
      tickets.push({
        ...{ id, token, waited: Math.max(0, now - joinedAt) },
        ...(address !== undefined && { address }),
        ...(clientId !== undefined && { clientId }),
        ...(project !== undefined && { project }),
        ...(labels !== undefined && { labels }),
      });
    }
    return { version: 1, savedAt: wallTime, tickets };
  }

  /**
   * Puts back what was saved, in its order, behind who is in the line already. Every holder has `resume` seconds from now to come back. What cannot be
   * read or is over a limit is left out. Never throws.
   */
  restore(value: unknown, now: number, wallTime: number): Restored {
    const read = readSavedLine(value, wallTime);
    if (read.kind === 'foreign') return read;
    const problems = [...read.problems];
    const tickets: Ticket[] = [];
    let joinedAt = this.#last?.ticket.joinedAt ?? -Infinity;
    for (const { waited, ...request } of read.tickets) {
      const refusal = this.#refusal(request);
      if (refusal !== undefined) {
        problems.push(`a ticket was left out: ${refusal.code}`);
        continue;
      }
      if (this.length === 0) this.#pace.began(now);
      // Who stands behind has not waited longer, whatever the file says.
      joinedAt = Math.max(joinedAt, now - waited);
      const spot = this.#append({ ...request, joinedAt, lostAt: undefined });
      this.#lose(spot, now);
      tickets.push(spot.ticket);
    }
    return { kind: 'restored', tickets, problems };
  }

  #refusal({ id, token, address }: TicketRequest): Extract<Joined, { kind: 'refused' }> | undefined {
    const { maxLength, maxPerAddress } = this.#rules;
    if (this.#byId.has(id) || (token !== undefined && this.#byToken.has(token))) return alreadyWaiting();
    if (this.length >= maxLength)
      return refused(
        'waiting-line-full',
        `The waiting line is full: ${this.length} requests are in it. Try again in a few minutes.`,
      );
    const own = address === undefined ? 0 : (this.#perAddress.get(address) ?? 0);
    if (own >= maxPerAddress)
      return refused(
        'too-many-waiting',
        `${own} requests from your network address are waiting already; close other pages that wait, or try again later.`,
      );
    return undefined;
  }

  #append(ticket: MutableTicket): Spot {
    if (this.#nextPlace >= this.#places.size) this.#renumber();
    const spot = new Spot(ticket, this.#order++, this.#nextPlace++, this.#last);
    if (this.#last === undefined) this.#first = spot;
    else this.#last.next = spot;
    this.#last = spot;
    this.#places.take(spot.place);
    const kind = this.#kinds.get(spot.kind);
    if (kind === undefined) this.#kinds.set(spot.kind, new Set([spot]));
    else kind.add(spot);
    this.#index(spot);
    return spot;
  }

  /** Seldom, so that it may cost a walk along the line. */
  #prepend(ticket: MutableTicket): Spot {
    const first = this.#first;
    const spot = new Spot(ticket, (this.#headOrder -= 1), 0, undefined);
    spot.next = first;
    if (first === undefined) this.#last = spot;
    else first.previous = spot;
    this.#first = spot;
    this.#moved = first;
    this.#kinds.set(spot.kind, new Set([spot, ...(this.#kinds.get(spot.kind) ?? [])]));
    this.#index(spot);
    this.#renumber();
    return spot;
  }

  #index(spot: Spot): void {
    const { id, token, address } = spot.ticket;
    this.#byId.set(id, spot);
    if (token !== undefined) this.#byToken.set(token, spot);
    if (address !== undefined) this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
  }

  #remove(spot: Spot): void {
    const { ticket, previous, next } = spot;
    spot.inLine = false;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    if (this.#moved === undefined || this.#moved === spot || (next !== undefined && next.order < this.#moved.order))
      this.#moved = next;
    this.#places.free(spot.place);
    this.#byId.delete(ticket.id);
    if (ticket.token !== undefined) this.#byToken.delete(ticket.token);
    this.#lost.delete(spot);
    const kind = this.#kinds.get(spot.kind);
    kind?.delete(spot);
    if (kind?.size === 0) this.#kinds.delete(spot.kind);
    if (ticket.address !== undefined) this.#uncount(ticket.address);
    if (this.length === 0) this.#pace.ended();
  }

  #uncount(address: string): void {
    const left = (this.#perAddress.get(address) ?? 0) - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
  }

  /** Closes the gaps that left tickets left behind; after at least as many joins as there are tickets, so that it costs each of them little. */
  #renumber(): void {
    this.#places = new Places(2 * this.length + 64);
    this.#nextPlace = 0;
    for (let spot = this.#first; spot !== undefined; spot = spot.next) {
      spot.place = this.#nextPlace++;
      this.#places.take(spot.place);
    }
  }

  /** The one behind, also behind one that has left meanwhile. */
  #after(spot: Spot): Spot | undefined {
    let next = spot.next;
    while (next !== undefined && !next.inLine) next = next.next;
    if (next !== undefined || spot.inLine) return next;
    // It left as the last of the line, so only who came later can be behind it.
    for (let later = this.#last; later !== undefined && later.order > spot.order; later = later.previous) next = later;
    return next;
  }

  /** Kinds that left the line may still be among `kinds`. */
  #consistsOf(kinds: ReadonlySet<string>): boolean {
    if (kinds.size < this.#kinds.size) return false;
    for (const kind of this.#kinds.keys()) if (!kinds.has(kind)) return false;
    return true;
  }

  #lose(spot: Spot, now: number): void {
    spot.ticket.lostAt = now;
    this.#lost.add(spot);
  }

  #longestLost(address: string | undefined): Spot | undefined {
    for (const spot of this.#lost) if (spot.ticket.address === address) return spot;
    return undefined;
  }

  #isOver({ ticket: { lostAt } }: Spot, now: number): boolean {
    return lostAt !== undefined && now - lostAt >= this.#rules.resume;
  }

  #isOverdue({ ticket }: Spot, now: number): boolean {
    return now - ticket.joinedAt >= this.#rules.passing;
  }
}

const NO: Passing = { kind: 'no' };
const LINE_FIRST: Passing = { kind: 'line-first' };

/** Seconds in line from which an admission tells something about the pace. */
const WAITED = 1;

type MutableTicket = TicketRequest & { readonly joinedAt: number; lostAt: number | undefined };

/** A ticket's place in the line. One that left keeps its `next`, so that a walk that stands on it finds its way. */
class Spot {
  readonly ticket: MutableTicket;
  readonly order: number;
  readonly kind: string;
  place: number;
  previous: Spot | undefined;
  next: Spot | undefined;
  /** Position its holder was told; 0: none. */
  told = 0;
  inLine = true;

  constructor(ticket: MutableTicket, order: number, place: number, previous: Spot | undefined) {
    this.ticket = ticket;
    this.order = order;
    this.kind = kindOf(ticket);
    this.place = place;
    this.previous = previous;
  }
}

/** Wants of one kind fit together or not at all. */
function kindOf({ project, labels, except }: Want): string {
  return JSON.stringify([project, Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)), except]);
}

function firstPresent(spots: Iterable<Spot>): Spot | undefined {
  for (const spot of spots) if (spot.ticket.lostAt === undefined) return spot;
  return undefined;
}

function alreadyWaiting(): Extract<Joined, { kind: 'refused' }> {
  return refused('already-waiting', 'This request is in the waiting line already; keep its first connection open.');
}

function refused(code: JoinRefusalCode, reason: string): Extract<Joined, { kind: 'refused' }> {
  return { kind: 'refused', code, reason };
}
