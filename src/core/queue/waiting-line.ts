/**
 * The waiting line: one per replica, first come, first served, with one exception (ALLOCATION, "Queue"): a ticket that fits may pass one that does not,
 * as long as the one that is passed has waited less than `passing`.
 *
 * `core/line-order` keeps the order, `core/passing` says who may be tried now.
 *
 * The line knows no clock, no sockets and no servers: times are seconds handed in, and what it says about a ticket is told to its holder by the engine. A
 * ticket ends exactly once, in `admitted`, `leave`, `lost`, `expire` or another's `join`; whoever gets `undefined` there came second.
 *
 * A holder with a resume token keeps the place for `resume` seconds without a connection. Such a ticket counts in everybody's position, but it is not tried
 * and holds nobody back: a booking for somebody who is not there would be lost.
 */
import { AdmissionPace, type WaitEstimate } from './admission-pace.ts';
import { LineOrder, type Spot, type Standing, type Ticket, type TicketRequest, type Want } from './line-order.ts';
import { mayBackfill, passAlong, type CandidatesOf, type Fits, type IsOverdue, type Pass, type Backfill } from './backfill.ts';

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

export type JoinRefusalCode = 'waiting-line-full' | 'too-many-waiting' | 'already-waiting';

export type Joined =
  | ({
      readonly kind: 'joined';
      /** It ended to make room: of the same address, and without a connection for longest. */
      readonly displaced?: Ticket;
    } & Standing)
  | { readonly kind: 'refused'; readonly code: JoinRefusalCode; readonly reason: string };

/** A ticket from before a restart, whose client can come back. */
export interface SavedTicket extends Omit<TicketRequest, 'except'> {
  readonly token: string;
  /** Seconds. */
  readonly waited: number;
}

export interface Restored {
  readonly tickets: readonly Ticket[];
  /** What was left out, a sentence each, for the log. */
  readonly problems: readonly string[];
}

export class WaitingLine {
  #rules: WaitingRules;
  readonly #pace = new AdmissionPace();
  readonly #order = new LineOrder();
  readonly #byId = new Map<string, Spot>();
  readonly #byToken = new Map<string, Spot>();
  readonly #perAddress = new Map<string, number>();
  /** In the order in which their connections were lost. */
  readonly #lost = new Set<Spot>();

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
    const { first } = this.#order;
    return first && now - first.ticket.joinedAt;
  }

  /** `now` is seconds of the engine's clock, here and everywhere. The position counts as told to the holder. */
  join(request: TicketRequest, now: number): Joined {
    const refusal = this.#refusal(request);
    // A page that was closed must not keep out the one that was opened instead.
    const displaced = refusal?.code === 'too-many-waiting' ? this.#longestLost(request.address) : undefined;
    if (displaced !== undefined) this.#remove(displaced);
    else if (refusal !== undefined) return refusal;
    if (this.length === 0) this.#pace.began(now);
    const spot = this.#index(this.#order.append({ ...request, joinedAt: now, lostAt: undefined }));
    spot.reported = this.length;
    return {
      ...{ kind: 'joined', ticket: spot.ticket, position: spot.reported },
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
    const earliest = Math.min(joinedAt, this.#order.first?.ticket.joinedAt ?? now);
    const spot = this.#index(this.#order.prepend({ ...request, joinedAt: earliest, lostAt: undefined }));
    spot.reported = 1;
    return { kind: 'joined', ticket: spot.ticket, position: 1 };
  }

  get(id: string): Ticket | undefined {
    return this.#byId.get(id)?.ticket;
  }

  /** In order. */
  *tickets(): Generator<Ticket> {
    for (let spot = this.#order.first; spot !== undefined; spot = this.#order.after(spot)) yield spot.ticket;
  }

  /** 1 is next; `undefined` when it is not in the line. */
  position(id: string): number | undefined {
    const spot = this.#byId.get(id);
    return spot && this.#order.positionOf(spot);
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
    spot.reported = this.#order.positionOf(spot);
    return { ticket: spot.ticket, position: spot.reported };
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

  /** The tickets whose position differs from what their holders were told, in order. From now on they count as told. */
  changes(): readonly Standing[] {
    return this.#order.changes();
  }

  /** Begins a walk along the line, which pauses after each `stretch` tickets that it looked at. It is to be walked at once, not to be kept. */
  pass(now: number, candidatesOf: CandidatesOf, stretch = Infinity): Pass {
    return passAlong(this.#order, this.#isOverdue(now), candidatesOf, stretch);
  }

  /** May somebody who is not in the line be tried at once, before all who are, and on which servers? */
  mayBackfill(want: Want, now: number, candidatesOf: CandidatesOf, fits: Fits): Backfill {
    return mayBackfill(this.#order, this.#isOverdue(now), want, candidatesOf, fits);
  }

  /**
   * Puts back the tickets from before a restart, in their order, behind those that are in line already. Every client has `resume` seconds from now to
   * come back. A ticket that exceeds a limit is left out.
   */
  restore(saved: readonly SavedTicket[], now: number): Restored {
    const problems: string[] = [];
    const tickets: Ticket[] = [];
    let joinedAt = this.#order.last?.ticket.joinedAt ?? -Infinity;
    for (const { waited, ...request } of saved) {
      const refusal = this.#refusal(request);
      if (refusal !== undefined) {
        problems.push(`a ticket was left out: ${refusal.code}`);
        continue;
      }
      if (this.length === 0) this.#pace.began(now);
      // A ticket further back has not waited longer, whatever the file says.
      joinedAt = Math.max(joinedAt, now - waited);
      const spot = this.#index(this.#order.append({ ...request, joinedAt, lostAt: undefined }));
      this.#lose(spot, now);
      tickets.push(spot.ticket);
    }
    return { tickets, problems };
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

  #index(spot: Spot): Spot {
    const { id, token, address } = spot.ticket;
    this.#byId.set(id, spot);
    if (token !== undefined) this.#byToken.set(token, spot);
    if (address !== undefined) this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    return spot;
  }

  #remove(spot: Spot): void {
    const { ticket } = spot;
    this.#order.remove(spot);
    this.#byId.delete(ticket.id);
    if (ticket.token !== undefined) this.#byToken.delete(ticket.token);
    this.#lost.delete(spot);
    if (ticket.address !== undefined) this.#uncount(ticket.address);
    if (this.length === 0) this.#pace.ended();
  }

  #uncount(address: string): void {
    const left = (this.#perAddress.get(address) ?? 0) - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
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

  #isOverdue(now: number): IsOverdue {
    return ({ ticket }) => now - ticket.joinedAt >= this.#rules.passing;
  }
}

/** Seconds in line from which an admission tells something about the pace. */
const WAITED = 1;

function alreadyWaiting(): Extract<Joined, { kind: 'refused' }> {
  return refused('already-waiting', 'This request is in the waiting line already; keep its first connection open.');
}

function refused(code: JoinRefusalCode, reason: string): Extract<Joined, { kind: 'refused' }> {
  return { kind: 'refused', code, reason };
}
