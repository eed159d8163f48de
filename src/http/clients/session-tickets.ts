/**
 * Session requests of clients that poll instead of keeping a connection open.
 *
 * Such a client shows a ticket. The ticket stands for a place in line, then for the outcome, and for a booking that can
 * be given back.
 *
 *     waiting ──(allocated or refused)──▶ settled ──(after a while)─▶ forgotten
 *      │   ▲
 *      │   └─(polls)────┐
 *      └─(silent)────▶ away ──(silent)──▶ forgotten
 *
 * A client that polls every few seconds is present, and its place is tried like any other. A silent client is away: the
 * line keeps its place for `waiting.resume` seconds more, as for a lost connection, but gives it no server. An allocation
 * that is not fetched is released after the same time. An outcome is retained for a while after it was delivered,
 * because a response can be lost on its way to the client.
 *
 * A client that sends an identity gets the same answer when it asks again, and never a second booking.
 */
import { startLoop, type Loop } from '../../engine/loop.ts';
import type { QueueService } from '../../engine/queue-service.ts';
import type { SessionRequests } from '../../engine/session-requests.ts';
import type { Allocated, Outcome, Refused, SessionRequest, Waiter, Waiting } from '../../engine/request-types.ts';
import type { Clock, Log, NewId } from '../../ports.ts';

export interface SessionTicketsOptions {
  readonly requests: Pick<SessionRequests, 'request'>;
  readonly queue: Pick<QueueService, 'wait' | 'resume' | 'delivered' | 'giveUp' | 'giveUpLater' | 'restoredToken' | 'release'>;
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

export type TicketAnswer =
  | { readonly kind: 'allocated'; readonly ticket: string; readonly outcome: Allocated }
  | { readonly kind: 'waiting'; readonly ticket: string; readonly waiting: Waiting }
  | { readonly kind: 'refused'; readonly outcome: Refused };

/** Seconds after which a waiting client should poll again. */
export const POLL_INTERVAL = 2;
/** Seconds after its last poll for which a client counts as present. */
const PRESENCE = 10;
/** Seconds an outcome is retained after it was delivered. */
const OUTCOME_LIFE = 60;
/** Maximum number of outcomes. The waiting line limits the number of tickets. */
const MAX_OUTCOMES = 20_000;
const SWEEP = 1;

const LAPSED: Refused = {
  kind: 'refused',
  code: 'lapsed',
  reason: 'A server became available, but the client did not poll in time; request a session again.',
};

interface WaitingTicket {
  /** The client and what it wants. */
  identity: string | undefined;
  /** Known as soon as the client is in the waiting line. */
  ticket: string | undefined;
  waiting: Waiting | undefined;
  /** An outcome that came before there was a ticket. */
  outcome: Outcome | undefined;
  /** Aborted when the client falls silent; `undefined`: it is away. */
  present: AbortController | undefined;
  /** Seconds of the engine's clock: when the client becomes away, or is forgotten. */
  due: number;
}

interface Settled {
  readonly identity: string | undefined;
  readonly outcome: Outcome;
  /** The client has fetched it. */
  readonly delivered: boolean;
  readonly due: number;
}

export class SessionTickets {
  readonly #options: SessionTicketsOptions;
  readonly #waiting = new Map<string, WaitingTicket>();
  /** In the order in which they are forgotten, except those that were not fetched. */
  readonly #settled = new Map<string, Settled>();
  /** Answers, present or to come, by the identity of the client. */
  readonly #answers = new Map<string, Promise<TicketAnswer>>();
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
        options.log.error('the sweep of session tickets failed', { error });
        return SWEEP;
      },
    });
  }

  /** Allocated, refused, or a place in line. The same client asking for the same again gets the same answer. */
  async request(request: TicketRequest): Promise<TicketAnswer> {
    const identity = identityOf(request);
    if (identity === undefined) return this.#enter(request, undefined);
    for (let known = this.#answers.get(identity); known !== undefined; known = this.#answers.get(identity)) {
      const first = await known;
      const again = first.kind === 'refused' ? undefined : this.poll(first.ticket);
      // A refusal books nothing: asking again is trying again.
      if (again !== undefined && again.kind !== 'refused') return again;
      if (this.#answers.get(identity) === known) this.#answers.delete(identity);
    }
    const before = this.#fromLastRun(request, identity);
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

  /** The state of a ticket; this counts as polling. `undefined`: the ticket is unknown or has expired. */
  poll(ticket: string): TicketAnswer | undefined {
    const settled = this.#settled.get(ticket);
    if (settled !== undefined) return this.#deliver(ticket, settled);
    const entry = this.#waiting.get(ticket);
    if (entry?.present === undefined) return this.#resume(ticket, entry?.identity);
    entry.due = this.#options.clock.now() + PRESENCE;
    return answerOf(entry);
  }

  /** Gives up the place in line or the booking. `false`: the ticket is unknown. */
  async giveUp(ticket: string): Promise<boolean> {
    const { queue } = this.#options;
    const settled = this.#settled.get(ticket);
    if (settled === undefined) {
      this.#forget(ticket);
      return queue.giveUp(ticket);
    }
    this.#forget(ticket);
    queue.delivered(ticket);
    if (settled.outcome.kind === 'allocated') await queue.release(settled.outcome.bookingId);
    return true;
  }

  /** Gives up the place in line after `grace` seconds, unless it is continued before. `false`: the ticket is unknown. */
  giveUpLater(ticket: string, grace: number): boolean {
    if (this.#settled.has(ticket)) return true;
    const entry = this.#waiting.get(ticket);
    if (entry?.present !== undefined) this.#away(entry, this.#options.clock.now() + grace);
    return this.#options.queue.giveUpLater(ticket, grace);
  }

  /** Number of known tickets: of waiting clients, and outcomes. */
  get size(): number {
    return this.#waiting.size + this.#settled.size;
  }

  async stop(): Promise<void> {
    await this.#sweeping.stop();
  }

  /** The answer that the same client got before a restart of the program. */
  #fromLastRun(request: TicketRequest, identity: string): TicketAnswer | undefined {
    const ticket = this.#options.queue.restoredToken(request);
    const answer = ticket === undefined ? undefined : this.poll(ticket);
    if (ticket === undefined || answer === undefined || answer.kind === 'refused') return undefined;
    const entry = this.#waiting.get(ticket);
    const settled = this.#settled.get(ticket);
    if (entry !== undefined) entry.identity = identity;
    if (settled !== undefined) this.#settled.set(ticket, { ...settled, identity });
    this.#answers.set(identity, Promise.resolve(answer));
    this.#tickets.set(identity, ticket);
    return answer;
  }

  async #enter({ wait, ...request }: TicketRequest, identity: string | undefined): Promise<TicketAnswer> {
    const { requests, newId } = this.#options;
    if (wait) return this.#wait(request, identity);
    const outcome = await requests.request(request);
    if (outcome.kind === 'refused') return { kind: 'refused', outcome };
    return this.#retain(newId(), { identity, outcome, delivered: true, due: this.#options.clock.now() + OUTCOME_LIFE });
  }

  async #wait(request: SessionRequest, identity: string | undefined): Promise<TicketAnswer> {
    const { queue, newId, clock } = this.#options;
    const present = new AbortController();
    const entry: WaitingTicket = { identity, present, ticket: undefined, waiting: undefined, outcome: undefined, due: 0 };
    await queue.wait(request, this.#waiter(entry, present.signal));
    const answer = entry.ticket === undefined ? undefined : this.poll(entry.ticket);
    if (answer !== undefined) return answer;
    const { outcome } = entry;
    if (outcome === undefined) throw new Error('a session request got neither an answer nor a place in line');
    if (outcome.kind === 'refused') return { kind: 'refused', outcome };
    return this.#retain(newId(), { identity, outcome, delivered: true, due: clock.now() + OUTCOME_LIFE });
  }

  /** Resumes the ticket of a client that was away, used another connection, or was waiting before a restart. */
  #resume(ticket: string, identity: string | undefined): TicketAnswer | undefined {
    const present = new AbortController();
    const entry: WaitingTicket = { identity, present, ticket: undefined, waiting: undefined, outcome: undefined, due: 0 };
    const { queue, clock } = this.#options;
    if (!queue.resume(ticket, this.#waiter(entry, present.signal))) {
      this.#forget(ticket);
      return undefined;
    }
    const { outcome, waiting } = entry;
    // A decision that the other replicas do not know yet: the client will ask again.
    if (outcome === undefined && waiting === undefined)
      return { kind: 'waiting', ticket, waiting: { position: 1, ofClass: false, estimate: undefined, resumeToken: ticket } };
    if (outcome === undefined) return answerOf(entry);
    queue.delivered(ticket);
    return this.#retain(ticket, { identity, outcome, delivered: true, due: clock.now() + OUTCOME_LIFE });
  }

  #waiter(entry: WaitingTicket, gone: AbortSignal): Waiter {
    return {
      gone,
      keepPlace: true,
      changed: (waiting) => {
        entry.waiting = waiting;
        if (entry.ticket === undefined) this.#register(entry, waiting.resumeToken);
      },
      settled: (outcome) => {
        if (entry.ticket === undefined) entry.outcome = outcome;
        else this.#settle(entry, outcome);
      },
    };
  }

  #register(entry: WaitingTicket, ticket: string): void {
    entry.ticket = ticket;
    entry.due = this.#options.clock.now() + PRESENCE;
    this.#waiting.set(ticket, entry);
    this.#wake();
  }

  #settle(entry: WaitingTicket, outcome: Outcome): void {
    const { ticket, identity } = entry;
    if (ticket === undefined || this.#waiting.get(ticket) !== entry) return;
    const due = this.#options.clock.now() + this.#options.resume();
    if (outcome.kind === 'refused' && outcome.code === 'continued-elsewhere') {
      // A client that polls again with this ticket takes the place back.
      entry.present = undefined;
      entry.due = due;
      return;
    }
    this.#waiting.delete(ticket);
    this.#retain(ticket, { identity, outcome, delivered: false, due });
  }

  #deliver(ticket: string, settled: Settled): TicketAnswer {
    if (settled.delivered) return outcomeOf(ticket, settled.outcome);
    this.#settled.delete(ticket);
    return this.#retain(ticket, { ...settled, delivered: true, due: this.#options.clock.now() + OUTCOME_LIFE });
  }

  #retain(ticket: string, settled: Settled): TicketAnswer {
    this.#settled.set(ticket, settled);
    for (const [oldest, { delivered, outcome }] of this.#settled) {
      if (this.#settled.size <= MAX_OUTCOMES) break;
      this.#forget(oldest);
      if (!delivered && outcome.kind === 'allocated') this.#release(outcome);
    }
    this.#wake();
    return outcomeOf(ticket, settled.outcome);
  }

  #forget(ticket: string): void {
    const identity = (this.#settled.get(ticket) ?? this.#waiting.get(ticket))?.identity;
    if (identity !== undefined && this.#tickets.get(identity) === ticket) {
      this.#tickets.delete(identity);
      this.#answers.delete(identity);
    }
    this.#settled.delete(ticket);
    this.#waiting.delete(ticket);
  }

  /** Returns the seconds until the next sweep. */
  #sweep(): number {
    const now = this.#options.clock.now();
    for (const [ticket, entry] of this.#waiting) {
      if (entry.due > now) continue;
      if (entry.present === undefined) this.#forget(ticket);
      else this.#away(entry, now + this.#options.resume());
    }
    for (const [ticket, settled] of this.#settled) {
      if (settled.due > now) continue;
      if (settled.delivered || settled.outcome.kind === 'refused') this.#forget(ticket);
      else {
        this.#release(settled.outcome);
        this.#settled.set(ticket, { ...settled, outcome: LAPSED, due: now + OUTCOME_LIFE });
      }
    }
    this.#idle = this.size === 0;
    return this.#idle ? Infinity : SWEEP;
  }

  /** The client is silent. It is forgotten when it is still silent at `due`. */
  #away(entry: WaitingTicket, due: number): void {
    entry.due = due;
    entry.present?.abort();
    entry.present = undefined;
  }

  /** Releases a booking that was not fetched. */
  #release({ bookingId }: Allocated): void {
    const { queue, log } = this.#options;
    queue.release(bookingId).catch((error: unknown) => {
      log.limited('warn', 'release of a lapsed booking', 'releasing an unused booking failed', { error });
    });
  }

  #wake(): void {
    if (!this.#idle) return;
    this.#idle = false;
    this.#sweeping.wake();
  }
}

/** The client and its request. The address is part of it, so that two clients with the same `clientId` do not share an answer. */
function identityOf({ address, clientId, projectUrl, labels, code, ends }: TicketRequest): string | undefined {
  if (clientId === undefined) return undefined;
  const wanted = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([address.limitKey ?? address.address, clientId, projectUrl, wanted, code, ends]);
}

function answerOf({ ticket, waiting }: WaitingTicket): TicketAnswer | undefined {
  return ticket === undefined || waiting === undefined ? undefined : { kind: 'waiting', ticket, waiting };
}

function outcomeOf(ticket: string, outcome: Outcome): TicketAnswer {
  return outcome.kind === 'allocated' ? { kind: 'allocated', ticket, outcome } : { kind: 'refused', outcome };
}
