/**
 * The waiting line: one per replica, first come, first served, with one exception (docs/design/allocation.md, "Queue"): a ticket that fits may overtake one that does
 * not, as long as the overtaken one has waited less than `passing`. Where it goes by turns, the first request of everyone comes before the second one of anyone.
 *
 * `line-order.ts` holds the order, `backfill.ts` decides which tickets may be tried now.
 *
 * The line has no clock, sockets or servers: times are passed in as seconds, and the engine reports to clients. A ticket ends exactly once, in
 * `admitted`, `leave`, `lost`, `expire` or the `join` of another one; a call that returns `undefined` there came second.
 *
 * A client with a resume token keeps its position for `resume` seconds without a connection. Such a ticket counts in the positions of the others, but it
 * is not tried and does not delay the others: a booking for an absent client would be lost.
 */
import { AdmissionPace, type WaitEstimate } from './admission-pace.ts';
import { LineOrder, type Spot, type Standing, type Ticket, type TicketRequest, type Want } from './line-order.ts';
import { mayBackfill, passAlong, type CandidatesOf, type Fits, type IsOverdue, type Pass, type Backfill } from './backfill.ts';

export interface WaitingRules {
  /** Maximum number of tickets. */
  readonly maxLength: number;
  /** Maximum number of tickets of one address. A new one replaces one without a connection. */
  readonly maxPerAddress: number;
  /** Seconds for which a position is kept without a connection. */
  readonly resume: number;
  /** Seconds of waiting after which a ticket may not be overtaken. */
  readonly passing: number;
}

export type JoinRefusalCode = 'waiting-line-full' | 'too-many-waiting' | 'already-waiting';

export type Joined =
  | ({
      readonly kind: 'joined';
      /** The ticket that ended to make room: of the same address, and longest without a connection. */
      readonly displaced?: Ticket;
    } & Standing)
  | { readonly kind: 'refused'; readonly code: JoinRefusalCode; readonly reason: string };

/** A ticket from before a restart, or of another replica, whose client can come back. */
export interface SavedTicket extends Omit<TicketRequest, 'except'> {
  readonly token: string;
  /** Its client does not know the token. */
  readonly orphan?: true;
  /** Seconds. */
  readonly waited: number;
}

/** Is notified of every ticket that comes or goes, at once. */
export interface LineObserver {
  /** `atHead`: before all others of its line, instead of behind them. */
  readonly joined: (ticket: Ticket, atHead: boolean) => void;
  /** Another client has it from now on. */
  readonly handedOver: (ticket: Ticket) => void;
  readonly left: (ticket: Ticket) => void;
}

export interface HandedOver {
  readonly token: string;
  readonly replica?: string;
}

export interface Restored {
  readonly tickets: readonly Ticket[];
  /** What was left out, a sentence each, for the log. */
  readonly problems: readonly string[];
}

export class WaitingLine {
  #rules: WaitingRules;
  readonly #observer: LineObserver | undefined;
  readonly #pace = new AdmissionPace();
  readonly #order: LineOrder;
  readonly #byId = new Map<string, Spot>();
  readonly #byToken = new Map<string, Spot>();
  readonly #perAddress = new Map<string, number>();
  /** In the order in which their connections were lost. */
  readonly #lost = new Set<Spot>();

  /** `running`: sessions of a key that run, where the line goes by turns. */
  constructor(rules: WaitingRules, observer?: LineObserver, running?: (turn: string) => number) {
    this.#rules = rules;
    this.#observer = observer;
    this.#order = new LineOrder(running);
  }

  /** New settings. Tickets in line stay. */
  configure(rules: WaitingRules): void {
    this.#rules = rules;
  }

  /** Number of tickets, including those without a connection. */
  get length(): number {
    return this.#byId.size;
  }

  /** People in the line of a class. */
  lengthOf(reservation: string): number {
    return this.#order.lengthOf(reservation);
  }

  /** Seconds for which the first ticket has waited; `undefined` when the line is empty. */
  longestWait(now: number): number | undefined {
    const { first } = this.#order;
    return first && now - first.ticket.joinedAt;
  }

  /** `now` is seconds of the engine's clock, here and everywhere. The position counts as reported to the client. */
  join(request: TicketRequest, now: number): Joined {
    const refusal = this.#refusal(request);
    // A page that was closed must not keep out the one that replaces it.
    const displaced = refusal?.code === 'too-many-waiting' ? this.#longestLost(request.address) : undefined;
    if (displaced !== undefined) this.#remove(displaced);
    else if (refusal !== undefined) return refusal;
    if (this.length === 0) this.#pace.began(now);
    const spot = this.#index(this.#order.append({ ...request, joinedAt: now, lostAt: undefined }));
    spot.reported = this.#order.positionOfLast(spot);
    return {
      ...{ kind: 'joined', ticket: spot.ticket, position: spot.reported },
      ...(displaced !== undefined && { displaced: displaced.ticket }),
    };
  }

  /**
   * A client that was admitted and got a server that failed takes the head of the line. No limit applies, because it has waited already. `joinedAt` is
   * when the waiting began, in seconds of the engine's clock. The position counts as reported.
   */
  rejoin(request: TicketRequest, joinedAt: number, now: number): Joined {
    if (this.#byId.has(request.id)) return alreadyWaiting();
    if (this.length === 0) this.#pace.began(now);
    // A ticket further back has not waited longer.
    const earliest = Math.min(joinedAt, this.#order.first?.ticket.joinedAt ?? now);
    const spot = this.#index(this.#order.prepend({ ...request, joinedAt: earliest, lostAt: undefined }), true);
    spot.reported = 1;
    return { kind: 'joined', ticket: spot.ticket, position: 1 };
  }

  /** Sessions of the key began or ended: its tickets may change places. */
  reorder(turn: string): void {
    this.#order.reorder(turn);
  }

  /** How many sessions its client would have at once; `undefined`: the line does not go by turns. */
  turnOf(id: string): number | undefined {
    const spot = this.#byId.get(id);
    return spot?.ticket.turn === undefined ? undefined : spot.rank + 1;
  }

  get(id: string): Ticket | undefined {
    return this.#byId.get(id)?.ticket;
  }

  /** In order. */
  *tickets(): Generator<Ticket> {
    for (let spot = this.#order.first; spot !== undefined; spot = this.#order.after(spot)) yield spot.ticket;
  }

  /** 1 is next; `undefined`: it is not in line. */
  position(id: string): number | undefined {
    const spot = this.#byId.get(id);
    return spot && this.#order.positionOf(spot);
  }

  /** Seconds until the ticket at `position` is admitted; `undefined` while there is not enough data. */
  estimate(position: number, now: number): WaitEstimate | undefined {
    return this.#pace.estimate(position, now);
  }

  /** The ticket got a server. `undefined`: it had left before, and its booking has to be released. */
  admitted(id: string, now: number): Ticket | undefined {
    const spot = this.#byId.get(id);
    // A ticket that got a server without waiting says nothing about the pace.
    if (spot !== undefined && spot.ticket.reservation === undefined && now - spot.ticket.joinedAt >= MIN_WAIT)
      this.#pace.admitted(now);
    return this.leave(id);
  }

  /** The ticket ends without a server. */
  leave(id: string): Ticket | undefined {
    const spot = this.#byId.get(id);
    if (spot === undefined) return undefined;
    this.#remove(spot);
    return spot.ticket;
  }

  /** The client's connection is gone. Without a token the ticket ends, with one it is kept for `resume` seconds. */
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
   * The client with this token is back. Its position counts as reported. `undefined`: there is no such ticket, or it has expired. The token is also
   * accepted while the first connection still seems alive; the engine then drops the old connection.
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

  /** Another client takes over a ticket whose own client is gone. From now on it has this token and this replica. */
  handOver(id: string, { token, replica }: HandedOver): void {
    const spot = this.#byId.get(id);
    if (spot === undefined) return;
    const { ticket } = spot;
    if (ticket.token !== undefined) this.#byToken.delete(ticket.token);
    ticket.token = token;
    this.#byToken.set(token, spot);
    if (replica === undefined) delete ticket.replica;
    else ticket.replica = replica;
    this.#observer?.handedOver(ticket);
  }

  /** Ends the tickets whose clients did not come back, and returns them. To be called every second. */
  expire(now: number): readonly Ticket[] {
    const over: Ticket[] = [];
    for (const spot of this.#lost) {
      if (!this.#isOver(spot, now)) break;
      this.#remove(spot);
      over.push(spot.ticket);
    }
    return over;
  }

  /** The tickets whose position differs from the one last reported, in order. From now on they count as reported. */
  changes(): readonly Standing[] {
    return this.#order.changes();
  }

  /** Starts a walk along the line, which pauses after every `stretch` tickets. It has to be completed at once. */
  pass(now: number, candidatesOf: CandidatesOf, stretch = Infinity): Pass {
    return passAlong(this.#order, this.#isOverdue(now), candidatesOf, stretch);
  }

  /** Whether a request that is not in line may be tried at once, before all tickets, and on which servers. */
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
    for (const { waited, orphan: _, ...request } of saved) {
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
        `${own} requests from your network address are already waiting; close other waiting pages, or try again later.`,
      );
    return undefined;
  }

  #index(spot: Spot, atHead = false): Spot {
    const { id, token, address } = spot.ticket;
    this.#byId.set(id, spot);
    if (token !== undefined) this.#byToken.set(token, spot);
    if (address !== undefined) this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    this.#observer?.joined(spot.ticket, atHead);
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
    this.#observer?.left(ticket);
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
    return ({ ticket }) => ticket.reservation !== undefined || now - ticket.joinedAt >= this.#rules.passing;
  }
}

/** Seconds in line from which an admission counts for the pace. */
const MIN_WAIT = 1;

function alreadyWaiting(): Extract<Joined, { kind: 'refused' }> {
  return refused('already-waiting', 'This request is already in the waiting line; keep its first connection open.');
}

function refused(code: JoinRefusalCode, reason: string): Extract<Joined, { kind: 'refused' }> {
  return { kind: 'refused', code, reason };
}
