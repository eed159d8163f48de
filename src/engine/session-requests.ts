/**
 * From a session request to a server: limits, route, booking, answer.
 *
 * A request is routed (which servers may run it; none ever: refused at once), then one server is chosen and booked in one step. While others wait, the line is
 * served before a newcomer. A request for which there is no room is refused here, or waits in `QueueService`.
 */
import { allocationReason } from '../core/views/allocation-reason.ts';
import { webSocketUrl, type Endpoint, type ServerId } from '../core/fleet/endpoint.ts';
import type { Candidates } from '../core/fleet/candidates.ts';
import type { BookingRequest } from '../core/allocation/ledger.ts';
import { normalizedCode } from '../core/reservations/code.ts';
import type { SeatOutcome, SeatWish } from '../core/reservations/reserved-seats.ts';
import { asSent, type Project } from '../core/fleet/project.ts';
import type { Router } from '../core/fleet/routing.ts';
import type { TokenBuckets } from '../core/limits/token-bucket.ts';
import type { Ticket } from '../core/queue/line-order.ts';
import type { WaitingLine } from '../core/queue/waiting-line.ts';
import type { Clock, Log, NewId } from '../ports.ts';
import type { Classes } from './reservations.ts';
import type { Bookings } from './bookings.ts';
import { classNotOpen, endsForClass, heldForClass, tooManyCodes, UNKNOWN_CODE } from './class-words.ts';
import type { DecisionLog } from './decision-log.ts';
import type { Decisions } from './decisions.ts';
import type { FairTurns } from './fair-turns.ts';
import { othersWait, type Prospects } from './prospects.ts';
import { RefusalSampling } from './refusal-sampling.ts';
import type { RequestRouting, RoutableRequest } from './request-routing.ts';
import type { NoRoom, Outcome, ReceivedRequest, Refused, SessionRequest } from './request-types.ts';

export interface SessionRequestsOptions {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  readonly bookings: Bookings;
  readonly router: Router;
  readonly routing: RequestRouting;
  readonly line: WaitingLine;
  readonly prospects: Prospects;
  readonly buckets: TokenBuckets;
  readonly decisions: Decisions;
  readonly decisionLog: DecisionLog;
  readonly settings: () => RequestSettings;
  readonly classes?: Classes;
  /** Absent: first come, first served. */
  readonly turns?: FairTurns;
  readonly endpoint: (id: ServerId) => Endpoint | undefined;
  /** Tries every ticket in line once. */
  readonly serveLine: () => Promise<void>;
}

export interface RequestSettings {
  /** `wss` in the URLs that are handed out. */
  readonly handOutSsl: boolean;
  /** Seconds a booking counts in full or in part without a report that shows it. */
  readonly settle: number;
}

/** A request that at least one server may run. */
export interface RoutedRequest extends ReceivedRequest, Omit<RoutableRequest, 'project'> {
  /** Whose turn it takes, where the line goes by turns. */
  readonly turn?: string;
}

export type Booked = Extract<SeatOutcome, { kind: 'booked' }> & {
  /** The candidates that were not reserved for others. Absent: all of them. */
  readonly unreserved?: Candidates;
};

/** Walks along the line before a newcomer is refused: one that was under way may have passed a server before it had room. */
const WALKS = 2;
/** Seconds after which an address with many unused places may ask again: some of them are used or released by then. */
const UNCONFIRMED_RETRY = 10;
const TOO_MANY_UNCONFIRMED =
  'Many places were given to your network address within the last minute and are not in use yet; try again in a moment.';
const UNCONFIRMED: NoRoom = { kind: 'no-room', unconfirmed: true };

export class SessionRequests {
  readonly #options: SessionRequestsOptions;
  readonly #refusalSampling = new RefusalSampling();

  constructor(options: SessionRequestsOptions) {
    this.#options = options;
  }

  /** Allocated or refused, at once. */
  async request(request: SessionRequest): Promise<Outcome> {
    const routed = this.route(request);
    if (routed.kind === 'refused') return routed;
    const booked = await this.book(routed);
    return booked.kind === 'booked' ? this.allocate(routed, booked, 0) : this.#refuseForRoom(routed, booked);
  }

  /** Like `request`, but a missing room is not recorded as a refusal: the client will wait elsewhere and is decided on then. */
  async tryOnce(request: SessionRequest): Promise<Outcome | NoRoom> {
    const routed = this.route(request);
    if (routed.kind === 'refused') return routed;
    const booked = await this.book(routed);
    return booked.kind === 'booked' ? this.allocate(routed, booked, 0) : booked;
  }

  /** Limits, project and servers of a request, or why it is refused at once. */
  route(request: SessionRequest): RoutedRequest | Refused {
    const { buckets, clock, newId, routing } = this.#options;
    const { limitKey } = request.address;
    const seconds = limitKey === undefined || request.counted === true ? 0 : buckets.take(limitKey, clock.now());
    if (seconds > 0 && !this.#mayExceedRate(limitKey)) return this.#refuseForRate(request, seconds);

    const read = routing.read(request);
    if (seconds > 0 && !this.#hasRoomFor(read)) return this.#refuseForRate(request, seconds);
    const id = newId();
    if (read.kind === 'routable') return this.#withTurn(this.#withClass({ id, request, ...read }));
    return this.refuseForGood({ id, request, project: read.project }, read.code, read.reason);
  }

  /** The limit protects others. No other client suffers while none waits and the address uses what it was given: a school may be behind one address. */
  #mayExceedRate(limitKey: string | undefined): boolean {
    const { line, bookings } = this.#options;
    return line.length === 0 && !bookings.isUnconfirmed(limitKey);
  }

  #hasRoomFor(read: ReturnType<RequestRouting['read']>): boolean {
    return read.kind === 'routable' && this.#options.bookings.fits(read.candidates, read.project?.key, read.want);
  }

  /** A request that belongs to a class takes a seat. A code is never served as if there were none. */
  #withClass(routed: RoutedRequest): RoutedRequest | Refused {
    const { classes, routing, clock } = this.#options;
    const { request, project } = routed;
    const { code } = request;
    if (classes === undefined) return routed;
    const found = classes.classOf({
      ...(code !== undefined && { code: normalizedCode(code) ?? code }),
      ...(project !== undefined && { project: project.key }),
      holder: bookingRequest(request, project).id,
    });
    switch (found.kind) {
      case 'class':
        return { ...routed, want: routing.want(project, request.labels, { reservation: found.reservation.id }) };
      case 'unknown-code':
        return this.#refuseCode(routed, classes);
      case 'not-now':
        return this.refuse(routed, 'class-not-open', classNotOpen(found.reservation, clock.wallTime()), {
          reservation: found.reservation.id,
        });
      case 'seats-taken':
      case 'public':
        return routed;
    }
  }

  /** A client with a seat of a class does not take turns with others. */
  #withTurn(routed: RoutedRequest | Refused): RoutedRequest | Refused {
    if (routed.kind === 'refused' || routed.want.reservation !== undefined) return routed;
    const turn = this.#options.turns?.of(routed.request, routed.project);
    return turn === undefined ? routed : { ...routed, turn };
  }

  #refuseCode(routed: RoutedRequest, classes: Classes): Refused {
    const seconds = classes.wrongCode(routed.request.address);
    if (seconds === 0) return this.refuse(routed, 'unknown-code', UNKNOWN_CODE);
    return this.refuse(routed, 'too-many-codes', tooManyCodes(seconds), { retryAfter: Math.ceil(seconds) });
  }

  /** Chooses and books a server for a request that is not in line. */
  async book(routed: RoutedRequest): Promise<Booked | NoRoom> {
    const booked = await this.#book(routed);
    if (booked.kind === 'booked') this.#options.turns?.booked(routed.turn, booked.bookingId);
    return booked;
  }

  async #book({ request, project, candidates, want }: RoutedRequest): Promise<Booked | NoRoom> {
    const { bookings, line, prospects, serveLine } = this.#options;
    if (candidates.tiers.length === 0) return { kind: 'no-room' };
    const booking = bookingRequest(request, project, want);
    const fits = () => bookings.fits(candidates, project?.key, want);
    if (line.length === 0) return roomOf(await bookings.book(booking, candidates));
    // The usual answer while others wait, found without looking at the line.
    if (!fits()) return { kind: 'no-room' };
    let backfill = prospects.backfill(want);
    for (let walks = 0; backfill.kind === 'line-first' && walks < WALKS; walks += 1) {
      await serveLine();
      backfill = prospects.backfill(want);
    }
    if (backfill.kind === 'yes') {
      const booked = await bookings.book(booking, backfill.candidates);
      if (booked.kind === 'unconfirmed') return UNCONFIRMED;
      if (booked.kind === 'booked') return { ...booked, unreserved: backfill.candidates };
    }
    return { kind: 'no-room', ...(fits() && { othersWait: true }) };
  }

  /** Books one of these servers for a request whose turn it is in line. */
  async bookFor(
    { request, project, want }: Pick<RoutedRequest, 'request' | 'project'> & { readonly want: Ticket },
    candidates: Candidates,
  ): Promise<SeatOutcome> {
    const { bookings, turns } = this.#options;
    const outcome = await bookings.book(bookingRequest(request, project, want), candidates);
    if (outcome.kind === 'booked') turns?.booked(want.turn, outcome.bookingId);
    return outcome;
  }

  /** Answers a request with the server that was booked for it. `waited` is seconds. */
  allocate({ id, request, project, candidates, want }: RoutedRequest, booked: Booked, waited: number): Outcome {
    const { clock, endpoint, settings, log, router, prospects, decisionLog } = this.#options;
    const { server, bookingId, load, predicted, tier, lastResort, endsAt, unreserved = candidates } = booked;
    const found = endpoint(server);
    prospects.publish();
    // The server left the fleet after it was booked.
    if (found === undefined)
      return this.refuse({ id, request, project }, 'no-room', 'The chosen simulation server has just been removed; try again.');
    const { address } = found;
    const admittance = router.admittance(server, project, request.labels);
    const besideReserved = isPart(unreserved, candidates);
    const { reservation } = want;
    const why = allocationReason({
      ofClass: reservation !== undefined,
      address,
      load,
      predicted,
      admittance,
      laterTier: tier > 0,
      lastResort,
      besideReserved,
    });
    const reason = endsAt === undefined ? why : `${why} ${endsForClass(endsAt)}`;
    const handOut = { server, candidates, unreserved, hasSeat: reservation !== undefined };
    decisionLog.record({ id, request, project, kind: 'allocated', code: 'allocated', reason, waited, handOut, reservation });
    const ending = endsAt !== undefined && { endsAt };
    const sentence = `${address} simulation server handed out to ${request.address.address}`;
    log.limited('info', `allocated ${server}`, sentence, { id, load, predicted, waited, ...ending });
    const { handOutSsl, settle } = settings();
    const expiresAt = clock.wallTime() + settle;
    return { kind: 'allocated', id, url: webSocketUrl(found, handOutSsl), server, bookingId, expiresAt, ...ending };
  }

  /** No server may ever run it. Logged, because the administrator will be asked why; a lack of room is not. */
  refuseForGood({ id, request, project }: ReceivedRequest, code: string, reason: string): Refused {
    const { address, limitKey = address } = request.address;
    const fields = { id, code, project: asSent(project?.url ?? request.projectUrl) };
    this.#options.log.limited('info', `refused ${limitKey}`, `${address} is refused a session: ${reason}`, fields);
    return this.refuse({ id, request, project }, code, reason);
  }

  /** `retryAfter` is seconds. */
  refuse(
    { id, request, project }: ReceivedRequest,
    code: string,
    reason: string,
    { retryAfter, reservation }: { readonly retryAfter?: number; readonly reservation?: string } = {},
  ): Refused {
    this.#options.decisionLog.record({ id, request, project, kind: 'refused', code, reason, waited: 0, reservation });
    return { kind: 'refused', code, reason, ...(retryAfter !== undefined && { retryAfter }) };
  }

  #refuseForRoom(routed: RoutedRequest, noRoom: NoRoom): Refused {
    const { line, decisionLog, classes, clock } = this.#options;
    if (noRoom.unconfirmed === true)
      return this.refuse(routed, 'too-many-requests', TOO_MANY_UNCONFIRMED, { retryAfter: UNCONFIRMED_RETRY });
    if (noRoom.othersWait === true) return this.refuse(routed, 'others-wait', othersWait(line.length));
    const held = classes?.heldFor(routed.candidates, routed.project?.key, routed.want);
    if (held !== undefined && routed.want.reservation === undefined)
      return this.refuse(routed, 'held-for-class', heldForClass(held, clock.wallTime()), { reservation: held.id });
    return this.refuse(routed, 'no-room', decisionLog.noRoom(routed));
  }

  #refuseForRate(request: SessionRequest, seconds: number): Refused {
    const { decisions, clock, newId, routing, decisionLog } = this.#options;
    const retryAfter = Math.max(1, Math.ceil(seconds));
    const code = 'too-many-requests';
    if (this.#isRecorded(request)) {
      const received = { id: newId(), request, project: routing.project(request.projectUrl) };
      const reason =
        'Too many session requests from one network address (named in the log); further ones within a minute are only counted.';
      decisionLog.record({ ...received, kind: 'refused', code, reason, waited: 0, alone: true });
    } else decisions.count('refused', code, clock.now());
    const reason = `too many session requests come from your network address; try again in ${retryAfter} s.`;
    return { kind: 'refused', code, reason, retryAfter };
  }

  #isRecorded({ address: { address, limitKey = address } }: SessionRequest): boolean {
    const { clock, log } = this.#options;
    const sampling = this.#refusalSampling.next(limitKey, clock.now());
    if (sampling === 'counted') return false;
    log.limited('warn', `rate-limit ${limitKey}`, `${address} asks for sessions too often and is refused`, { address });
    return sampling === 'recorded';
  }
}

function roomOf(outcome: SeatOutcome): Booked | NoRoom {
  return outcome.kind === 'unconfirmed' ? UNCONFIRMED : outcome;
}

function isPart(candidates: Candidates, whole: Candidates): boolean {
  return candidates !== whole && sizeOf(candidates) < sizeOf(whole);
}

function sizeOf({ tiers }: Candidates): number {
  return tiers.reduce((sum, { length }) => sum + length, 0);
}

/** A client that names itself and asks again is evidence against the server it got before (docs/design/allocation.md, "Weak cases and mitigations"). */
function bookingRequest(
  { clientId, address }: SessionRequest,
  project: Project | undefined,
  { reservation, ends }: SeatWish = {},
): BookingRequest & SeatWish {
  return {
    id: clientId === undefined ? '' : `${address.address} ${clientId}`,
    ...(address.limitKey !== undefined && { address: address.limitKey }),
    ...(project !== undefined && { project: project.key }),
    ...(reservation !== undefined && { reservation }),
    ...(ends !== undefined && { ends }),
  };
}
