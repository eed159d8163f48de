/**
 * Serves the waiting line: clients join it, are sent their position, and get a server in turn, until they give up or disconnect.
 *
 * The line is walked whenever something changed that can make room, and once a second. A client that lost its connection finds its place again by its resume
 * token, for a while and across restarts.
 */
import type { SecondsRange } from '../core/views/monitor-view.ts';
import type { Standing, Ticket } from '../core/queue/line-order.ts';
import type { Turn } from '../core/queue/backfill.ts';
import type { WaitingLine } from '../core/queue/waiting-line.ts';
import type { Clock, Log, NewId } from '../ports.ts';
import type { Restored } from '../state/document.ts';
import { readOutcomes } from '../state/undelivered-outcomes.ts';
import { readWaitingLine, saveWaitingLine } from '../state/waiting-line.ts';
import type { Bookings } from './bookings.ts';
import type { DecisionLog } from './decision-log.ts';
import type { FairTurns } from './fair-turns.ts';
import { startLoop, type Loop } from './loop.ts';
import type { Prospects } from './prospects.ts';
import type { RequestRouting } from './request-routing.ts';
import type {
  Allocated,
  FailedSession,
  Outcome,
  ReceivedRequest,
  Refused,
  SessionRequest,
  Waiter,
  Waiting,
} from './request-types.ts';
import { RestoredTickets, type Claim } from './restored-tickets.ts';
import type { Booked, RoutedRequest, SessionRequests } from './session-requests.ts';
import { UndeliveredOutcomes, type OutcomeObserver } from './undelivered-outcomes.ts';

export interface QueueServiceOptions {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  readonly bookings: Pick<Bookings, 'connected' | 'release'>;
  readonly line: WaitingLine;
  readonly routing: RequestRouting;
  readonly requests: SessionRequests;
  readonly prospects: Prospects;
  readonly decisionLog: DecisionLog;
  /** Seconds an outcome is held that its client may not have received. */
  readonly resume: () => number;
  readonly outcomeObserver?: OutcomeObserver | undefined;
  /** Absent: first come, first served. */
  readonly turns?: FairTurns;
  /** Whether this replica has lost its connections, so that its clients come back elsewhere. Absent: there are no replicas. */
  readonly isGone?: (replica: string) => boolean;
}

/** Seconds between two tries while clients wait (docs/design/allocation.md, "Queue"). */
const RETRY = 1;
/** Seconds between two saves of a line in which nothing changes. */
const SAVE_INTERVAL = 60;
/** Seconds between two looks at the estimates of all waiting clients. */
const ESTIMATE_INTERVAL = 10;
/** Tickets tried before the walk along the line lets other work run: about a millisecond. */
const STRETCH = 500;

/** A request in line, with or without the connection of its client. */
interface WaitingRequest {
  readonly request: SessionRequest;
  token: string;
  /** Seconds of the clock when its waiting began. */
  readonly joinedAt: number;
  waiter: Waiter | undefined;
  /** What the waiter was sent last. */
  sent?: Waiting;
}

export class QueueService {
  readonly #options: QueueServiceOptions;
  readonly #waiting = new Map<string, WaitingRequest>();
  readonly #undelivered: UndeliveredOutcomes;
  readonly #restored = new RestoredTickets();
  /** When places end whose clients do not come back, by ticket: seconds of the clock. */
  readonly #leaving = new Map<string, number>();
  /** Places of clients of another replica that do not know their tokens. */
  readonly #orphans = new RestoredTickets();
  readonly #serving: Loop;
  /** What ends the requests that are held, by their ids. */
  readonly #holding = new Map<string, AbortController>();
  #estimatesSentAt = 0;
  #version = 0;
  /** The walk along the line that is under way. */
  #walking: Promise<void> | undefined;
  readonly #stopping = new AbortController();

  constructor(options: QueueServiceOptions) {
    this.#options = options;
    this.#undelivered = new UndeliveredOutcomes(options.outcomeObserver);
    this.#serving = startLoop({
      clock: options.clock,
      delay: RETRY,
      cycle: () => this.#serve(),
      failed: (error) => {
        options.log.error('serving the waiting line failed inside the session server', { error });
        return RETRY;
      },
    });
  }

  /** Clients in line, those without a connection included. */
  get length(): number {
    return this.#options.line.length;
  }

  /** Allocated, refused, or placed in line. The waiter is sent its position until the wait ends. Resolves when it was sent the first of these. */
  async wait(request: SessionRequest, waiter: Waiter): Promise<void> {
    for (const token of [request.place?.token, request.resumeToken])
      if (token !== undefined && (await this.#continues(token, request)) && this.resume(token, waiter)) return;
    await this.#wait(request, waiter);
  }

  /** Whether `resume` would find a place or an outcome. */
  holds(token: string): boolean {
    const { line, clock } = this.#options;
    return (line.ofToken(token, clock.now()) ?? this.#undelivered.get(token, clock.now())) !== undefined;
  }

  /**
   * Like `wait`, for a client whose server failed before the session began: its booking is released, and it waits at the head of the line for another server.
   * If every server that may run it has failed it, all of them are tried again.
   */
  async requeue(request: SessionRequest, { bookingId, since, servers }: FailedSession, waiter: Waiter): Promise<void> {
    const { line, clock, newId, requests } = this.#options;
    await this.release(bookingId);
    const routed = requests.route({ ...request, counted: true });
    if (routed.kind === 'refused') {
      waiter.settled(routed);
      return;
    }
    if (waiter.gone.aborted) {
      this.#recordGone(routed, 0);
      return;
    }
    const { limitKey } = request.address;
    const ticket = { id: routed.id, ...routed.want, except: servers, ...(limitKey !== undefined && { address: limitKey }) };
    const joined = line.rejoin(ticket, since, clock.now());
    if (joined.kind === 'joined') this.#enter(routed, waiter, newId(), joined);
  }

  /** Like `wait`, for a client that can be sent only one answer: after `seconds` it is refused with its position, and its place is given up. */
  async hold(request: SessionRequest, seconds: number, gone: AbortSignal): Promise<Outcome> {
    const ended = new AbortController();
    let position: number | undefined;
    let outcome: Outcome | undefined;
    const routed = await this.#wait(request, {
      keepPlace: false,
      gone,
      changed: (waiting) => (position = waiting.position),
      settled: (settled) => {
        outcome = settled;
        ended.abort();
      },
    });
    // While the program stops, its request is still answered, even one that comes only then.
    if (this.#stopping.signal.aborted) ended.abort();
    if (routed !== undefined) this.#holding.set(routed.id, ended);
    if (outcome === undefined) await this.#options.clock.sleep(seconds, AbortSignal.any([gone, ended.signal]));
    if (routed !== undefined) this.#holding.delete(routed.id);
    if (outcome !== undefined) return outcome;
    const refused = routed === undefined || gone.aborted ? undefined : this.#refuseHeld(routed);
    return { ...(refused ?? NO_ROOM), ...(position !== undefined && { position }) };
  }

  /** Continues the place that the token belongs to, or repeats its outcome. `false`: there is no such place any more, and the waiter is sent nothing. */
  resume(token: string, waiter: Waiter): boolean {
    const { line, clock } = this.#options;
    const standing = line.resume(token, clock.now());
    const waiting = standing && this.#waiting.get(standing.ticket.id);
    if (standing === undefined || waiting === undefined) {
      const undelivered = this.#undelivered.get(token, clock.now());
      if (undelivered !== undefined) waiter.settled(undelivered.outcome);
      return undelivered !== undefined;
    }
    const { waiter: before } = waiting;
    waiting.waiter = waiter;
    this.#leaving.delete(standing.ticket.id);
    this.#orphans.delete(token);
    delete waiting.sent;
    const reason = 'This place in line is continued on another connection.';
    before?.settled({ kind: 'refused', code: 'continued-elsewhere', reason });
    this.#watch(standing.ticket.id, waiting, waiter);
    this.#notify(standing, clock.now());
    this.#serving.wake();
    return true;
  }

  /** The holder of the token has received its outcome. */
  delivered(token: string): void {
    this.#undelivered.forget(token);
  }

  /** The holder of the token no longer wants its place. `false`: there is no such place any more. */
  async giveUp(token: string): Promise<boolean> {
    const { line, clock } = this.#options;
    const standing = line.resume(token, clock.now());
    const waiting = standing && this.#waiting.get(standing.ticket.id);
    if (standing === undefined || waiting === undefined) {
      const undelivered = this.#undelivered.get(token, clock.now());
      this.#undelivered.forget(token);
      if (undelivered !== undefined) await this.release(undelivered.outcome.bookingId);
      return undelivered !== undefined;
    }
    line.leave(standing.ticket.id);
    waiting.waiter?.settled({ kind: 'refused', code: 'given-up', reason: 'This place in line was given up.' });
    this.#abandon(standing.ticket.id, waiting);
    return true;
  }

  /**
   * The holder of the token may no longer want its place: it ends after `grace` seconds, unless the client is connected then. So a page that is loaded
   * again keeps its place. `false`: there is no such place any more.
   */
  giveUpLater(token: string, grace: number): boolean {
    const { line, clock } = this.#options;
    const ticket = line.ofToken(token, clock.now());
    if (ticket !== undefined) this.#leaving.set(ticket.id, clock.now() + grace);
    return ticket !== undefined || this.#undelivered.get(token, clock.now()) !== undefined;
  }

  /** An operator removes a request from the line. `false`: it is not in line any more. */
  remove(id: string): boolean {
    const { line, clock, routing, decisionLog } = this.#options;
    const waiting = this.#waiting.get(id);
    if (waiting === undefined || line.leave(id) === undefined) return false;
    const { request, joinedAt } = waiting;
    const project = routing.project(request.projectUrl);
    decisionLog.record({ id, request, project, ...REMOVED, waited: clock.now() - joinedAt, alone: true });
    waiting.waiter?.settled(REMOVED);
    this.#leave(id);
    return true;
  }

  /** To be called after every change that can make room or take it away. */
  refresh(): void {
    this.#options.prospects.publish();
    if (this.length > 0) this.#serving.wake();
  }

  /** The client of the booking opened its session. */
  async connected(bookingId: string): Promise<void> {
    await this.#options.bookings.connected(bookingId);
    this.#options.turns?.connected(bookingId);
    this.refresh();
  }

  /** The session ended, or its client never came: its predicted load is free at once. */
  async release(bookingId: string): Promise<void> {
    await this.#options.bookings.release(bookingId);
    this.#options.turns?.released(bookingId);
    this.refresh();
  }

  /** Puts the clients of the last run back in line. They have to show their resume tokens. */
  restore(value: unknown): Restored {
    const { line, clock, log } = this.#options;
    const read = readWaitingLine(value, clock.wallTime());
    if (read.kind === 'foreign') return read;
    const { tickets, problems } = line.restore(read.tickets, clock.now());
    for (const problem of [...read.problems, ...problems]) log.warn(`saved waiting line: ${problem}`);
    const orphans = new Set(read.tickets.flatMap(({ id, orphan }) => (orphan === true ? [id] : [])));
    for (const ticket of tickets) {
      const { id, token = '', address, clientId, project, labels, ends, joinedAt, replica } = ticket;
      const claim = { limitKey: address, project, labels };
      if (orphans.has(id) || replica !== undefined) this.#orphans.add(orphanOf(ticket), token);
      else if (clientId !== undefined) this.#restored.add({ ...claim, clientId }, token);
      const wanted = {
        ...(clientId !== undefined && { clientId }),
        ...(project !== undefined && { projectUrl: project }),
        ...(labels !== undefined && { labels }),
        ...(ends !== undefined && { ends }),
      };
      const request = { address: { address: address ?? 'unknown', limitKey: address }, ...wanted };
      this.#waiting.set(id, { request, token, joinedAt, waiter: undefined });
    }
    this.refresh();
    return { kind: 'restored' };
  }

  /** Outcomes that another replica gave; their clients can show their tokens here. */
  restoreOutcomes(value: unknown): Restored {
    const { clock } = this.#options;
    const now = clock.now();
    const read = readOutcomes(value);
    if (read.kind === 'foreign') return read;
    for (const { token, until, projectUrl, outcome } of read.outcomes) {
      const request = { address: { address: 'unknown', limitKey: undefined }, ...(projectUrl !== undefined && { projectUrl }) };
      this.#undelivered.keep(token, { request, outcome }, now, now + until - clock.wallTime());
    }
    return { kind: 'restored' };
  }

  /** The resume token of the place that this client took for the same request before a restart; returned once. */
  restoredToken(request: SessionRequest): string | undefined {
    const { clientId, address, labels, projectUrl } = request;
    if (clientId === undefined || this.#restored.isEmpty) return undefined;
    const project = this.#options.routing.project(projectUrl)?.url;
    return this.#restored.take({ clientId, limitKey: address.limitKey, project, labels });
  }

  /** Differs whenever `save` would return other tickets, and every minute while clients wait: no client could come back to a line that was saved long ago. */
  get version(): unknown {
    const { clock } = this.#options;
    return this.length === 0 ? this.#version : `${this.#version} ${Math.floor(clock.now() / SAVE_INTERVAL)}`;
  }

  save(): unknown {
    const { line, clock } = this.#options;
    return saveWaitingLine(line.tickets(), clock.now(), clock.wallTime());
  }

  async stop(): Promise<void> {
    const { line, clock } = this.#options;
    // So that the line is saved as of now.
    if (line.length > 0) this.#version += 1;
    this.#stopping.abort();
    for (const ended of this.#holding.values()) ended.abort();
    for (const [id, waiting] of this.#waiting) {
      // Recorded now: its connection may end when decisions are no longer saved, and the client would seem to have left.
      if (this.#holding.has(id) || line.lost(id, clock.now()) !== 'ended') continue;
      this.#waiting.delete(id);
      this.#recordAbandoned(id, waiting, STOPPED);
    }
    await this.#serving.stop();
  }

  /** Tries every ticket in line once. There is never a second walk at the same time: the two would overtake each other. */
  walk(): Promise<void> {
    this.#walking ??= this.#walkAlong().finally(() => (this.#walking = undefined));
    return this.#walking;
  }

  /** A client that shows a token but wants to run something else makes a new request, and gives up the place of the token. */
  async #continues(token: string, request: SessionRequest): Promise<boolean> {
    const { line, clock } = this.#options;
    const ticket = line.ofToken(token, clock.now());
    const before = (ticket && this.#waiting.get(ticket.id)) ?? this.#undelivered.get(token, clock.now());
    if (before === undefined || this.#wantsSame(request, before.request)) return true;
    await this.giveUp(token);
    return false;
  }

  /** A client that does not name a project wants the same as before. */
  #wantsSame({ projectUrl }: SessionRequest, before: SessionRequest): boolean {
    if (projectUrl === undefined || projectUrl === before.projectUrl) return true;
    const { routing } = this.#options;
    const project = routing.project(projectUrl);
    return project !== undefined && project.url === routing.project(before.projectUrl)?.url;
  }

  /** Returns the routed request, unless it was refused at once. */
  async #wait(request: SessionRequest, waiter: Waiter): Promise<RoutedRequest | undefined> {
    const { requests } = this.#options;
    const routed = requests.route(request);
    if (routed.kind === 'refused') {
      waiter.settled(routed);
      return undefined;
    }
    const adopted = this.#adopt(routed, waiter);
    if (adopted !== undefined) return { ...routed, id: adopted };
    const booked = await requests.book(routed);
    if (booked.kind === 'booked') await this.#deliver(routed, booked, 0, waiter, request.place?.token);
    else this.#join(routed, waiter);
    return routed;
  }

  /** A client that cannot show a token takes over the place that it, or one like it, had on another replica. Returns the ticket. */
  #adopt({ request, want }: RoutedRequest, waiter: Waiter): string | undefined {
    const { place } = request;
    if (this.#orphans.isEmpty || (waiter.keepPlace && place?.replica === undefined)) return undefined;
    const { line, clock } = this.#options;
    const { project, labels, reservation } = want;
    const claim = { limitKey: request.address.limitKey, project, labels, reservation };
    const token = this.#orphans.take(claim, (orphan) => this.#isAbandoned(orphan));
    const ticket = token === undefined ? undefined : line.ofToken(token, clock.now());
    const waiting = ticket && this.#waiting.get(ticket.id);
    if (ticket === undefined || waiting === undefined) return undefined;
    if (place !== undefined) {
      line.handOver(ticket.id, place);
      waiting.token = place.token;
    }
    return this.resume(waiting.token, waiter) ? ticket.id : undefined;
  }

  /** Its client cannot come back to it by its token. */
  #isAbandoned(token: string): boolean {
    const { line, clock, isGone } = this.#options;
    const ticket = line.ofToken(token, clock.now());
    if (ticket === undefined || this.#waiting.get(ticket.id)?.waiter !== undefined) return false;
    return ticket.replica === undefined || isGone?.(ticket.replica) === true;
  }

  #join(routed: RoutedRequest, waiter: Waiter): void {
    const { line, clock, newId, requests } = this.#options;
    const { id, request, want, turn } = routed;
    if (waiter.gone.aborted) {
      this.#recordGone(routed, 0);
      return;
    }
    const { clientId, place } = request;
    const { limitKey } = request.address;
    const token = place?.token ?? newId();
    const ticket = {
      ...{ id, ...want },
      ...(limitKey !== undefined && { address: limitKey }),
      ...(clientId !== undefined && { clientId }),
      ...(waiter.keepPlace && { token }),
      ...(place?.replica !== undefined && { replica: place.replica }),
      ...(turn !== undefined && { turn }),
    };
    const joined = line.join(ticket, clock.now());
    if (joined.kind === 'refused') {
      waiter.settled(requests.refuse(routed, joined.code, joined.reason));
      return;
    }
    const { displaced } = joined;
    const lost = displaced && this.#waiting.get(displaced.id);
    if (displaced !== undefined && lost !== undefined) this.#abandon(displaced.id, lost);
    this.#enter(routed, waiter, token, joined);
  }

  #enter({ id, request }: ReceivedRequest, waiter: Waiter, token: string, joined: Standing): void {
    const waiting: WaitingRequest = { request, token, joinedAt: joined.ticket.joinedAt, waiter };
    this.#waiting.set(id, waiting);
    this.#version += 1;
    this.#watch(id, waiting, waiter);
    this.#notify(joined, this.#options.clock.now());
    this.#options.prospects.publish();
    this.#serving.wake();
  }

  /** Notices when the client disconnects. */
  #watch(id: string, waiting: WaitingRequest, waiter: Waiter): void {
    const lost = () => {
      if (waiting.waiter !== waiter || this.#waiting.get(id) !== waiting) return;
      waiting.waiter = undefined;
      const { line, clock } = this.#options;
      if (line.lost(id, clock.now()) !== 'kept') {
        this.#abandon(id, waiting);
        return;
      }
      const ticket = line.get(id);
      if (ticket?.replica !== undefined) this.#orphans.add(orphanOf(ticket), waiting.token);
      this.#serving.wake();
    };
    if (waiter.gone.aborted) lost();
    else waiter.gone.addEventListener('abort', lost, { once: true });
  }

  /** Sends a booked server to a waiter, or releases it if the client has disconnected. */
  async #deliver(routed: RoutedRequest, booked: Booked, waited: number, waiter: Waiter, token?: string): Promise<void> {
    if (!waiter.gone.aborted) {
      const outcome = this.#options.requests.allocate(routed, booked, waited);
      if (token !== undefined && waiter.keepOutcome === true && outcome.kind === 'allocated')
        this.#keep(token, routed.request, outcome);
      waiter.settled(outcome);
      return;
    }
    this.#recordGone(routed, waited);
    await this.release(booked.bookingId);
  }

  #keep(token: string, request: SessionRequest, outcome: Allocated): void {
    const { clock, resume } = this.#options;
    const now = clock.now();
    this.#undelivered.keep(token, { request, outcome }, now, now + resume());
  }

  /** The client was never sent an outcome. `waited` is seconds. */
  #recordGone({ id, request, project }: ReceivedRequest, waited: number): void {
    const reason = 'The client disconnected before its place was confirmed.';
    this.#options.decisionLog.record({ id, request, project, kind: 'abandoned', code: 'client-gone', reason, waited });
  }

  #abandon(id: string, waiting: WaitingRequest): void {
    this.#recordAbandoned(id, waiting, GONE);
    this.#leave(id);
  }

  #recordAbandoned(
    id: string,
    { request, joinedAt }: WaitingRequest,
    why: { readonly code: string; readonly reason: string },
  ): void {
    const { clock, routing, decisionLog } = this.#options;
    const project = routing.project(request.projectUrl);
    decisionLog.record({ id, request, project, kind: 'abandoned', ...why, waited: clock.now() - joinedAt });
  }

  /** Its client waited for the maximum time. `undefined`: it ended otherwise. */
  #refuseHeld(routed: RoutedRequest): Refused | undefined {
    const { clock, line, prospects, decisionLog } = this.#options;
    const { id, project, request } = routed;
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return undefined;
    const waited = clock.now() - waiting.joinedAt;
    line.leave(id);
    const prospect = prospects.prospect(project, request.labels);
    const { code, reason } =
      'reason' in prospect
        ? { code: prospect.kind, reason: prospect.reason }
        : { code: 'no-room', reason: `${decisionLog.noRoom(routed)}; none had room while the request was held.` };
    const reservation = prospect.kind === 'held-for-class' ? prospect.reservation : undefined;
    decisionLog.record({ ...routed, kind: 'refused', code, reason, waited, reservation });
    this.#leave(id);
    return { kind: 'refused', code, reason };
  }

  #leave(id: string): void {
    this.#remove(id);
    this.#notifyAll();
    this.refresh();
  }

  #remove(id: string): void {
    this.#orphans.delete(this.#waiting.get(id)?.token ?? '');
    this.#waiting.delete(id);
    this.#version += 1;
  }

  /** Ends the places of clients that did not come back, and serves the others. Returns the seconds until the next time. */
  async #serve(): Promise<number> {
    const { line, clock } = this.#options;
    for (const { id } of [...line.expire(clock.now()), ...this.#left(clock.now())]) {
      const waiting = this.#waiting.get(id);
      if (waiting) this.#abandon(id, waiting);
    }
    if (line.length === 0) return Infinity;
    this.#options.turns?.expire();
    await this.walk();
    return line.length > 0 ? RETRY : Infinity;
  }

  /** Takes the tickets out of the line whose clients left, and did not come back. */
  #left(now: number): readonly Ticket[] {
    return [...this.#leaving].flatMap(([id, due]) => {
      if (due > now) return [];
      this.#leaving.delete(id);
      const isBack = this.#waiting.get(id)?.waiter !== undefined;
      return (isBack ? undefined : this.#options.line.leave(id)) ?? [];
    });
  }

  async #walkAlong(): Promise<void> {
    const { line, clock, routing, prospects } = this.#options;
    const { signal } = this.#stopping;
    const pass = line.pass(clock.now(), routing.candidatesOf, STRETCH);
    while (!signal.aborted) {
      for (let turn = pass.next(); turn !== undefined; turn = pass.next())
        if ((await this.#try(turn)) === 'unconfirmed') pass.skip();
      if (pass.ended) break;
      await clock.sleep(0, signal);
    }
    this.#notifyAll();
    prospects.publish();
  }

  /** `unconfirmed`: it does not fit for a reason of its own, and others that want the same may. */
  async #try({ ticket, candidates }: Turn): Promise<'unconfirmed' | undefined> {
    const { line, clock, routing, requests } = this.#options;
    const { id, joinedAt } = ticket;
    const waiting = this.#waiting.get(id);
    const { project, route } = routing.route(ticket);
    if (waiting === undefined || route.kind === 'refused' || candidates === undefined) {
      // The fleet changed so that no server may ever run it.
      line.leave(id);
      this.#remove(id);
      if (waiting === undefined || route.kind !== 'refused') return undefined;
      const refused = requests.refuseForGood({ id, request: waiting.request, project }, route.code, route.reason);
      waiting.waiter?.settled(refused);
      return undefined;
    }
    const { request, token } = waiting;
    const booked = await requests.bookFor({ request, project, want: ticket }, candidates);
    if (booked.kind === 'unconfirmed') return booked.kind;
    if (booked.kind === 'no-room') return undefined;
    const { waiter } = waiting;
    // Disconnected during the booking: a client with a resume token keeps its place, without a server.
    if (waiter === undefined || line.admitted(id, clock.now()) === undefined) {
      await this.release(booked.bookingId);
      return undefined;
    }
    this.#remove(id);
    const routed = {
      id,
      request,
      project,
      kind: 'routable',
      want: ticket,
      candidates: route.candidates,
      routeKey: route.key,
    } as const;
    await this.#deliver(routed, { ...booked, unreserved: candidates }, clock.now() - joinedAt, waiter, token);
    return undefined;
  }

  /** Sends new positions, and from time to time new estimates. */
  #notifyAll(): void {
    const { line, clock } = this.#options;
    const now = clock.now();
    for (const standing of line.changes()) this.#notify(standing, now);
    if (now - this.#estimatesSentAt < ESTIMATE_INTERVAL) return;
    // Estimates change although positions do not.
    this.#estimatesSentAt = now;
    let position = 0;
    let last: Ticket | undefined;
    for (const ticket of line.tickets()) {
      position = last?.reservation === ticket.reservation ? position + 1 : 1;
      last = ticket;
      this.#notify({ ticket, position }, now);
    }
  }

  #notify({ ticket, position }: Standing, now: number): void {
    const waiting = this.#waiting.get(ticket.id);
    if (waiting?.waiter === undefined) return;
    // The pace is that of the public line.
    const estimate = ticket.reservation === undefined ? this.#options.line.estimate(position, now) : undefined;
    const turn = this.#options.line.turnOf(ticket.id);
    const status: Waiting = {
      ...{ position, ofClass: ticket.reservation !== undefined },
      ...{ estimate: estimate && rounded(estimate), resumeToken: waiting.token },
      ...(turn !== undefined && { turn }),
    };
    if (waiting.sent !== undefined && isSame(waiting.sent, status)) return;
    waiting.sent = status;
    waiting.waiter.changed(status);
  }
}

/** By what a client that knows no token is recognized. */
function orphanOf({ address, project, labels, reservation }: Ticket): Claim {
  return { limitKey: address, project, labels, reservation };
}

const GONE = { code: 'client-gone', reason: 'The client disconnected while it waited.' };
const STOPPED = { code: 'stopped', reason: 'The session server stopped while the client waited.' };
const REMOVED: Refused = {
  kind: 'refused',
  code: 'removed-by-operator',
  reason: 'An operator removed this request from the waiting line.',
};
const NO_ROOM: Refused = { kind: 'refused', code: 'no-room', reason: 'No simulation server has room at the moment.' };

/** To steps of five seconds: more would promise a precision that estimates do not have. */
function rounded({ from, to }: SecondsRange): SecondsRange {
  return { from: Math.floor(from / 5) * 5, to: Math.ceil(to / 5) * 5 };
}

function isSame(a: Waiting, b: Waiting): boolean {
  return (
    a.position === b.position &&
    a.ofClass === b.ofClass &&
    a.turn === b.turn &&
    a.estimate?.from === b.estimate?.from &&
    a.estimate?.to === b.estimate?.to
  );
}
