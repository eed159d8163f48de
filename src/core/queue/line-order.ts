/**
 * The order of the waiting line: which ticket is behind which, at which position, and of which kind. It does not know the rules by which tickets come
 * and go.
 *
 * A linked list, because tickets leave from anywhere in it while walks are under way. A position is counted by walking to the head: with at most ten
 * thousand tickets that takes microseconds, and it is needed only when a client reconnects.
 */
import type { ServerId } from '../fleet/endpoint.ts';
import type { Labels } from '../fleet/routing.ts';

/** What a client waits for. */
export interface Want {
  /** Normalised URL of the project (`Project.url`). */
  readonly project?: string;
  readonly labels?: Labels;
  /** The reservation of which it takes a seat: it waits in the line of its class, before all other clients. */
  readonly reservation?: string;
  /** The client rather waits than gets a session that ends early, because a class comes. */
  readonly ends?: 'refuse';
  /** Servers on which it failed before; the client wants another one. */
  readonly except?: readonly ServerId[];
}

export interface TicketRequest extends Want {
  readonly id: string;
  /** Where it came from. Absent: no limit by address applies to it. */
  readonly address?: string;
  /** What the client calls itself; the same when it asks again. */
  readonly clientId?: string;
  /** Whose turn it takes, when the line goes by turns. Absent: it does not wait for its turn. */
  readonly turn?: string;
  /** Unguessable. A client that shows it gets its position back; without one the position is lost with the connection. */
  readonly token?: string;
  /** The replica that has the connection of a client which does not know the token. */
  readonly replica?: string;
}

export interface Ticket extends TicketRequest {
  /** Seconds of the engine's clock; negative for a ticket from before a restart. */
  readonly joinedAt: number;
  /** Since when its client has no connection. */
  readonly lostAt: number | undefined;
}

/** A ticket and its position; 1 is next. */
export interface Standing {
  readonly ticket: Ticket;
  readonly position: number;
}

export class LineOrder {
  /** In the order in which they joined. */
  readonly #kinds = new Map<string, Set<Spot>>();
  #first: Spot | undefined;
  #last: Spot | undefined;
  /** The first one whose position may differ from the one that was reported to its client. */
  #moved: Spot | undefined;
  /** The lines: one for each class that waits, before the public one, whose name is `undefined`. */
  readonly #lines = new Map<string | undefined, Line>();
  #classes = 0;
  /** The last one of each rank in the public line, and how many there are. */
  readonly #ranks: (Rank | undefined)[] = [];
  /** Those of a key, in the order in which they joined. */
  readonly #ofTurn = new Map<string, Spot[]>();
  /** Sessions of a key that run. */
  readonly #running: (turn: string) => number;

  constructor(running: (turn: string) => number = () => 0) {
    this.#running = running;
  }

  get first(): Spot | undefined {
    return this.#first;
  }

  get last(): Spot | undefined {
    return this.#last;
  }

  /** The tickets in line by kind, in the order in which they joined. */
  get kinds(): ReadonlyMap<string, ReadonlySet<Spot>> {
    return this.#kinds;
  }

  /** 1 is next in its line. */
  positionOf(spot: Spot): number {
    let position = 1;
    for (let before = spot.previous; before !== undefined && isSameLine(before, spot); before = before.previous) position += 1;
    return position;
  }

  /** Tickets in the line of a class, or in the public one. */
  lengthOf(reservation: string | undefined): number {
    return this.#lines.get(reservation)?.length ?? 0;
  }

  /** The last one of its rank. */
  append(ticket: MutableTicket): Spot {
    const line = this.#lineOf(ticket.reservation);
    const spot = new Spot(ticket, line.tail++, this.#nextRank(ticket));
    this.#insert(spot);
    line.length += 1;
    const { turn, reservation } = ticket;
    if (turn !== undefined) this.#ofTurn.set(turn, [...(this.#ofTurn.get(turn) ?? []), spot]);
    if (reservation === undefined && spot.rank < this.#ranks.length - 1) this.#note(spot.next);
    const kind = this.#kinds.get(spot.kind);
    if (kind === undefined) this.#kinds.set(spot.kind, new Set([spot]));
    else kind.add(spot);
    return spot;
  }

  prepend(ticket: MutableTicket): Spot {
    const { turn: _, ...served } = ticket;
    const line = this.#lineOf(ticket.reservation);
    const spot = new Spot(served, (line.head -= 1), 0);
    this.#insert(spot);
    line.length += 1;
    this.#note(spot.next);
    this.#kinds.set(spot.kind, new Set([spot, ...(this.#kinds.get(spot.kind) ?? [])]));
    return spot;
  }

  remove(spot: Spot): void {
    spot.inLine = false;
    this.#unlink(spot);
    const kind = this.#kinds.get(spot.kind);
    kind?.delete(spot);
    if (kind?.size === 0) this.#kinds.delete(spot.kind);
    const line = this.#lines.get(spot.ticket.reservation);
    if (line !== undefined && (line.length -= 1) === 0 && spot.ticket.reservation !== undefined)
      this.#lines.delete(spot.ticket.reservation);
    const { turn } = spot.ticket;
    if (turn !== undefined) this.#leaveTurn(turn, spot);
  }

  /** Sessions of the key began or ended: its tickets may change places. */
  reorder(turn: string): void {
    for (const [ahead, spot] of (this.#ofTurn.get(turn) ?? []).entries()) {
      const rank = this.#running(turn) + ahead;
      if (rank === spot.rank) continue;
      this.#unlink(spot);
      spot.rank = rank;
      this.#insert(spot);
      this.#note(spot);
    }
  }

  #nextRank({ turn, reservation }: MutableTicket): number {
    return turn === undefined || reservation !== undefined ? 0 : this.#running(turn) + (this.#ofTurn.get(turn)?.length ?? 0);
  }

  #leaveTurn(turn: string, spot: Spot): void {
    const left = this.#ofTurn.get(turn)?.filter((other) => other !== spot) ?? [];
    if (left.length === 0) this.#ofTurn.delete(turn);
    else this.#ofTurn.set(turn, left);
    this.reorder(turn);
  }

  /** The position of one that has just joined. */
  positionOfLast({ ticket, rank }: Spot): number {
    if (ticket.reservation !== undefined) return this.lengthOf(ticket.reservation);
    let count = 0;
    for (let i = 0; i <= rank; i += 1) count += this.#ranks[i]?.count ?? 0;
    return count;
  }

  /** From this one on, positions may have changed. */
  #note(spot: Spot | undefined): void {
    if (spot !== undefined && (this.#moved === undefined || spot.order < this.#moved.order)) this.#moved = spot;
  }

  #unlink(spot: Spot): void {
    const { previous, next } = spot;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    if (this.#moved === undefined || this.#moved === spot || (next !== undefined && next.order < this.#moved.order))
      this.#moved = next;
    if (spot.ticket.reservation !== undefined) return;
    const rank = this.#ranks[spot.rank];
    if (rank === undefined) return;
    rank.count -= 1;
    if (rank.count === 0) this.#dropRank(spot.rank);
    else if (rank.last === spot && previous !== undefined) rank.last = previous;
  }

  #dropRank(rank: number): void {
    this.#ranks[rank] = undefined;
    while (this.#ranks.length > 0 && this.#ranks.at(-1) === undefined) this.#ranks.pop();
  }

  #lineOf(reservation: string | undefined): Line {
    let line = this.#lines.get(reservation);
    if (line === undefined) {
      const begin = reservation === undefined ? 0 : FIRST_LINE + LINE_SPAN * (this.#classes += 1);
      this.#lines.set(reservation, (line = { head: begin, tail: begin, length: 0 }));
    }
    return line;
  }

  /** In its place by order. The public joins at the end at once; people of classes walk along those that wait for seats. */
  #insert(spot: Spot): void {
    const before = this.#lastBelow(spot);
    const next = before === undefined ? this.#first : before.next;
    spot.previous = before;
    spot.next = next;
    if (before === undefined) this.#first = spot;
    else before.next = spot;
    if (next === undefined) this.#last = spot;
    else next.previous = spot;
    if (spot.ticket.reservation === undefined) this.#rank(spot);
  }

  #rank(spot: Spot): void {
    const rank = this.#ranks[spot.rank];
    if (rank === undefined) this.#ranks[spot.rank] = { last: spot, count: 1 };
    else {
      rank.count += 1;
      if (rank.last.order < spot.order) rank.last = spot;
    }
  }

  #lastBelow({ order, rank, ticket }: Spot): Spot | undefined {
    if (this.#last === undefined || this.#last.order < order) return this.#last;
    let before: Spot | undefined;
    // Of the public line, the end of each rank is known. Only a ticket that comes back to an earlier place walks along others.
    for (let r = rank; r >= 0 && before === undefined && ticket.reservation === undefined && order >= 0; r -= 1)
      before = this.#ranks[r]?.last;
    while (before !== undefined && before.order > order) before = before.previous;
    if (before !== undefined) return before;
    for (let spot = this.#first; spot !== undefined && spot.order < order; spot = spot.next) before = spot;
    return before;
  }

  /** The tickets whose position differs from the one last reported, in order. From now on they count as reported. */
  changes(): readonly Standing[] {
    const changed: Standing[] = [];
    const from = this.#moved;
    this.#moved = undefined;
    if (from === undefined) return changed;
    let position = this.positionOf(from);
    for (let spot: Spot | undefined = from; spot !== undefined; spot = spot.next, position += 1) {
      if (spot.previous !== undefined && !isSameLine(spot, spot.previous)) position = 1;
      if (spot.reported === position || spot.ticket.lostAt !== undefined) continue;
      spot.reported = position;
      changed.push({ ticket: spot.ticket, position });
    }
    return changed;
  }

  /** The one behind, also behind one that has left meanwhile. */
  after(spot: Spot): Spot | undefined {
    let next = spot.next;
    while (next !== undefined && !next.inLine) next = next.next;
    if (next !== undefined || spot.inLine) return next;
    // It was the last one when it left, so only a ticket that came later can be behind it.
    for (let later = this.#last; later !== undefined && later.order > spot.order; later = later.previous) next = later;
    return next;
  }

  /** Whether no ticket of another kind is in line. Kinds that left the line may still be among `kinds`. */
  consistsOf(kinds: ReadonlySet<string>): boolean {
    if (kinds.size < this.#kinds.size) return false;
    for (const kind of this.#kinds.keys()) if (!kinds.has(kind)) return false;
    return true;
  }
}

interface Rank {
  last: Spot;
  count: number;
}

/** Orders of the tickets of one line; the public one begins at 0. */
interface Line {
  /** Of the first that came back to its head. */
  head: number;
  /** Of the next that joins. */
  tail: number;
  length: number;
}

/** Orders of classes lie below those of the public, each class in a span of its own. */
const FIRST_LINE = -(2 ** 52);
const LINE_SPAN = 2 ** 30;
/** Orders of the public line: each rank has a span of its own, in which tickets are as they joined. */
const RANK_SPAN = 2 ** 32;

function isSameLine(a: Spot, b: Spot): boolean {
  return a.ticket.reservation === b.ticket.reservation;
}

export type MutableTicket = Omit<TicketRequest, 'token' | 'replica'> & {
  readonly joinedAt: number;
  lostAt: number | undefined;
  token?: string;
  replica?: string;
};

/** An element of the list. One that left keeps its `next`, so that a walk that has reached it finds its way. */
export class Spot {
  readonly ticket: MutableTicket;
  /** Sessions and tickets of its key that come first; 0 where the line does not go by turns. */
  rank: number;
  readonly kind: string;
  previous: Spot | undefined;
  next: Spot | undefined;
  /** The position last reported to the client; 0: none. */
  reported = 0;
  inLine = true;
  /** When it joined, among those of its line. */
  readonly #joined: number;

  constructor(ticket: MutableTicket, joined: number, rank: number) {
    this.ticket = ticket;
    this.rank = rank;
    this.kind = kindOf(ticket);
    this.#joined = joined;
  }

  get order(): number {
    return this.rank * RANK_SPAN + this.#joined;
  }
}

/** Wants of one kind fit together or not at all. */
export function kindOf({ project, labels, reservation, ends, except }: Want): string {
  const wanted = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([project, wanted, reservation, ends, except]);
}
