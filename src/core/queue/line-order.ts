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
  /** Servers on which it failed before; the client wants another one. */
  readonly except?: readonly ServerId[];
}

export interface TicketRequest extends Want {
  readonly id: string;
  /** Where it came from. Absent: no limit by address applies to it. */
  readonly address?: string;
  /** What the client calls itself; the same when it asks again. */
  readonly clientId?: string;
  /** Unguessable. A client that shows it gets its position back; without one the position is lost with the connection. */
  readonly token?: string;
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
  #order = 0;
  /** Of those that came back to the head; below zero. */
  #headOrder = 0;

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

  /** 1 is next. */
  positionOf(spot: Spot): number {
    let position = 1;
    for (let before = spot.previous; before !== undefined; before = before.previous) position += 1;
    return position;
  }

  append(ticket: MutableTicket): Spot {
    const spot = new Spot(ticket, this.#order++, this.#last);
    if (this.#last === undefined) this.#first = spot;
    else this.#last.next = spot;
    this.#last = spot;
    const kind = this.#kinds.get(spot.kind);
    if (kind === undefined) this.#kinds.set(spot.kind, new Set([spot]));
    else kind.add(spot);
    return spot;
  }

  prepend(ticket: MutableTicket): Spot {
    const first = this.#first;
    const spot = new Spot(ticket, (this.#headOrder -= 1), undefined);
    spot.next = first;
    if (first === undefined) this.#last = spot;
    else first.previous = spot;
    this.#first = spot;
    this.#moved = first;
    this.#kinds.set(spot.kind, new Set([spot, ...(this.#kinds.get(spot.kind) ?? [])]));
    return spot;
  }

  remove(spot: Spot): void {
    const { previous, next } = spot;
    spot.inLine = false;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    if (this.#moved === undefined || this.#moved === spot || (next !== undefined && next.order < this.#moved.order))
      this.#moved = next;
    const kind = this.#kinds.get(spot.kind);
    kind?.delete(spot);
    if (kind?.size === 0) this.#kinds.delete(spot.kind);
  }

  /** The tickets whose position differs from the one last reported, in order. From now on they count as reported. */
  changes(): readonly Standing[] {
    const changed: Standing[] = [];
    const from = this.#moved;
    this.#moved = undefined;
    if (from === undefined) return changed;
    let position = this.positionOf(from);
    for (let spot: Spot | undefined = from; spot !== undefined; spot = spot.next, position += 1) {
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

export type MutableTicket = TicketRequest & { readonly joinedAt: number; lostAt: number | undefined };

/** An element of the list. One that left keeps its `next`, so that a walk that has reached it finds its way. */
export class Spot {
  readonly ticket: MutableTicket;
  readonly order: number;
  readonly kind: string;
  previous: Spot | undefined;
  next: Spot | undefined;
  /** The position last reported to the client; 0: none. */
  reported = 0;
  inLine = true;

  constructor(ticket: MutableTicket, order: number, previous: Spot | undefined) {
    this.ticket = ticket;
    this.order = order;
    this.kind = kindOf(ticket);
    this.previous = previous;
  }
}

/** Wants of one kind fit together or not at all. */
export function kindOf({ project, labels, except }: Want): string {
  return JSON.stringify([project, Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)), except]);
}
