/**
 * From a session request to its end: allocated, refused, or waiting in line until one of both or until the client goes away.
 *
 * A request is routed (which servers may run it; none ever: refused at once), then one server is chosen and booked in one step; when none has room, the
 * client may wait. The line is served whenever something changed that can make room, and once a second. Whoever asks without waiting does not overtake
 * those who wait, but for the passing rule of ALLOCATION, "Queue".
 */
import { allocationReason } from '../core/allocation-reason.ts';
import { webSocketUrl, type Endpoint, type ServerId } from '../core/endpoint.ts';
import type { Candidates } from '../core/candidates.ts';
import type { BookingOutcome, BookingRequest } from '../core/ledger.ts';
import type { SecondsRange } from '../core/monitor-view.ts';
import { asSent, type Project } from '../core/project.ts';
import type { Labels, Router } from '../core/routing.ts';
import type { TokenBuckets } from '../core/token-bucket.ts';
import type { Standing, Ticket, Want } from '../core/line-order.ts';
import type { Passing, Turn } from '../core/passing.ts';
import type { Restored, WaitingLine } from '../core/waiting-line.ts';
import type { Bookings, Clock, Log, NewId } from '../ports.ts';
import { Availability } from './availability.ts';
import type { Decisions } from './decisions.ts';
import { startLoop, type Loop } from './loop.ts';
import { NotedRefusals } from './noted-refusals.ts';
import { PlacesFromBefore } from './places-from-before.ts';
import { Reasons, type Asked, type Explained, type HandOut } from './reasons.ts';
import { RequestRouting, type RoutedRequest } from './request-routing.ts';
import type { Allocated, FailedSession, Outcome, Refused, SessionRequest, Waiter, Waiting } from './session-request.ts';
import type { Topic } from './topic.ts';
import { UnheardOutcomes } from './unheard-outcomes.ts';

export interface AdmissionOptions {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  readonly bookings: Bookings;
  readonly router: Router;
  readonly line: WaitingLine;
  readonly buckets: TokenBuckets;
  readonly decisions: Decisions;
  readonly settings: () => AdmissionSettings;
  readonly endpoint: (id: ServerId) => Endpoint | undefined;
  /** What each server says to a project, for the record; called seldom. */
  readonly explain: (project: Project | undefined, labels: Labels | undefined, handOut: HandOut | undefined) => Explained;
  /** Load points of a session of the project. */
  readonly costOf: (project: Project | undefined) => number;
}

export interface AdmissionSettings {
  /** `wss` in the URLs that are handed out. */
  readonly handOutSsl: boolean;
  /** Hosts besides `github.com`. */
  readonly otherHosts: readonly string[];
  /** Seconds a booking counts in full or in part without a report that shows it. */
  readonly settle: number;
  /** Seconds an outcome is kept that its client may not have heard. */
  readonly resume: number;
}

/** Seconds between two tries while somebody waits: ALLOCATION, "Queue". */
const RETRY = 1;
/** Seconds between two times that a line is saved in which nobody comes or goes. */
const RESAVE = 60;
/** Seconds between two looks at the estimates of all who wait. */
const RETELL = 10;
/** Tickets looked at before the walk along the line lets others have their turn: about a millisecond of work. */
const STRETCH = 500;
/** Walks along the line before a newcomer takes no for an answer: one that was under way may have passed by what came free. */
const WALKS = 2;

/** A client in the line, with or without its connection. */
interface Place {
  readonly request: SessionRequest;
  readonly token: string;
  /** Seconds of the clock when its waiting began. */
  readonly joinedAt: number;
  waiter: Waiter | undefined;
  /** What the waiter heard last. */
  told?: Waiting;
}

export class Admission {
  /** Can a session without a project be started now. */
  readonly availability: Topic<boolean>;
  readonly #options: AdmissionOptions;
  readonly #places = new Map<string, Place>();
  readonly #unheard = new UnheardOutcomes();
  readonly #fromBefore = new PlacesFromBefore();
  readonly #routing: RequestRouting;
  readonly #reasons: Reasons;
  readonly #serving: Loop;
  /** What ends the requests that are held, by their ids. */
  readonly #holding = new Map<string, AbortController>();
  readonly #notedRefusals = new NotedRefusals();
  readonly #open: Availability;
  #toldAt = 0;
  #version = 0;
  /** The walk along the line that is under way. */
  #walking: Promise<void> | undefined;
  readonly #stopping = new AbortController();

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#routing = new RequestRouting(options.router, () => options.settings().otherHosts);
    this.#reasons = new Reasons(options);
    this.#open = new Availability({
      ...options,
      isWaiting: () => options.line.length > 0,
      isOpen: () => this.prospect().kind === 'open',
    });
    this.availability = this.#open.topic;
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

  /** Allocated or refused, at once. */
  async ask(request: SessionRequest): Promise<Outcome> {
    const routed = this.#enter(request);
    if (routed.kind === 'refused') return routed;
    const booked = await this.#book(routed);
    return booked.kind === 'booked' ? this.#allocate(routed, booked, 0) : this.#refuseForRoom(routed, booked);
  }

  /** Like `ask`, but that there is no room now is not taken for an answer: the client is about to wait elsewhere, and its decision comes then. */
  async attempt(request: SessionRequest): Promise<Outcome | NoRoom> {
    const routed = this.#enter(request);
    if (routed.kind === 'refused') return routed;
    const booked = await this.#book(routed);
    return booked.kind === 'booked' ? this.#allocate(routed, booked, 0) : booked;
  }

  /** Allocated, refused, or a place in line of which the waiter is told until it ends. Resolves when the waiter has heard the first of these. */
  async wait(request: SessionRequest, waiter: Waiter): Promise<void> {
    const { resumeToken } = request;
    if (resumeToken !== undefined && (await this.#resumes(resumeToken, request)) && this.resume(resumeToken, waiter)) return;
    await this.#wait(request, waiter);
  }

  /** Who shows a token and wants to run something else asks anew, and gives up the place that the token belongs to. */
  async #resumes(token: string, request: SessionRequest): Promise<boolean> {
    const { line, clock } = this.#options;
    const ticket = line.ofToken(token, clock.now());
    const before = (ticket && this.#places.get(ticket.id)) ?? this.#unheard.get(token, clock.now());
    if (before === undefined || this.#wantsSame(request, before.request)) return true;
    await this.giveUp(token);
    return false;
  }

  /** Who does not say what it wants to run wants what it wanted before. */
  #wantsSame({ projectUrl }: SessionRequest, before: SessionRequest): boolean {
    if (projectUrl === undefined || projectUrl === before.projectUrl) return true;
    const project = this.#routing.project(projectUrl);
    return project !== undefined && project.url === this.#projectOf(before)?.url;
  }

  /** Returns what was routed, unless it was refused at once. */
  async #wait(request: SessionRequest, waiter: Waiter): Promise<Routed | undefined> {
    const routed = this.#enter(request);
    if (routed.kind === 'refused') {
      waiter.settled(routed);
      return undefined;
    }
    const booked = await this.#book(routed);
    if (booked.kind === 'booked') await this.#give(routed, booked, 0, waiter);
    else this.#join(routed, waiter);
    return routed;
  }

  /**
   * Like `wait`, for a client whose server failed before the session began: its booking is released, and it waits at the head of the line for another server.
   * Where every server that may ever run it has failed it, all of them are tried again.
   */
  async again(request: SessionRequest, { bookingId, since, servers }: FailedSession, waiter: Waiter): Promise<void> {
    const { line, clock, newId } = this.#options;
    if (bookingId !== undefined) await this.release(bookingId);
    const entered = this.#enter({ ...request, counted: true });
    if (entered.kind === 'refused') {
      waiter.settled(entered);
      return;
    }
    if (waiter.gone.aborted) {
      this.#recordGone(entered, 0);
      return;
    }
    const routed: Routed = { ...entered, want: { ...entered.want, except: servers } };
    const { limitKey } = request.address;
    const ticket = { id: routed.id, ...routed.want, ...(limitKey !== undefined && { address: limitKey }) };
    const joined = line.rejoin(ticket, since, clock.now());
    if (joined.kind === 'joined') this.#enterLine(routed, waiter, newId(), joined);
  }

  /** Like `wait`, for a client that can hear but one answer: after `seconds` it is told its position, and its place is given up. */
  async hold(request: SessionRequest, seconds: number, gone: AbortSignal): Promise<Outcome> {
    const enough = new AbortController();
    let position: number | undefined;
    let outcome: Outcome | undefined;
    const routed = await this.#wait(request, {
      keepPlace: false,
      gone,
      changed: (waiting) => (position = waiting.position),
      settled: (settled) => {
        outcome = settled;
        enough.abort();
      },
    });
    // At the end of the program its request is still answered, also one that comes only then.
    if (this.#stopping.signal.aborted) enough.abort();
    if (routed !== undefined) this.#holding.set(routed.id, enough);
    if (outcome === undefined) await this.#options.clock.sleep(seconds, AbortSignal.any([gone, enough.signal]));
    if (routed !== undefined) this.#holding.delete(routed.id);
    if (outcome !== undefined) return outcome;
    const refused = routed === undefined || gone.aborted ? undefined : this.#refuseHeld(routed);
    return { ...(refused ?? NO_ROOM), ...(position !== undefined && { position }) };
  }

  /**
   * Continues the place that the token belongs to, or says again what became of it. `false`: there is none (any more), and the waiter hears nothing.
   */
  resume(token: string, waiter: Waiter): boolean {
    const { line, clock } = this.#options;
    const standing = line.resume(token, clock.now());
    const place = standing && this.#places.get(standing.ticket.id);
    if (standing === undefined || place === undefined) {
      const unheard = this.#unheard.get(token, clock.now());
      if (unheard !== undefined) waiter.settled(unheard.outcome);
      return unheard !== undefined;
    }
    const { waiter: before } = place;
    place.waiter = waiter;
    delete place.told;
    before?.settled({
      kind: 'refused',
      code: 'continued-elsewhere',
      reason: 'This place in line is continued on another connection.',
    });
    this.#watch(standing.ticket.id, place, waiter);
    this.#tell(standing, clock.now());
    this.#serving.wake();
    return true;
  }

  /** The holder of the token is known to have what became of its place. */
  heard(token: string): void {
    this.#unheard.forget(token);
  }

  /** The holder of the token wants its place no more. `false`: there is none (any more). */
  async giveUp(token: string): Promise<boolean> {
    const { line, clock } = this.#options;
    const standing = line.resume(token, clock.now());
    const place = standing && this.#places.get(standing.ticket.id);
    if (standing === undefined || place === undefined) {
      const unheard = this.#unheard.get(token, clock.now());
      this.#unheard.forget(token);
      if (unheard !== undefined) await this.release(unheard.outcome.bookingId);
      return unheard !== undefined;
    }
    line.leave(standing.ticket.id);
    place.waiter?.settled({ kind: 'refused', code: 'given-up', reason: 'This place in line was given up.' });
    this.#abandon(standing.ticket.id, place);
    return true;
  }

  /** Something changed that can make room or take it away. */
  refresh(): void {
    this.#open.publish();
    if (this.#options.line.length > 0) this.#serving.wake();
  }

  /** The session ended, or its client never came: its predicted load is free at once. */
  async release(bookingId: string): Promise<void> {
    await this.#options.bookings.release(bookingId);
    this.refresh();
  }

  /** The client of the booking opened its session. */
  async connected(bookingId: string): Promise<void> {
    await this.#options.bookings.connected(bookingId);
    this.refresh();
  }

  /** What somebody who asked now would get, as far as it can be known without serving the line. */
  prospect(project?: Project, labels?: Labels): Prospect {
    const { bookings, router, line } = this.#options;
    const route = router.route(project, labels);
    if (route.kind === 'refused' || !bookings.fits(route.candidates, project?.key)) return { kind: 'no-room' };
    const left = this.#leftOf(route.candidates, project, labels);
    if (left === route.candidates || bookings.fits(left, project?.key)) return { kind: 'open' };
    return { kind: 'others-wait', reason: othersWait(line.length) };
  }

  /** The servers that may run it now, and those of them on which somebody who asked would be tried. `undefined`: none will ever run it. */
  leftFor(project?: Project, labels?: Labels): Pick<HandOut, 'candidates' | 'left'> | undefined {
    const route = this.#options.router.route(project, labels);
    if (route.kind === 'refused') return undefined;
    return { candidates: route.candidates, left: this.#leftOf(route.candidates, project, labels) };
  }

  get waiting(): number {
    return this.#options.line.length;
  }

  /** Who waited before a restart may come back. */
  restore(value: unknown): Restored {
    const { line, clock, log } = this.#options;
    const restored = line.restore(value, clock.now(), clock.wallTime());
    if (restored.kind === 'foreign') return restored;
    const { tickets, problems } = restored;
    for (const problem of problems) log.warn(`of the saved waiting line ${problem}`);
    for (const { id, token = '', address, clientId, project, labels, joinedAt } of tickets) {
      if (clientId !== undefined) this.#fromBefore.add({ clientId, limitKey: address, project, labels }, token);
      const asked = {
        ...(clientId !== undefined && { clientId }),
        ...(project !== undefined && { projectUrl: project }),
        ...(labels !== undefined && { labels }),
      };
      const request = { address: { address: address ?? 'unknown', limitKey: address }, ...asked };
      this.#places.set(id, { request, token, joinedAt, waiter: undefined });
    }
    this.refresh();
    return restored;
  }

  /** The resume token of the place that the same client took for the same before a restart; told once. */
  tokenFromBefore(request: SessionRequest): string | undefined {
    const { clientId, address, labels } = request;
    if (clientId === undefined || this.#fromBefore.isEmpty) return undefined;
    return this.#fromBefore.take({ clientId, limitKey: address.limitKey, project: this.#projectOf(request)?.url, labels });
  }

  /**
   * Differs whenever `save` would give other tickets, and every minute while somebody waits: from a line that seems to be saved long ago nobody could still
   * come back.
   */
  get version(): unknown {
    const { line, clock } = this.#options;
    return line.length === 0 ? this.#version : `${this.#version} ${Math.floor(clock.now() / RESAVE)}`;
  }

  save(): unknown {
    const { line, clock } = this.#options;
    return line.save(clock.now(), clock.wallTime());
  }

  async stop(): Promise<void> {
    const { line, clock } = this.#options;
    // So that who waits is saved as of now.
    if (line.length > 0) this.#version += 1;
    this.#stopping.abort();
    for (const enough of this.#holding.values()) enough.abort();
    for (const [id, place] of this.#places) {
      // Now, because its connection may end when decisions are no longer saved, and would then look as if the client had gone.
      if (this.#holding.has(id) || line.lost(id, clock.now()) !== 'ended') continue;
      this.#places.delete(id);
      this.#recordAbandoned(id, place, STOPPED);
    }
    await this.#serving.stop();
  }

  /** Limits, project and route of a request: who may run it, or why it is refused at once. */
  #enter(request: SessionRequest): Routed | Refused {
    const { buckets, clock, newId } = this.#options;
    const { limitKey } = request.address;
    const seconds = limitKey === undefined || request.counted === true ? 0 : buckets.take(limitKey, clock.now());
    if (seconds > 0) return this.#refuseForRate(request, seconds);

    const id = newId();
    const read = this.#routing.read(request);
    if (read.kind === 'routed') return { id, request, ...read };
    return this.#refuseForEver({ id, request, project: read.project }, read.code, read.reason);
  }

  /** Whoever reads the log after a complaint knows the student's address and no more. That there is no room passes, and is not said of each client. */
  #refuseForEver({ id, request, project }: Asked, code: string, reason: string): Refused {
    const { address, limitKey = address } = request.address;
    const fields = { id, code, project: project?.url ?? asSent(request.projectUrl) };
    this.#options.log.limited('info', `refused ${limitKey}`, `${address} is refused a session: ${reason}`, fields);
    return this.#refuse({ id, request, project }, code, reason);
  }

  #refuseForRate(request: SessionRequest, seconds: number): Refused {
    const { decisions, clock, newId } = this.#options;
    const retryAfter = Math.max(1, Math.ceil(seconds));
    const code = 'too-many-requests';
    if (this.#isNoted(request)) {
      const asked = { id: newId(), request, project: this.#projectOf(request) };
      const reason =
        'Too many session requests came from one network address, which the log names; more within a minute are only counted.';
      this.#reasons.record({ ...asked, kind: 'refused', code, reason, waited: 0, alone: true });
    } else decisions.count('refused', code, clock.now());
    const reason = `too many session requests come from your network address; try again in ${retryAfter} s.`;
    return { kind: 'refused', code, reason, retryAfter };
  }

  #isNoted({ address: { address, limitKey = address } }: SessionRequest): boolean {
    const { clock, log } = this.#options;
    const noting = this.#notedRefusals.note(limitKey, clock.now());
    if (noting === 'counted') return false;
    log.limited('warn', `rate-limit ${limitKey}`, `${address} asks for sessions too often and is refused`, { address });
    return noting === 'noted';
  }

  #projectOf({ projectUrl }: SessionRequest): Project | undefined {
    return projectUrl === undefined ? undefined : this.#routing.project(projectUrl);
  }

  async #book({ request, project, candidates, want }: Routed): Promise<Booked | NoRoom> {
    const { bookings, line } = this.#options;
    if (candidates.tiers.length === 0) return { kind: 'no-room' };
    const asked = bookingRequest(request, project);
    if (line.length === 0) return found(await bookings.book(asked, candidates));
    // What most hear who ask while others wait; nobody else has to be looked at for it.
    if (!bookings.fits(candidates, project?.key)) return { kind: 'no-room' };
    let passing = this.#passing(want);
    for (let walks = 0; passing.kind === 'line-first' && walks < WALKS; walks += 1) {
      await this.#walk();
      passing = this.#passing(want);
    }
    if (passing.kind === 'yes') {
      const booked = await bookings.book(asked, passing.candidates);
      if (booked.kind === 'unconfirmed') return UNCONFIRMED;
      if (booked.kind === 'booked') return { ...booked, left: passing.candidates };
    }
    return { kind: 'no-room', ...(bookings.fits(candidates, project?.key) && { othersWait: true }) };
  }

  #passing(want: Want): Passing {
    const { line, clock, bookings } = this.#options;
    const fits = (other: Ticket, candidates: Candidates) =>
      bookings.isUnconfirmed(other.address) ? undefined : bookings.fits(candidates, this.#routing.route(other).project?.key);
    return line.mayPass(want, clock.now(), this.#routing.candidatesOf, fits);
  }

  /** Of the candidates for a newcomer; none while the line comes first. */
  #leftOf(candidates: Candidates, project: Project | undefined, labels: Labels | undefined): Candidates {
    if (this.#options.line.length === 0) return candidates;
    const passing = this.#passing(this.#routing.want(project, labels));
    return passing.kind === 'yes' ? passing.candidates : NONE;
  }

  /** Hands a booked place to a waiter, or frees it when the client has gone meanwhile. */
  async #give(routed: Routed, booked: Booked, waited: number, waiter: Waiter, token?: string): Promise<void> {
    if (!waiter.gone.aborted) {
      const outcome = this.#allocate(routed, booked, waited);
      if (token !== undefined && waiter.keepOutcome === true && outcome.kind === 'allocated')
        this.#keep(token, routed.request, outcome);
      waiter.settled(outcome);
      return;
    }
    this.#recordGone(routed, waited);
    await this.release(booked.bookingId);
  }

  #keep(token: string, request: SessionRequest, outcome: Allocated): void {
    const { clock, settings } = this.#options;
    const now = clock.now();
    this.#unheard.keep(token, { request, outcome }, now, now + settings().resume);
  }

  /** The client never heard what became of its request. `waited` in seconds. */
  #recordGone({ id, request, project }: Asked, waited: number): void {
    const reason = 'The client went away before it heard of its place.';
    this.#reasons.record({ id, request, project, kind: 'abandoned', code: 'client-gone', reason, waited });
  }

  #allocate({ id, request, project, candidates }: Routed, booked: Booked, waited: number): Outcome {
    const { clock, endpoint, settings, log, router } = this.#options;
    const { server, bookingId, load, predicted, tier, lastResort, left = candidates } = booked;
    const found = endpoint(server);
    this.#open.publish();
    // Between the booking and now the server left the fleet.
    if (found === undefined)
      return this.#refuse(
        { id, request, project },
        'no-room',
        'The simulation server that was chosen has just been removed; try again.',
      );
    const admittance = router.admittance(server, project, request.labels);
    const laterTier = tier > 0;
    const besideKept = isPart(left, candidates);
    const { address } = found;
    const reason = allocationReason({ address, load, predicted, admittance, laterTier, lastResort, besideKept });
    const handOut = { server, candidates, left };
    this.#reasons.record({ id, request, project, kind: 'allocated', code: 'allocated', reason, waited, handOut });
    log.limited('info', `allocated ${server}`, `${found.address} simulation server handed out to ${request.address.address}`, {
      id,
      load,
      predicted,
      waited,
    });
    const { handOutSsl, settle } = settings();
    return {
      kind: 'allocated',
      id,
      url: webSocketUrl(found, handOutSsl),
      server,
      bookingId,
      expiresAt: clock.wallTime() + settle,
    };
  }

  #join({ id, request, project, want }: Routed, waiter: Waiter): void {
    const { line, clock, newId } = this.#options;
    if (waiter.gone.aborted) {
      this.#recordGone({ id, request, project }, 0);
      return;
    }
    const token = newId();
    const { clientId } = request;
    const { limitKey } = request.address;
    const ticket = {
      ...{ id, ...want },
      ...(limitKey !== undefined && { address: limitKey }),
      ...(clientId !== undefined && { clientId }),
      ...(waiter.keepPlace && { token }),
    };
    const joined = line.join(ticket, clock.now());
    if (joined.kind === 'refused') {
      waiter.settled(this.#refuse({ id, request, project }, joined.code, joined.reason));
      return;
    }
    const { displaced } = joined;
    const place = displaced && this.#places.get(displaced.id);
    if (displaced !== undefined && place !== undefined) this.#abandon(displaced.id, place);
    this.#enterLine({ id, request }, waiter, token, joined);
  }

  #enterLine({ id, request }: Pick<Routed, 'id' | 'request'>, waiter: Waiter, token: string, joined: Standing): void {
    const place: Place = { request, token, joinedAt: joined.ticket.joinedAt, waiter };
    this.#places.set(id, place);
    this.#version += 1;
    this.#watch(id, place, waiter);
    this.#tell(joined, this.#options.clock.now());
    this.#open.publish();
    this.#serving.wake();
  }

  #watch(id: string, place: Place, waiter: Waiter): void {
    const lost = () => {
      if (place.waiter !== waiter || this.#places.get(id) !== place) return;
      place.waiter = undefined;
      const { line, clock } = this.#options;
      if (line.lost(id, clock.now()) === 'kept') this.#serving.wake();
      else this.#abandon(id, place);
    };
    if (waiter.gone.aborted) lost();
    else waiter.gone.addEventListener('abort', lost, { once: true });
  }

  #abandon(id: string, place: Place): void {
    this.#recordAbandoned(id, place, GONE);
    this.#leave(id);
  }

  #recordAbandoned(id: string, { request, joinedAt }: Place, why: { readonly code: string; readonly reason: string }): void {
    const waited = this.#options.clock.now() - joinedAt;
    this.#reasons.record({ id, request, project: this.#projectOf(request), kind: 'abandoned', ...why, waited });
  }

  /** Its client waited as long as it is held. `undefined`: it ended otherwise. */
  #refuseHeld(routed: Routed): Refused | undefined {
    const { clock, line } = this.#options;
    const { id, project, request } = routed;
    const place = this.#places.get(id);
    if (place === undefined) return undefined;
    const waited = clock.now() - place.joinedAt;
    line.leave(id);
    const prospect = this.prospect(project, request.labels);
    const { code, reason } =
      prospect.kind === 'others-wait'
        ? { code: prospect.kind, reason: prospect.reason }
        : { code: 'no-room', reason: `${this.#reasons.noRoom(routed)}; none had room while the request was held.` };
    this.#reasons.record({ ...routed, kind: 'refused', code, reason, waited });
    this.#leave(id);
    return { kind: 'refused', code, reason };
  }

  #leave(id: string): void {
    this.#places.delete(id);
    this.#version += 1;
    this.#tellChanges();
    this.refresh();
  }

  /** Ends who did not come back, and serves who is there. Returns the seconds until the next time. */
  async #serve(): Promise<number> {
    const { line, clock } = this.#options;
    for (const { id } of line.expire(clock.now())) {
      const place = this.#places.get(id);
      if (place) this.#abandon(id, place);
    }
    if (line.length === 0) return Infinity;
    await this.#walk();
    return line.length > 0 ? RETRY : Infinity;
  }

  /** One walk along the line; there is never a second one at the same time, or the two would overtake each other. */
  #walk(): Promise<void> {
    this.#walking ??= this.#walkAlong().finally(() => (this.#walking = undefined));
    return this.#walking;
  }

  async #walkAlong(): Promise<void> {
    const { line, clock } = this.#options;
    const { signal } = this.#stopping;
    const pass = line.pass(clock.now(), this.#routing.candidatesOf, STRETCH);
    while (!signal.aborted) {
      for (let turn = pass.next(); turn !== undefined; turn = pass.next())
        if ((await this.#try(turn)) === 'unconfirmed') pass.skip();
      if (pass.ended) break;
      await clock.sleep(0, signal);
    }
    this.#tellChanges();
    this.#open.publish();
  }

  /** `unconfirmed`: it does not fit for a reason of its own, and others who want the same may. */
  async #try({ ticket, candidates }: Turn): Promise<'unconfirmed' | undefined> {
    const { line, clock, bookings } = this.#options;
    const place = this.#places.get(ticket.id);
    const { project, route } = this.#routing.route(ticket);
    if (place === undefined || route.kind === 'refused' || candidates === undefined) {
      // The fleet changed so that nobody may ever run it.
      line.leave(ticket.id);
      this.#places.delete(ticket.id);
      this.#version += 1;
      if (place && route.kind === 'refused') {
        const refused = this.#refuseForEver({ id: ticket.id, request: place.request, project }, route.code, route.reason);
        place.waiter?.settled(refused);
      }
      return undefined;
    }
    const booked = await bookings.book(bookingRequest(place.request, project), candidates);
    if (booked.kind === 'unconfirmed') return booked.kind;
    if (booked.kind === 'no-room') return undefined;
    const { waiter } = place;
    // Gone during the booking: a holder with a token keeps the place, without a server.
    if (waiter === undefined || line.admitted(ticket.id, clock.now()) === undefined) {
      await this.release(booked.bookingId);
      return undefined;
    }
    this.#places.delete(ticket.id);
    this.#version += 1;
    await this.#give(
      {
        request: place.request,
        id: ticket.id,
        project,
        kind: 'routed',
        want: ticket,
        candidates: route.candidates,
        routeKey: route.key,
      },
      { ...booked, left: candidates },
      clock.now() - ticket.joinedAt,
      waiter,
      place.token,
    );
    return undefined;
  }

  #tellChanges(): void {
    const { line, clock } = this.#options;
    const now = clock.now();
    for (const standing of line.changes()) this.#tell(standing, now);
    if (now - this.#toldAt < RETELL) return;
    // Estimates move although positions do not.
    this.#toldAt = now;
    let position = 0;
    for (const ticket of line.tickets()) this.#tell({ ticket, position: (position += 1) }, now);
  }

  #tell({ ticket, position }: Standing, now: number): void {
    const place = this.#places.get(ticket.id);
    if (place?.waiter === undefined) return;
    const estimate = this.#options.line.estimate(position, now);
    const waiting: Waiting = { position, estimate: estimate && rounded(estimate), resumeToken: place.token };
    if (place.told !== undefined && sameWaiting(place.told, waiting)) return;
    place.told = waiting;
    place.waiter.changed(waiting);
  }

  #refuseForRoom(routed: Routed, { othersWait: kept, unconfirmed }: NoRoom): Refused {
    if (unconfirmed === true) return this.#refuse(routed, 'too-many-requests', TOO_MANY_UNCONFIRMED, UNCONFIRMED_RETRY);
    if (kept === true) return this.#refuse(routed, 'others-wait', othersWait(this.#options.line.length));
    return this.#refuse(routed, 'no-room', this.#reasons.noRoom(routed));
  }

  #refuse({ id, request, project }: Asked, code: string, reason: string, retryAfter?: number): Refused {
    this.#reasons.record({ id, request, project, kind: 'refused', code, reason, waited: 0 });
    return { kind: 'refused', code, reason, ...(retryAfter !== undefined && { retryAfter }) };
  }
}

const GONE = { code: 'client-gone', reason: 'The client went away while it waited.' };
const STOPPED = { code: 'stopped', reason: 'The session server stopped while the client waited.' };
/** Seconds after which an address that was given much may ask again: some of it is used by then, or given up. */
const UNCONFIRMED_RETRY = 10;
const TOO_MANY_UNCONFIRMED =
  'Many places were given to your network address within the last minute and are not in use yet; try again in a moment.';
const UNCONFIRMED: NoRoom = { kind: 'no-room', unconfirmed: true };
const NONE: Candidates = { tiers: [] };
const NO_ROOM: Refused = { kind: 'refused', code: 'no-room', reason: 'No simulation server has room at the moment.' };

/** A request that a server may run. */
type Routed = Asked & RoutedRequest;

export interface NoRoom {
  readonly kind: 'no-room';
  /** There is room, but it is kept for others. */
  readonly othersWait?: true;
  /** There may be room, but not for this address: much was given to it that nobody has used yet. */
  readonly unconfirmed?: true;
}

/** What somebody who asked now would get. */
export type Prospect =
  { readonly kind: 'open' } | { readonly kind: 'no-room' } | { readonly kind: 'others-wait'; readonly reason: string };

type Booked = Extract<BookingOutcome, { kind: 'booked' }> & {
  /** The candidates that were not kept for others. Absent: all of them. */
  readonly left?: Candidates;
};

function found(outcome: BookingOutcome): Booked | NoRoom {
  return outcome.kind === 'unconfirmed' ? UNCONFIRMED : outcome;
}

function isPart(candidates: Candidates, whole: Candidates): boolean {
  return candidates !== whole && sizeOf(candidates) < sizeOf(whole);
}

function sizeOf({ tiers }: Candidates): number {
  return tiers.reduce((sum, { length }) => sum + length, 0);
}

/** A client that says who it is and asks again is evidence against the server it got before (ALLOCATION, `black-hole`). */
function bookingRequest({ clientId, address }: SessionRequest, project: Project | undefined): BookingRequest {
  return {
    id: clientId === undefined ? '' : `${address.address} ${clientId}`,
    ...(address.limitKey !== undefined && { address: address.limitKey }),
    ...(project !== undefined && { project: project.key }),
  };
}

/** To steps of five seconds: more would promise what nobody knows. */
function rounded({ from, to }: SecondsRange): SecondsRange {
  return { from: Math.floor(from / 5) * 5, to: Math.ceil(to / 5) * 5 };
}

function sameWaiting(a: Waiting, b: Waiting): boolean {
  return a.position === b.position && a.estimate?.from === b.estimate?.from && a.estimate?.to === b.estimate?.to;
}

function othersWait(count: number): string {
  const who = count === 1 ? 'somebody who waits' : `those who wait (${count} are in line)`;
  return `There is room, but it is kept for ${who}; take a place in line, or try again in a moment.`;
}
