/**
 * The order of the waiting line: who stands behind whom, at which position, and of which kind. It knows nothing of the rules by which tickets come and go.
 *
 * A linked list, because tickets leave from anywhere in it while walks stand on them, with numbered places beside it, so that a position costs no walk.
 */
import type { ServerId } from '../fleet/endpoint.ts';
import { Places } from './places.ts';
import type { Labels } from '../fleet/routing.ts';

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

export class LineOrder {
  /** In the order in which they joined. */
  readonly #kinds = new Map<string, Set<Spot>>();
  #first: Spot | undefined;
  #last: Spot | undefined;
  /** The first one whose position may differ from what its holder was told. */
  #moved: Spot | undefined;
  #places = new Places(64);
  #nextPlace = 0;
  #size = 0;
  #order = 0;
  /** Of those who came back to the head; below zero. */
  #headOrder = 0;

  get first(): Spot | undefined {
    return this.#first;
  }

  get last(): Spot | undefined {
    return this.#last;
  }

  /** Who is in the line by kind, in the order in which they joined. */
  get kinds(): ReadonlyMap<string, ReadonlySet<Spot>> {
    return this.#kinds;
  }

  /** 1 is next. */
  positionOf(spot: Spot): number {
    return this.#places.upTo(spot.place);
  }

  append(ticket: MutableTicket): Spot {
    if (this.#nextPlace >= this.#places.size) this.#renumber();
    const spot = new Spot(ticket, this.#order++, this.#nextPlace++, this.#last);
    if (this.#last === undefined) this.#first = spot;
    else this.#last.next = spot;
    this.#last = spot;
    this.#places.take(spot.place);
    const kind = this.#kinds.get(spot.kind);
    if (kind === undefined) this.#kinds.set(spot.kind, new Set([spot]));
    else kind.add(spot);
    this.#size += 1;
    return spot;
  }

  /** Seldom, so that it may cost a walk along the line. */
  prepend(ticket: MutableTicket): Spot {
    const first = this.#first;
    const spot = new Spot(ticket, (this.#headOrder -= 1), 0, undefined);
    spot.next = first;
    if (first === undefined) this.#last = spot;
    else first.previous = spot;
    this.#first = spot;
    this.#moved = first;
    this.#kinds.set(spot.kind, new Set([spot, ...(this.#kinds.get(spot.kind) ?? [])]));
    this.#size += 1;
    this.#renumber();
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
    this.#places.free(spot.place);
    this.#size -= 1;
    const kind = this.#kinds.get(spot.kind);
    kind?.delete(spot);
    if (kind?.size === 0) this.#kinds.delete(spot.kind);
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

  /** The one behind, also behind one that has left meanwhile. */
  after(spot: Spot): Spot | undefined {
    let next = spot.next;
    while (next !== undefined && !next.inLine) next = next.next;
    if (next !== undefined || spot.inLine) return next;
    // It left as the last of the line, so only who came later can be behind it.
    for (let later = this.#last; later !== undefined && later.order > spot.order; later = later.previous) next = later;
    return next;
  }

  /** Nobody of another kind is in the line; kinds that left it may still be among `kinds`. */
  consistsOf(kinds: ReadonlySet<string>): boolean {
    if (kinds.size < this.#kinds.size) return false;
    for (const kind of this.#kinds.keys()) if (!kinds.has(kind)) return false;
    return true;
  }

  /** Closes the gaps that left tickets left behind; after at least as many joins as there are tickets, so that it costs each of them little. */
  #renumber(): void {
    this.#places = new Places(2 * this.#size + 64);
    this.#nextPlace = 0;
    for (let spot = this.#first; spot !== undefined; spot = spot.next) {
      spot.place = this.#nextPlace++;
      this.#places.take(spot.place);
    }
  }
}

/** As it stands in the line. */
export type MutableTicket = TicketRequest & { readonly joinedAt: number; lostAt: number | undefined };

/** A ticket's place in the line. One that left keeps its `next`, so that a walk that stands on it finds its way. */
export class Spot {
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
export function kindOf({ project, labels, except }: Want): string {
  return JSON.stringify([project, Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)), except]);
}
