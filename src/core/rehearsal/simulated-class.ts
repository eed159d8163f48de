/**
 * One possible morning: a class comes to a fleet that others use, decided by the ledger, the reserve and the waiting line that ship, with simulated people
 * and servers. What is not known well is drawn again for each morning, so that many of them together show how sure an answer is.
 */
import type { AllocationParameters } from '../allocation/allocation-parameters.ts';
import { Ledger, type LedgerSnapshot } from '../allocation/ledger.ts';
import type { ServerId } from '../fleet/endpoint.ts';
import { WaitingLine } from '../queue/waiting-line.ts';
import type { Reservation } from '../reservations/reservation.ts';
import { ReservationBook } from '../reservations/reservation-book.ts';
import { ReservedSeats } from '../reservations/reserved-seats.ts';
import type { SessionLength } from '../reservations/session-length.ts';

export interface SceneServer {
  readonly id: ServerId;
  /** Percent: its load without sessions. */
  readonly base: number;
  /** Load points of a session of no particular project there, and what such a session really costs compared with that. */
  readonly cost: number;
  readonly realCost: number;
  /** It is known when each of its sessions begins and ends. */
  readonly counted: boolean;
  readonly weight?: number;
  readonly maxSessions?: number;
}

/** A standard deviation as a logarithm: how sure something is. */
export interface Uncertainty {
  readonly cost: number;
  readonly rate: number;
  readonly length: number;
}

export interface Scene {
  /** What was learned so far. */
  readonly learned: LedgerSnapshot;
  readonly parameters: AllocationParameters;
  readonly servers: readonly SceneServer[];
  /** The servers that may run what the class wants, and what others want. */
  readonly ofClass: readonly ServerId[];
  readonly ofOthers: readonly ServerId[];
  /** Key of the project of the class, and what its session costs compared with one of no particular project. */
  readonly project: string | undefined;
  readonly projectCost: number;
  readonly people: number;
  /** The class comes in so many groups, one half an hour after the other, each of which leaves before the next one comes. */
  readonly groups: number;
  /** Seats are reserved for it. */
  readonly reserved: boolean;
  /** Other clients per second, and how long their sessions last. */
  readonly rate: number;
  readonly lengths: SessionLength;
  readonly uncertainty: Uncertainty;
}

export interface Morning {
  /** People of the class who got a place with their first request. */
  readonly atOnce: number;
  /** Seconds until the last of them had a place; `Infinity`: not within half an hour. */
  readonly last: number;
  /** Seconds that others waited on average from the start on, if they got a place or gave up. */
  readonly others: number;
}

/** Seconds. */
const STEP = 5;
const OPENS = 600;
const HALF_HOUR = 1800;
/** In which a group comes. */
const COMES_WITHIN = 90;
const PATIENCE = 360;
/** From a hand-out until the session shows in the load: median, spread as a logarithm, and limits. */
const START = { median: 20, spread: 0.6, min: 5, max: 60 };
/** For which others are watched before the doors open, at most. */
const MAX_LEAD = 2400;
const NOISE = { base: 0.5, share: 0.03 };
const RULES = { maxLength: 100_000, maxPerAddress: 100_000, resume: 30, passing: 120 };
const RESERVATION = 'rehearsal';
/** Of a session that does not end while it is watched. */
const NEVER = 1e9;

interface Client {
  readonly id: string;
  readonly ofClass: boolean;
  readonly at: number;
  readonly length: number;
}

interface Session {
  readonly server: ServerId;
  readonly points: number;
  /** From when on it shows in the load, and when it ends. */
  readonly shows: number;
  readonly until: number;
  readonly bookingId: string;
}

/** Pauses several times in every step, so that other work can be done in between. `random` is uniform from 0 to 1. */
export function* simulateClass(scene: Scene, random: () => number): Generator<undefined, Morning> {
  const morning = new SimulatedMorning(scene, random);
  yield undefined;
  const lead = OPENS + Math.min(MAX_LEAD, scene.lengths.mean);
  for (let now = STEP - lead; now <= scene.groups * HALF_HOUR && !morning.isOver(now); now += STEP) {
    yield* morning.step(now);
  }
  return morning.result();
}

class SimulatedMorning {
  readonly #scene: Scene;
  readonly #random: () => number;
  readonly #ledger: Ledger;
  readonly #seats: ReservedSeats;
  readonly #line = new WaitingLine(RULES);
  readonly #clients = new Map<string, Client>();
  readonly #realCosts = new Map<ServerId, number>();
  readonly #rate: number;
  readonly #lengths: SessionLength;
  #sessions: Session[] = [];
  /** Those of the class that are still to come, the latest first. */
  readonly #coming: number[];
  readonly #waits: number[] = [];
  readonly #othersWaits: number[] = [];
  #atOnce = 0;
  #serial = 0;

  constructor(scene: Scene, random: () => number) {
    const { parameters, servers, uncertainty, learned, lengths, people, groups } = scene;
    this.#scene = scene;
    this.#random = random;
    this.#rate = scene.rate * this.#vary(uncertainty.rate);
    this.#lengths = { ...lengths, mean: lengths.mean * this.#vary(uncertainty.length) };
    const dearer = this.#vary(uncertainty.cost);
    for (const { id, cost, realCost } of servers) this.#realCosts.set(id, cost * realCost * dearer);
    // The clock of the ledger begins at 0.
    this.#ledger = new Ledger(parameters, random);
    for (const { id, counted, weight, maxSessions } of servers)
      this.#ledger.add(
        id,
        { countsSessions: counted, ...(weight && { weight }), ...(maxSessions && { maxSessions }) },
        this.#at(-OPENS),
      );
    this.#ledger.restore(learned, 0, 0);
    this.#seats = this.#reserve();
    const size = Math.ceil(people / groups);
    this.#coming = Array.from({ length: people }, (_, i) => HALF_HOUR * Math.floor(i / size) + COMES_WITHIN * random());
    this.#coming.sort((a, b) => b - a);
    this.#fill();
  }

  isOver(now: number): boolean {
    return now > 0 && this.#coming.length === 0 && this.#waits.length === this.#scene.people;
  }

  result(): Morning {
    const { people } = this.#scene;
    const all = this.#waits.length === people;
    const others = this.#othersWaits.reduce((sum, wait) => sum + wait, 0) / Math.max(1, this.#othersWaits.length);
    return { atOnce: this.#atOnce, last: all ? Math.max(0, ...this.#waits) : Infinity, others };
  }

  /** `now`: seconds after the start of the class. */
  *step(now: number): Generator<undefined, void> {
    this.#endSessions(now);
    this.#report(now);
    yield undefined;
    for (let due = this.#poisson(this.#rate * STEP); due > 0; due -= 1) this.#ask(this.#clientOf(now), now);
    while ((this.#coming.at(-1) ?? Infinity) <= now) {
      this.#coming.pop();
      this.#ask(
        { id: this.#newId(), ofClass: true, at: now, length: this.#scene.groups === 1 ? NEVER : HALF_HOUR - COMES_WITHIN },
        now,
      );
      yield undefined;
    }
    this.#giveUp(now);
    this.#serve(now);
    yield undefined;
  }

  #reserve(): ReservedSeats {
    const { people, groups, reserved, ofClass, lengths, parameters } = this.#scene;
    const book = new ReservationBook((project) => project);
    if (reserved) book.put(reservationOf(people, groups, this.#at(0)));
    return new ReservedSeats({
      ...{ ledger: this.#ledger, book, eligible: () => ofClass, keyOf: (project) => project },
      parameters: () => ({ target: parameters.target, lengths }),
    });
  }

  /** Sessions that run when the watch begins: as many as come in the time that one lasts. Each was met at a moment of its length. */
  #fill(): void {
    const { mean, spread } = this.#lengths;
    const { servers, ofOthers, parameters } = this.#scene;
    const from = this.#start();
    const loads = new Map(servers.filter(({ id }) => ofOthers.includes(id)).map(({ id, base }) => [id, base]));
    for (let left = this.#poisson(this.#rate * mean); left > 0; left -= 1) {
      const [server, load] = [...loads].reduce((least, one) => (one[1] < least[1] ? one : least), ['', Infinity]);
      const points = this.#realCosts.get(server) ?? 0;
      if (load + points >= parameters.target) break;
      loads.set(server, load + points);
      const whole = mean * Math.exp(spread ** 2 / 2 + spread * this.#normal());
      this.#sessions.push({ server, points, shows: -NEVER, until: from + this.#random() * whole, bookingId: '' });
    }
    this.#report(from);
  }

  #start(): number {
    return -OPENS - Math.min(MAX_LEAD, this.#scene.lengths.mean);
  }

  /** The clock of the ledger is never negative. */
  #at(now: number): number {
    return now - this.#start();
  }

  #endSessions(now: number): void {
    for (const { until, bookingId, server } of this.#sessions)
      if (until <= now && bookingId !== '' && this.#isCounted(server)) this.#ledger.release(bookingId, this.#at(now));
    this.#sessions = this.#sessions.filter(({ until }) => until > now);
  }

  #isCounted(server: ServerId): boolean {
    return this.#scene.servers.some(({ id, counted }) => counted && id === server);
  }

  #report(now: number): void {
    const loads = new Map<ServerId, number>();
    for (const { server, points, shows } of this.#sessions)
      if (now >= shows) loads.set(server, (loads.get(server) ?? 0) + points);
    for (const { id, base } of this.#scene.servers) {
      const load = base + (loads.get(id) ?? 0);
      const seen = load + this.#normal() * (NOISE.base + NOISE.share * load);
      this.#ledger.report(id, Math.min(100, Math.max(0, seen)), this.#at(now));
    }
  }

  #clientOf(now: number): Client {
    const { mean, spread } = this.#lengths;
    const length = mean * Math.exp(-(spread ** 2) / 2 + spread * this.#normal());
    return { id: this.#newId(), ofClass: false, at: now, length };
  }

  #ask(client: Client, now: number): void {
    this.#clients.set(client.id, client);
    const waitsApart = client.ofClass && this.#scene.reserved;
    this.#line.join({ id: client.id, ...want(client), ...(waitsApart && { reservation: RESERVATION }) }, this.#at(now));
    this.#serve(now);
    if (client.ofClass && !this.#clients.has(client.id)) this.#atOnce += 1;
  }

  #serve(now: number): void {
    if (this.#line.length === 0) return;
    const { ofClass, ofOthers } = this.#scene;
    const pass = this.#line.pass(this.#at(now), ({ project }) => ({ tiers: [project === CLASS ? ofClass : ofOthers] }));
    for (let turn = pass.next(); turn !== undefined; turn = pass.next()) {
      const client = this.#clients.get(turn.ticket.id);
      if (client !== undefined && turn.candidates !== undefined) this.#place(client, turn.candidates.tiers, now);
    }
  }

  #place(client: Client, tiers: readonly (readonly ServerId[])[], now: number): void {
    const { project, projectCost, reserved } = this.#scene;
    const { id, ofClass, at, length } = client;
    const asked = {
      id,
      ...(ofClass && project !== undefined && { project }),
      ...(ofClass && reserved && { reservation: RESERVATION }),
    };
    const time = this.#at(now);
    const outcome = this.#seats.take(asked, { tiers }, { now: time, wall: time });
    if (outcome.kind !== 'booked') return;
    const { server, bookingId } = outcome;
    this.#line.admitted(id, time);
    this.#clients.delete(id);
    if (this.#isCounted(server)) this.#ledger.connected(bookingId, time);
    const points = (this.#realCosts.get(server) ?? 0) * (ofClass ? projectCost : 1);
    this.#sessions.push({ server, points, shows: now + this.#startTime(), until: now + length, bookingId });
    this.#waited(ofClass, now - at, now);
  }

  /** People of the class stay. */
  #giveUp(now: number): void {
    for (const { id, ofClass, at } of this.#clients.values()) {
      if (ofClass || now - at < PATIENCE) continue;
      this.#line.leave(id);
      this.#clients.delete(id);
      this.#waited(false, now - at, now);
    }
  }

  #waited(ofClass: boolean, seconds: number, now: number): void {
    if (ofClass) this.#waits.push(seconds);
    else if (now >= 0) this.#othersWaits.push(seconds);
  }

  #startTime(): number {
    const { median, spread, min, max } = START;
    return Math.min(max, Math.max(min, median * Math.exp(spread * this.#normal())));
  }

  #newId(): string {
    return String((this.#serial += 1));
  }

  /** A factor around 1. */
  #vary(deviation: number): number {
    return Math.exp(deviation * this.#normal());
  }

  #normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
  }

  #poisson(mean: number): number {
    let count = 0;
    for (let sum = -Math.log(1 - this.#random()); sum < mean; sum -= Math.log(1 - this.#random())) count += 1;
    return count;
  }
}

/** What people of the class want, apart from others. */
const CLASS = 'class';

function want({ ofClass }: Client): { readonly project?: string } {
  return ofClass ? { project: CLASS } : {};
}

function reservationOf(people: number, groups: number, start: number): Reservation {
  return {
    ...{ id: RESERVATION, title: '', code: RESERVATION, match: 'code', seats: Math.ceil(people / groups) },
    ...{ start, end: start + groups * HALF_HOUR + HALF_HOUR, opens: OPENS, grace: OPENS },
    ...{ owner: '', revision: 0, released: false },
  };
}
