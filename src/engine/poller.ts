/**
 * Probes every simulation server on its own schedule and holds the facts about the fleet.
 *
 * No server delays another: each has its own schedule, spread over the interval, and each probe its own deadline. After a failure the server is probed again
 * soon, so that a doubt is short. One loop starts the probes when they are due; between two probes a server is only an entry of its agenda, because there may be
 * ten thousand. Facts go out by the callbacks of `PollerEvents`; what they mean for hand-outs, notifications and the page is decided elsewhere.
 *
 * Of several replicas, each probes its share of the fleet, and hands in what the others found.
 */
import type { Endpoint, ServerId } from '../core/fleet/endpoint.ts';
import type { SessionReport } from '../core/fleet/session-report.ts';
import {
  adopt,
  apply,
  newServer,
  stateOf,
  type Drain,
  type FleetEvent,
  type FleetRules,
  type ServerFacts,
  type ServerState,
  type Transition,
} from '../core/fleet/fleet.ts';
import type { Clock, Log, Probe, ProbeResult, Random } from '../ports.ts';
import { Agenda } from './agenda.ts';
import { startLoop, type Loop } from './loop.ts';

export interface PollerEvents {
  /** A server answered. `at` is seconds of the engine's clock. */
  sampled(id: ServerId, load: number, at: number, latency: number, sessions?: SessionReport): void;
  missed(id: ServerId, at: number): void;
  /** After every probe and operator action that changed the facts about a server. `transition` is set when its state changed. */
  changed(facts: ServerFacts, transition: Transition | undefined): void;
  added(facts: ServerFacts): void;
  /** A probe of its own ended. */
  probed?(id: ServerId, result: ProbeResult): void;
}

/** Which servers are probed here. */
export interface Share {
  readonly owns: (id: ServerId) => boolean;
  /** Seconds after which a server is probed here although another replica should do it, and there was no report about it. `Infinity`: never. */
  readonly patience: number;
  /** Whether the share is known to be right at this moment. A process that was stopped and goes on must not report that servers did not answer. */
  readonly counts: () => boolean;
}

const WHOLE_FLEET: Share = { owns: () => true, patience: Infinity, counts: () => true };

export interface PollerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly probe: Probe;
  readonly events: PollerEvents;
  readonly rules: FleetRules;
  /** Seconds between two probes of one server. */
  readonly interval: number;
}

/** Seconds until the next probe after a failed one. */
const SOON = 1;
/** Failed probes in a row after which a server that never answered no longer counts as starting. The machines of a room are often switched on together. */
const STARTING = 10;
/** Seconds over which the first probes are spread, and the maximum per second: each opens a connection. */
const FIRST_ROUND = 0.5;
const FIRST_PER_SECOND = 2000;
/**
 * Maximum probes that begin before others are handled again, and the seconds in between. When a busy machine is late with thousands of them, the answers to those
 * that began come first: otherwise all of them would exceed their time, and the failures would keep the machine busy.
 */
const BATCH = 50;
const BREAK = 0.001;
/** Seconds that pass without any probe when a replica dies and others take over its share. */
const TAKEOVER = 5;
/** Share of the interval by which probes come early at random, so that servers do not synchronize. Never late: the interval is a maximum. */
const JITTER = 0.1;
/** Seconds without a kind of failure after which it is logged again. */
const FORGOTTEN = 600;

interface Polled {
  facts: ServerFacts;
  /** It is probed here. */
  owned: boolean;
  /** Time of its only valid entry on the agenda; `undefined`: it has none. */
  due: number | undefined;
  /** When a probe ended last, here or at another replica. */
  heardAt: number | undefined;
  /** A probe of it is under way here. */
  probing: boolean;
  /** Another replica could not reach it: it is asked here as well. */
  doubted: boolean;
  /** The first probe has ended, well or badly. */
  probed: boolean;
  /** It left the fleet: its results no longer count. */
  gone: boolean;
  /** A failure was logged, and its end was not. */
  failureLogged: boolean;
  /** When each kind of failure was seen last, by its code; seconds of the engine's clock. */
  readonly failed: Map<string, number>;
}

export class Poller {
  readonly #options: PollerOptions;
  #rules: FleetRules;
  #interval: number;
  #probe: Probe;
  #share = WHOLE_FLEET;
  readonly #servers = new Map<ServerId, Polled>();
  /** Servers that are not being probed, by the time of their next probe. */
  readonly #agenda = new Agenda<Polled>();
  /** Probes under way. */
  readonly #probes = new Set<Promise<void>>();
  readonly #loop: Loop;
  /** Until when the loop sleeps. */
  #sleepsUntil = Infinity;
  #started = false;
  #stopped = false;
  #unprobed = 0;
  #allProbed: (() => void) | undefined;
  /** Probes that ended, by outcome: `sample` or the code of the failure. */
  readonly outcomes = new Map<string, number>();

  constructor(options: PollerOptions) {
    this.#options = options;
    this.#rules = options.rules;
    this.#interval = options.interval;
    this.#probe = options.probe;
    this.#loop = startLoop({
      clock: options.clock,
      cycle: () => this.#startProbes(),
      failed: (error) => {
        options.log.error('starting probes failed inside the session server', { error });
        return this.#interval;
      },
    });
  }

  /** The fleet in the configured order. */
  *servers(): Generator<ServerFacts> {
    for (const { facts } of this.#servers.values()) yield facts;
  }

  get size(): number {
    return this.#servers.size;
  }

  facts(id: ServerId): ServerFacts | undefined {
    return this.#servers.get(id)?.facts;
  }

  state(facts: ServerFacts): ServerState {
    return stateOf(facts, this.#rules);
  }

  /** Starts probing. Servers may be known before. */
  begin(): void {
    this.#started = true;
    this.#scheduleAll([...this.#servers.values()]);
  }

  /** How many servers are probed here. */
  get owned(): number {
    let owned = 0;
    for (const polled of this.#servers.values()) if (polled.owned) owned += 1;
    return owned;
  }

  /** Another share of the fleet from now on. Servers that come into it are probed when they are due, wherever they were probed last. */
  share(share: Share): void {
    this.#share = share;
    const gained: Polled[] = [];
    for (const [id, polled] of this.#servers) {
      const before = polled.owned;
      polled.owned = share.owns(id);
      if (polled.owned !== before) gained.push(polled);
    }
    if (this.#started) this.#scheduleAll(gained.filter(({ probing }) => !probing));
  }

  /** Another replica probed a server. If it could not reach it, that may be its own fault: with patience, the server is asked here, too. What is older than the last answer that is known here does not count. */
  report(id: ServerId, result: ProbeResult, at: number): void {
    const polled = this.#servers.get(id);
    if (polled === undefined || this.#stopped || at <= (polled.heardAt ?? -Infinity)) return;
    this.#take(polled, result, at);
    if (result.kind === 'sample' || polled.owned || polled.probing || this.#share.patience === Infinity) return;
    polled.doubted = true;
    this.#schedule(polled, 0);
  }

  /** What another poller in this process learned, as if it had been learned here, unless it is old. */
  adopt(other: Poller): void {
    const now = this.#options.clock.now();
    for (const [id, { facts, heardAt = -Infinity }] of other.#servers) {
      const polled = this.#servers.get(id);
      if (polled === undefined || polled.heardAt !== undefined || now - heardAt > 2 * this.#interval + TAKEOVER) continue;
      polled.heardAt = heardAt;
      const { load, sampledAt, latency } = facts;
      const { events } = this.#options;
      if (load !== undefined && sampledAt !== undefined) events.sampled(id, load, sampledAt, latency ?? 0);
      if (facts.failures > 0) events.missed(id, heardAt);
      const adopted = adopt(polled.facts, facts, now, this.#rules);
      polled.facts = adopted.facts;
      events.changed(adopted.facts, adopted.transition);
      this.#markProbed(polled);
    }
  }

  /** Resolves when every server was probed once, well or badly. */
  async firstRound(): Promise<void> {
    if (this.#unprobed === 0) return;
    await new Promise<void>((resolve) => {
      const before = this.#allProbed;
      this.#allProbed = () => {
        before?.();
        resolve();
      };
    });
  }

  /** Replaces the endpoints of the fleet: known ones keep their facts, in the new order. */
  update(endpoints: readonly Endpoint[]): void {
    const wanted = new Set(endpoints.map(({ id }) => id));
    for (const [id, polled] of this.#servers) if (!wanted.has(id)) this.#remove(id, polled);
    const added = endpoints.filter(({ id }) => !this.#servers.has(id)).length;
    const spread = this.#spreadOf(added);
    for (const endpoint of endpoints) {
      const known = this.#servers.get(endpoint.id);
      if (known === undefined) this.#add(endpoint, spread);
      else {
        // Deleted and set again: a Map iterates in the order of insertion.
        this.#servers.delete(endpoint.id);
        this.#servers.set(endpoint.id, known);
        known.facts = { ...known.facts, endpoint };
      }
    }
  }

  /** New rules and interval from the next cycle on. */
  reconfigure({ rules, interval }: { readonly rules: FleetRules; readonly interval: number }): void {
    this.#rules = rules;
    this.#interval = interval;
  }

  /** Probes from now on with another probe. The previous one is closed. */
  replaceProbe(probe: Probe): void {
    const before = this.#probe;
    this.#probe = probe;
    void before.close();
  }

  /** Resolves the names of the servers again. A connection does not outlive the address that it was opened for. */
  recheckNames(): void {
    void this.#probe.recheckNames();
  }

  /** No session is handed out there from the moment this returns. `false`: no such server. */
  drain(id: ServerId, drain: Drain): boolean {
    return this.#fold(id, { kind: 'drained', drain });
  }

  resume(id: ServerId): boolean {
    return this.#fold(id, { kind: 'resumed' });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop.stop();
    await this.#probe.close();
    await Promise.all(this.#probes);
  }

  #add(endpoint: Endpoint, spread: number): void {
    const { clock } = this.#options;
    const polled: Polled = {
      facts: newServer(endpoint, clock.now()),
      owned: this.#share.owns(endpoint.id),
      due: undefined,
      heardAt: undefined,
      probing: false,
      doubted: false,
      probed: false,
      gone: false,
      failureLogged: false,
      failed: new Map(),
    };
    this.#servers.set(endpoint.id, polled);
    this.#unprobed += 1;
    if (this.#started) this.#scheduleFirst(polled, spread);
    this.#options.events.added(polled.facts);
  }

  /** Seconds over which the first probes of so many servers are spread. */
  #spreadOf(servers: number): number {
    return Math.min(this.#interval, Math.max(FIRST_ROUND, servers / FIRST_PER_SECOND));
  }

  #scheduleFirst(polled: Polled, spread: number): void {
    const pause = polled.owned ? this.#pauseOfOwn(polled) : this.#pauseOfOthers(polled);
    this.#schedule(polled, pause > 0 ? pause : this.#options.random() * spread);
  }

  /** Seconds until a server is due that came into the share. A share that comes and goes makes no more polls than one that stays. */
  #pauseOfOwn({ heardAt = -Infinity }: Polled): number {
    const { clock, random } = this.#options;
    return Math.max(0, heardAt + this.#interval * (1 - JITTER * random()) - clock.now());
  }

  #scheduleAll(servers: readonly Polled[]): void {
    const spread = this.#spreadOf(servers.length);
    for (const polled of servers) this.#scheduleFirst(polled, spread);
  }

  /** Seconds until a server that another replica probes is probed here. Nothing is known of a new one, so it is probed here once, if at all. */
  #pauseOfOthers({ heardAt, doubted }: Polled): number {
    const { patience } = this.#share;
    if (doubted) return 0;
    return patience === Infinity ? Infinity : Math.max(0, (heardAt ?? -Infinity) + patience - this.#options.clock.now());
  }

  #remove(id: ServerId, polled: Polled): void {
    this.#servers.delete(id);
    polled.gone = true;
    this.#markProbed(polled);
    this.#probe.forget(id);
  }

  #schedule(polled: Polled, pause: number): void {
    const time = this.#options.clock.now() + pause;
    polled.due = time;
    if (time === Infinity) return;
    this.#agenda.add(time, polled);
    if (time < this.#sleepsUntil) this.#loop.wake();
  }

  /** Returns the seconds until the next one is due. */
  #startProbes(): number {
    const { clock } = this.#options;
    const now = clock.now();
    for (let begun = 0; begun < BATCH && this.#agenda.next <= now; begun += 1) {
      const due = this.#agenda.take(now);
      // Else it left, or was scheduled for another time since.
      if (due?.thing.gone === false && due.thing.due === due.time) this.#isDue(due.thing);
    }
    const { next } = this.#agenda;
    this.#sleepsUntil = next <= now ? now + BREAK : next;
    return Math.max(0, this.#sleepsUntil - clock.now());
  }

  #isDue(polled: Polled): void {
    const pause = polled.owned ? 0 : this.#pauseOfOthers(polled);
    if (pause > 0) this.#schedule(polled, pause);
    else this.#begin(polled);
  }

  /** One probe, and the next one on the agenda when it has ended. */
  #begin(polled: Polled): void {
    polled.due = undefined;
    polled.probing = true;
    const ended = this.#cycle(polled)
      .catch((error: unknown) => {
        const { address } = polled.facts.endpoint;
        this.#options.log.error(`probing ${address} failed inside the session server`, { error });
        return this.#interval;
      })
      .then((pause) => {
        this.#probes.delete(ended);
        polled.probing = false;
        if (polled.gone || this.#stopped) return;
        this.#schedule(polled, polled.owned ? pause : this.#pauseOfOthers(polled));
      });
    this.#probes.add(ended);
  }

  /** Returns the seconds until the next. */
  async #cycle(polled: Polled): Promise<number> {
    const { clock, random } = this.#options;
    const began = clock.now();
    const probe = this.#probe;
    const { doubted } = polled;
    polled.doubted = false;
    const result = await probe.probe(polled.facts.endpoint);
    // Stopped or removed meanwhile: the result no longer counts.
    if (polled.gone || this.#stopped) return Infinity;
    // Replaced meanwhile, which closed it: probed again by the new one.
    if (probe !== this.#probe) return 0;

    // The process was stopped and goes on: the server may have answered in time.
    if (!this.#share.counts()) return this.#interval;
    if (doubted && this.#isConfirmed(polled, result)) return this.#interval;

    const first = !polled.probed;
    this.#take(polled, result, clock.now());
    this.#options.events.probed?.(polled.facts.endpoint.id, result);
    const took = clock.now() - began;
    if (result.kind === 'failed' && this.#isDoubtful(polled.facts)) return Math.max(0, Math.min(SOON, this.#interval - took));
    // The first pause is any part of the interval: it spreads the fleet over it.
    const pause = first ? random() * this.#interval : this.#interval * (1 - JITTER * random());
    return Math.max(0, pause - took);
  }

  /** Whether the server cannot be reached from here either. The replica whose share it is counts the failures. */
  #isConfirmed({ facts }: Polled, { kind }: ProbeResult): boolean {
    if (kind === 'failed') return true;
    const { address } = facts.endpoint;
    this.#options.log.limited(
      'warn',
      `reached ${address}`,
      `${address} answers this replica, but another replica cannot reach it`,
    );
    return false;
  }

  /** Probed again soon: it may only have missed one probe, or be starting. */
  #isDoubtful({ failures, load }: ServerFacts): boolean {
    return failures < (load === undefined ? Math.max(STARTING, this.#rules.downAfter) : this.#rules.downAfter);
  }

  #take(polled: Polled, result: ProbeResult, at: number): void {
    const { events, log } = this.#options;
    const { id } = polled.facts.endpoint;
    polled.heardAt = at;
    this.#count(result);
    this.#endDrain(id);
    if (result.kind === 'sample') {
      events.sampled(id, result.load, at, result.latency, result.sessions);
      this.#logRecovered(id);
      const { loadOnly } = result;
      if (loadOnly !== undefined)
        this.#logOnce(id, 'load-only', (address) => {
          log.warn(`${address} simulation server gets no sessions: ${loadOnly}`, { code: 'load-only' });
        });
      this.#fold(id, { ...result, kind: 'sampled' }, at);
    } else {
      events.missed(id, at);
      const { code, reason } = result.failure;
      this.#logOnce(id, code, (address) => {
        log.warn(`${address} simulation server gave no usable load: ${reason}`, { code });
      });
      this.#fold(id, { kind: 'failed', failure: result.failure }, at);
    }
    this.#markProbed(polled);
  }

  /** A drain with a deadline ends by itself. */
  #endDrain(id: ServerId): void {
    const until = this.#servers.get(id)?.facts.drain?.until;
    if (until !== undefined && until <= this.#options.clock.wallTime()) this.#fold(id, { kind: 'resumed' });
  }

  /** A failure is logged once, not at every probe: not even if two kinds alternate, or good answers come in between. */
  #logOnce(id: ServerId, code: string, log: (address: string) => void): void {
    const polled = this.#servers.get(id);
    if (polled === undefined) return;
    const now = this.#options.clock.now();
    const seen = polled.failed.get(code) ?? -Infinity;
    polled.failed.set(code, now);
    if (now - seen < FORGOTTEN) return;
    polled.failureLogged = true;
    log(polled.facts.endpoint.address);
  }

  /** The recovery of a server that was down is logged as a transition. */
  #logRecovered(id: ServerId): void {
    const polled = this.#servers.get(id);
    if (polled?.failureLogged !== true) return;
    polled.failureLogged = false;
    const { facts } = polled;
    if (this.state(facts) === 'unknown' && facts.load !== undefined)
      this.#options.log.info(`${facts.endpoint.address} simulation server answers again`);
  }

  #fold(id: ServerId, event: FleetEvent, at = this.#options.clock.now()): boolean {
    const polled = this.#servers.get(id);
    if (polled === undefined) return false;
    const { facts, transition } = apply(polled.facts, event, at, this.#rules);
    polled.facts = facts;
    this.#options.events.changed(facts, transition);
    return true;
  }

  #markProbed(polled: Polled): void {
    if (polled.probed) return;
    polled.probed = true;
    this.#unprobed -= 1;
    if (this.#unprobed > 0) return;
    this.#allProbed?.();
    this.#allProbed = undefined;
  }

  #count(result: ProbeResult): void {
    const outcome = result.kind === 'sample' ? 'sample' : result.failure.code;
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }
}
