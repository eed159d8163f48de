/** The waiting line for people: since when each request waits, for what, and why it is not served yet. Reads the waiting line and changes nothing. */
import type { Ticket } from '../core/queue/line-order.ts';
import type { WaitingLine } from '../core/queue/waiting-line.ts';
import type { WaitingClientView, WaitingListView } from '../core/views/session-views.ts';
import type { Clock } from '../ports.ts';
import type { Bookings } from './bookings.ts';
import type { DecisionLog } from './decision-log.ts';
import type { RequestRouting } from './request-routing.ts';

export interface WaitingListOptions {
  readonly clock: Pick<Clock, 'now' | 'wallTime'>;
  readonly line: WaitingLine;
  readonly routing: RequestRouting;
  readonly bookings: Pick<Bookings, 'fits' | 'isUnconfirmed'>;
  readonly decisionLog: Pick<DecisionLog, 'noRoom'>;
}

/** Kinds of requests whose servers are named one by one: each is a walk over the fleet. */
const MAX_EXPLAINED = 20;

export class WaitingList {
  readonly #options: WaitingListOptions;

  constructor(options: WaitingListOptions) {
    this.#options = options;
  }

  /** The first `max` requests, in order. */
  list(max: number): WaitingListView {
    const { clock, line } = this.#options;
    const wall = clock.wallTime() - clock.now();
    const reasons = new Map<string, string>();
    const clients: WaitingClientView[] = [];
    let position = 0;
    let before: Ticket | undefined;
    for (const ticket of line.tickets()) {
      if (clients.length >= max) break;
      position = before?.reservation === ticket.reservation ? position + 1 : 1;
      before = ticket;
      clients.push({
        id: ticket.id,
        position,
        ofClass: ticket.reservation !== undefined,
        since: wall + ticket.joinedAt,
        project: ticket.project ?? null,
        connected: ticket.lostAt === undefined,
        reason: this.#reason(ticket, position, reasons),
      });
    }
    return { at: clock.wallTime(), total: line.length, clients };
  }

  #reason(ticket: Ticket, position: number, reasons: Map<string, string>): string {
    const { bookings, routing } = this.#options;
    if (ticket.lostAt !== undefined) return NO_CONNECTION;
    if (ticket.reservation === undefined && bookings.isUnconfirmed(ticket.address)) return UNCONFIRMED;
    const { project, route } = routing.route(ticket);
    if (route.kind === 'refused') return route.reason;
    const key = JSON.stringify([route.key, project?.key, ticket.reservation, ticket.ends, ticket.except]);
    let reason = reasons.get(key);
    if (reason === undefined) {
      const request = { address: { address: '', limitKey: undefined }, ...(ticket.labels && { labels: ticket.labels }) };
      if (bookings.fits(route.candidates, project?.key, ticket)) reason = '';
      else if (reasons.size >= MAX_EXPLAINED) reason = NO_ROOM;
      else reason = `${this.#options.decisionLog.noRoom({ id: ticket.id, request, project, routeKey: route.key })}.`;
      reasons.set(key, reason);
    }
    if (reason !== '') return reason;
    return position === 1 ? NEXT : AFTER_OTHERS;
  }
}

const NO_CONNECTION = 'Its client lost the connection. The place is kept for a short time.';
const UNCONFIRMED = 'Its network address was given many places that are not in use yet.';
const NO_ROOM = 'No server that may run it has room.';
const NEXT = 'There is room: it is served next.';
const AFTER_OTHERS = 'There is room, but clients before it come first.';
