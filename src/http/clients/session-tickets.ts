/**
 * Session requests of clients that ask again and again instead of keeping a connection open.
 *
 * A ticket is what such a client shows. It is good for three things: a place in line, the outcome once there is one, and a booking to give back.
 *
 *     waiting ──(allocated or refused)──▶ settled ──(kept a while)──▶ forgotten
 *      │   ▲
 *      │   └─(asked)────┐
 *      └─(not asked)──▶ away ──(not asked)──▶ forgotten
 *
 * While a client asks every few seconds it counts as present, and its place is tried like any other. When it falls silent it is away: the line keeps
 * the place for `waiting.resume` seconds more, as for a lost connection, but gives it no server. What was allocated and never asked for is given back
 * after the same time. An outcome is kept for a while, because an answer can be lost on its way to the client.
 *
 * A client that says who it is gets its answer again when it asks again, and never a second booking.
 */
import { startLoop, type Loop } from '../../engine/loop.ts';
import type { QueueService } from '../../engine/queue-service.ts';
import type { SessionRequests } from '../../engine/session-requests.ts';
import type { Allocated, Outcome, Refused, SessionRequest, Waiter, Waiting } from '../../engine/request-types.ts';
import type { Clock, Log, NewId } from '../../ports.ts';

export interface SessionTicketsOptions {
  readonly requests: Pick<SessionRequests, 'request'>;
  readonly queue: Pick<QueueService, 'wait' | 'resume' | 'delivered' | 'giveUp' | 'restoredToken' | 'release'>;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  /** Seconds the line keeps the place of a client that is away: `waiting.resume`. */
  readonly resume: () => number;
}

export interface TicketRequest extends Omit<SessionRequest, 'resumeToken'> {
  /** Take a place in line when there is no room. */
  readonly wait: boolean;
}

export type Answer =
  | { readonly kind: 'allocated'; readonly ticket: string; readonly outcome: Allocated }
  | { readonly kind: 'waiting'; readonly ticket: string; readonly waiting: Waiting }
  | { readonly kind: 'refused'; readonly outcome: Refused };

/** Seconds after which a waiting client should ask again. */
export const ASK_AGAIN = 2;
/** Seconds since a client last asked for which it counts as present. */
const PRESENT = 10;
/** Seconds an outcome is kept after it was told. */
const KEPT = 60;
/** Outcomes kept. Places are as many as the line is long. */
const MAX_KEPT = 20_000;
const SWEEP = 1;

const LAPSED: Refused = {
  kind: 'refused',
  code: 'lapsed',
  reason: 'A place came free, but nobody asked for it in time; ask for a session again.',
};

interface Place {
  /** Names the client and what it wants. */
  identity: string | undefined;
  /** Known from the moment the line has taken the client in. */
  ticket: string | undefined;
  waiting: Waiting | undefined;
  /** What became of it before it was known by its ticket. */
  outcome: Outcome | undefined;
  /** Aborted when the client falls silent; `undefined`: it is away. */
  present: AbortController | undefined;
  /** Seconds of the engine's clock: when the client becomes away, or is forgotten. */
  due: number;
}

interface Settled {
  readonly identity: string | undefined;
  readonly outcome: Outcome;
  /** The client heard of it. */
  readonly told: boolean;
  readonly due: number;
}

export class SessionTickets {
  readonly #options: SessionTicketsOptions;
  readonly #places = new Map<string, Place>();
  /** In the order in which they are forgotten, but for those that nobody asked for. */
  readonly #settled = new Map<string, Settled>();
  /** What was answered, or will be, to clients that say who they are. */
  readonly #answers = new Map<string, Promise<Answer>>();
  /** The ticket of the last of those answers; the same client may have older ones, which end later. */
  readonly #tickets = new Map<string, string>();
  readonly #sweeping: Loop;
  #idle = true;

  constructor(options: SessionTicketsOptions) {
    this.#options = options;
    this.#sweeping = startLoop({
      clock: options.clock,
      cycle: () => this.#sweep(),
      failed: (error) => {
        options.log.error('looking after session tickets failed inside the session server', { error });
        return SWEEP;
      },
    });
  }

  /** Allocated, refused, or a place in line. The same client asking for the same again gets the same answer. */
  async ask(request: TicketRequest): Promise<Answer> {
    const identity = identityOf(request);
    if (identity === undefined) return this.#enter(request, undefined);
    for (let known = this.#answers.get(identity); known !== undefined; known = this.#answers.get(identity)) {
      const first = await known;
      const again = first.kind === 'refused' ? undefined : this.look(first.ticket);
      // A refusal books nothing: asking again is trying again.
      if (again !== undefined && again.kind !== 'refused') return again;
      if (this.#answers.get(identity) === known) this.#answers.delete(identity);
    }
    const before = this.#fromBefore(request, identity);
    if (before !== undefined) return before;
    const answer = this.#enter(request, identity);
    this.#answers.set(identity, answer);
    this.#tickets.delete(identity);
    try {
      const first = await answer;
      if (first.kind === 'refused') this.#answers.delete(identity);
      else this.#tickets.set(identity, first.ticket);
    } catch (error) {
      this.#answers.delete(identity);
      throw error;
    }
    return answer;
  }

  /** How it stands with a ticket, which counts as asking. `undefined`: there is none, or no longer. */
  look(ticket: string): Answer | undefined {
    const settled = this.#settled.get(ticket);
    if (settled !== undefined) return this.#tell(ticket, settled);
    const place = this.#places.get(ticket);
    if (place?.present === undefined) return this.#resume(ticket, place?.identity);
    place.due = this.#options.clock.now() + PRESENT;
    return answerOf(place);
  }

  /** The client wants its place, or what was booked for it, no more. `false`: there is no such ticket. */
  async giveUp(ticket: string): Promise<boolean> {
    const { queue } = this.#options;
    const settled = this.#settled.get(ticket);
    if (settled === undefined) {
      this.#forget(ticket);
      return queue.giveUp(ticket);
    }
    this.#forget(ticket);
    if (settled.outcome.kind === 'allocated') await queue.release(settled.outcome.bookingId);
    return true;
  }

  /** Tickets that are known: places of clients that ask, and outcomes. */
  get size(): number {
    return this.#places.size + this.#settled.size;
  }

  async stop(): Promise<void> {
    await this.#sweeping.stop();
  }

  /** How it stands with what the same client was given before a restart of the program. */
  #fromBefore(request: TicketRequest, identity: string): Answer | undefined {
    const ticket = this.#options.queue.restoredToken(request);
    const answer = ticket === undefined ? undefined : this.look(ticket);
    if (ticket === undefined || answer === undefined || answer.kind === 'refused') return undefined;
    const place = this.#places.get(ticket);
    const settled = this.#settled.get(ticket);
    if (place !== undefined) place.identity = identity;
    if (settled !== undefined) this.#settled.set(ticket, { ...settled, identity });
    this.#answers.set(identity, Promise.resolve(answer));
    this.#tickets.set(identity, ticket);
    return answer;
  }

  async #enter({ wait, ...request }: TicketRequest, identity: string | undefined): Promise<Answer> {
    const { requests, newId } = this.#options;
    if (wait) return this.#wait(request, identity);
    const outcome = await requests.request(request);
    if (outcome.kind === 'refused') return { kind: 'refused', outcome };
    return this.#keep(newId(), { identity, outcome, told: true, due: this.#options.clock.now() + KEPT });
  }

  async #wait(request: SessionRequest, identity: string | undefined): Promise<Answer> {
    const { queue, newId, clock } = this.#options;
    const present = new AbortController();
    const place: Place = { identity, present, ticket: undefined, waiting: undefined, outcome: undefined, due: 0 };
    await queue.wait(request, this.#waiter(place, present.signal));
    const answer = place.ticket === undefined ? undefined : this.look(place.ticket);
    if (answer !== undefined) return answer;
    const { outcome } = place;
    if (outcome === undefined) throw new Error('a session request was neither answered nor given a place in line');
    if (outcome.kind === 'refused') return { kind: 'refused', outcome };
    return this.#keep(newId(), { identity, outcome, told: true, due: clock.now() + KEPT });
  }

  /** The place, or what became of it, of a client that was away, or came from another connection, or from before a restart. */
  #resume(ticket: string, identity: string | undefined): Answer | undefined {
    const present = new AbortController();
    const place: Place = { identity, present, ticket: undefined, waiting: undefined, outcome: undefined, due: 0 };
    const { queue, clock } = this.#options;
    if (!queue.resume(ticket, this.#waiter(place, present.signal))) {
      this.#forget(ticket);
      return undefined;
    }
    const { outcome } = place;
    if (outcome === undefined) return answerOf(place);
    queue.delivered(ticket);
    return this.#keep(ticket, { identity, outcome, told: true, due: clock.now() + KEPT });
  }

  #waiter(place: Place, gone: AbortSignal): Waiter {
    return {
      gone,
      keepPlace: true,
      changed: (waiting) => {
        place.waiting = waiting;
        if (place.ticket === undefined) this.#attend(place, waiting.resumeToken);
      },
      settled: (outcome) => {
        if (place.ticket === undefined) place.outcome = outcome;
        else this.#settle(place, outcome);
      },
    };
  }

  #attend(place: Place, ticket: string): void {
    place.ticket = ticket;
    place.due = this.#options.clock.now() + PRESENT;
    this.#places.set(ticket, place);
    this.#wake();
  }

  #settle(place: Place, outcome: Outcome): void {
    const { ticket, identity } = place;
    if (ticket === undefined || this.#places.get(ticket) !== place) return;
    const due = this.#options.clock.now() + this.#options.resume();
    if (outcome.kind === 'refused' && outcome.code === 'continued-elsewhere') {
      // Whoever shows the ticket here again takes the place back.
      place.present = undefined;
      place.due = due;
      return;
    }
    this.#places.delete(ticket);
    this.#keep(ticket, { identity, outcome, told: false, due });
  }

  #tell(ticket: string, settled: Settled): Answer {
    if (settled.told) return outcomeOf(ticket, settled.outcome);
    this.#settled.delete(ticket);
    return this.#keep(ticket, { ...settled, told: true, due: this.#options.clock.now() + KEPT });
  }

  #keep(ticket: string, settled: Settled): Answer {
    this.#settled.set(ticket, settled);
    for (const [oldest, { told, outcome }] of this.#settled) {
      if (this.#settled.size <= MAX_KEPT) break;
      this.#forget(oldest);
      if (!told && outcome.kind === 'allocated') this.#release(outcome);
    }
    this.#wake();
    return outcomeOf(ticket, settled.outcome);
  }

  #forget(ticket: string): void {
    const identity = (this.#settled.get(ticket) ?? this.#places.get(ticket))?.identity;
    if (identity !== undefined && this.#tickets.get(identity) === ticket) {
      this.#tickets.delete(identity);
      this.#answers.delete(identity);
    }
    this.#settled.delete(ticket);
    this.#places.delete(ticket);
  }

  /** Returns the seconds until the next. */
  #sweep(): number {
    const now = this.#options.clock.now();
    for (const [ticket, place] of this.#places) {
      if (place.due > now) continue;
      if (place.present === undefined) this.#forget(ticket);
      else {
        place.due = now + this.#options.resume();
        place.present.abort();
        place.present = undefined;
      }
    }
    for (const [ticket, settled] of this.#settled) {
      if (settled.due > now) continue;
      if (settled.told || settled.outcome.kind === 'refused') this.#forget(ticket);
      else {
        this.#release(settled.outcome);
        this.#settled.set(ticket, { ...settled, outcome: LAPSED, due: now + KEPT });
      }
    }
    this.#idle = this.size === 0;
    return this.#idle ? Infinity : SWEEP;
  }

  /** Gives back what nobody came for. */
  #release({ bookingId }: Allocated): void {
    const { queue, log } = this.#options;
    queue.release(bookingId).catch((error: unknown) => {
      log.limited('warn', 'release of a lapsed booking', 'giving back a booking that nobody came for failed', { error });
    });
  }

  #wake(): void {
    if (!this.#idle) return;
    this.#idle = false;
    this.#sweeping.wake();
  }
}

/** Who asks for what. The address is part of it, so that nobody gets the answer of somebody elsewhere who happens to call itself the same. */
function identityOf({ address, clientId, projectUrl, labels }: TicketRequest): string | undefined {
  if (clientId === undefined) return undefined;
  const wanted = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([address.limitKey ?? address.address, clientId, projectUrl, wanted]);
}

function answerOf({ ticket, waiting }: Place): Answer | undefined {
  return ticket === undefined || waiting === undefined ? undefined : { kind: 'waiting', ticket, waiting };
}

function outcomeOf(ticket: string, outcome: Outcome): Answer {
  return outcome.kind === 'allocated' ? { kind: 'allocated', ticket, outcome } : { kind: 'refused', outcome };
}
