/**
 * The share of this replica in polling the fleet. The leader says which servers there are and how they are polled. Every replica computes its share from the
 * heartbeats, writes what its probes found for the others, and hands what they found to its own poller as if it had probed. So the next leader knows the fleet
 * before it leads.
 *
 * The leader polls what no other replica polls: the whole fleet when the store does not answer, a server without reports for a while, and a new one once. It
 * also asks a server that another replica could not reach, because that may be the fault of the replica.
 */
import { SILENT } from '../../core/replicas/election.ts';
import { POLLING, planValue, readPlan, type PollingPlan } from '../../core/replicas/polling-plan.ts';
import { documentKey, type Mirror } from '../../core/replicas/shared-state.ts';
import { pollersOf, shardsOf, type Shards } from '../../core/replicas/shards.ts';
import type { ServerId } from '../../core/fleet/endpoint.ts';
import type { Clock, Log, Probe, ProbeResult, Random, SharedStore } from '../../ports.ts';
import { startLoop, type Loop } from '../loop.ts';
import { Poller, type PollerEvents } from '../poller.ts';
import type { Replication } from './heartbeats.ts';
import { parsed, type Journal } from './journal.ts';
import { ReportExchange } from './report-exchange.ts';

export interface SharedPollingOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly store: Pick<SharedStore, 'report' | 'reports'>;
  readonly self: string;
  readonly mirror: Mirror;
  readonly replication: () => Replication;
  /** Of a follower. */
  readonly createProbe: (plan: PollingPlan, isRegistered: (id: ServerId) => boolean) => Probe;
}

/** What a leader polls with. */
export interface LeadingPoller {
  readonly poller: Poller;
  readonly journal: Pick<Journal, 'set' | 'isEnded'>;
  /** The same object as long as nothing changed. */
  readonly plan: () => PollingPlan;
}

/** Seconds between two looks at members and plan. */
const CYCLE = 0.25;
/** Seconds between two times that the names of servers are resolved, as at the leader. */
const NAME_CHECKS = 30;
const KEY = documentKey(POLLING);

interface Following {
  readonly poller: Poller;
  plan: PollingPlan;
  text: string;
}

export class SharedPolling {
  readonly #options: SharedPollingOptions;
  readonly #exchange: ReportExchange;
  readonly #loop: Loop;
  #leading: LeadingPoller | undefined;
  #following: Following | undefined;
  #ending: Promise<void> | undefined;
  /** What the leader wrote last. */
  #written: PollingPlan | undefined;
  #registered = new Set<ServerId>();
  #pollers = '';
  #shards: Shards = shardsOf([]);
  #namesCheckedAt: number;

  constructor(options: SharedPollingOptions) {
    this.#options = options;
    const { clock, log, store, self, replication } = options;
    this.#namesCheckedAt = clock.now();
    this.#exchange = new ReportExchange({
      ...{ clock, log, store, self },
      isHeard: () => replication().members.some(({ id, age }) => id !== self && age < SILENT),
      reachesStore: () => replication().reachesStore,
      take: (server, result, at) => this.#poller?.report(server, result, at),
    });
    const failed = (error: unknown) => {
      log.error('sharing the polls failed inside the session server', { error });
      return CYCLE;
    };
    this.#loop = startLoop({ clock, delay: CYCLE, cycle: () => this.#look(), failed });
  }

  /** Simulation servers that this replica polls. */
  get polls(): number {
    return this.#poller?.owned ?? 0;
  }

  /** A probe of the leader ended. */
  probed(server: ServerId, result: ProbeResult): void {
    this.#exchange.add(server, result);
  }

  /** This replica leads, with a poller of its own that has not begun. It begins with what is known here. */
  lead(leading: LeadingPoller): void {
    this.#leading = leading;
    this.#written = undefined;
    const { poller } = leading;
    if (this.#following !== undefined) poller.adopt(this.#following.poller);
    this.#endFollowing();
    this.#share(poller);
  }

  /** The settings changed by which a follower polls. */
  reconfigure(): void {
    if (this.#following !== undefined) this.#following.text = '';
  }

  async stop(): Promise<void> {
    await Promise.all([this.#loop.stop(), this.#exchange.stop()]);
    this.#endFollowing();
    await this.#ending;
  }

  get #poller(): Poller | undefined {
    return this.#leading?.poller ?? this.#following?.poller;
  }

  #look(): number {
    if (this.#leading?.journal.isEnded === true) this.#follow(this.#leading.poller);
    if (this.#leading === undefined) this.#readPlan();
    else this.#writePlan(this.#leading);
    this.#computeShards();
    this.#recheckNames();
    return CYCLE;
  }

  /** It leads no more. What it knows stays known. */
  #follow(before: Poller): void {
    this.#leading = undefined;
    this.#readPlan();
    this.#poller?.adopt(before);
  }

  #writePlan({ poller, journal, plan }: LeadingPoller): void {
    const now = plan();
    if (now === this.#written) return;
    this.#written = now;
    journal.set(KEY, planValue(now));
    this.#share(poller);
  }

  #readPlan(): void {
    const text = this.#options.mirror.get(KEY);
    if (text === undefined || text === this.#following?.text) return;
    const plan = readPlan(parsed(text));
    if (plan === undefined) {
      this.#options.log.limited('warn', 'foreign plan', 'the shared store has a list of servers that no session server wrote');
      return;
    }
    const { interval, rules, listed, registered } = plan;
    this.#registered = new Set(registered.map(({ id }) => id));
    if (this.#following === undefined) this.#following = { poller: this.#createPoller(plan), plan, text };
    else {
      const { poller, plan: before, text: known } = this.#following;
      poller.reconfigure({ rules, interval });
      if (known === '' || !isProbedAlike(before, plan)) poller.replaceProbe(this.#createProbe(plan));
      this.#following = { poller, plan, text };
    }
    this.#following.poller.update([...listed, ...registered]);
  }

  #createPoller(plan: PollingPlan): Poller {
    const { clock, random, log } = this.#options;
    const { interval, rules } = plan;
    const events: PollerEvents = { ...NO_EVENTS, probed: (server, result) => this.#exchange.add(server, result) };
    const poller = new Poller({ ...{ clock, random, interval, rules, events }, log: quiet(log), probe: this.#createProbe(plan) });
    this.#share(poller);
    poller.begin();
    return poller;
  }

  #createProbe(plan: PollingPlan): Probe {
    return this.#options.createProbe(plan, (id) => this.#registered.has(id));
  }

  #endFollowing(): void {
    const poller = this.#following?.poller;
    this.#following = undefined;
    if (poller !== undefined) this.#ending = Promise.all([this.#ending, poller.stop()]).then(() => undefined);
  }

  #computeShards(): void {
    const { replication } = this.#options;
    const { members, leader, inForce } = replication();
    const pollers = this.#isKnown() ? pollersOf({ members, leader: leader?.id, inForce }) : [];
    const key = JSON.stringify(pollers);
    if (key === this.#pollers) return;
    this.#pollers = key;
    this.#shards = shardsOf(pollers);
    if (this.#poller !== undefined) this.#share(this.#poller);
  }

  /** Who polls what is known as long as the store answers. */
  #isKnown(): boolean {
    return this.#options.clock.now() - this.#options.replication().knownAt < SILENT;
  }

  #share(poller: Poller): void {
    const { self } = this.#options;
    const shards = this.#shards;
    if (this.#leading?.poller === poller) {
      const patience = 2 * this.#leading.plan().interval + SILENT;
      poller.share({ owns: (server) => (shards(server) ?? self) === self, patience, counts: () => true });
    } else poller.share({ owns: (server) => shards(server) === self, patience: Infinity, counts: () => this.#isKnown() });
  }

  #recheckNames(): void {
    const { clock } = this.#options;
    if (clock.now() < this.#namesCheckedAt + NAME_CHECKS) return;
    this.#namesCheckedAt = clock.now();
    this.#following?.poller.recheckNames();
  }
}

const NO_EVENTS: PollerEvents = {
  ...{ sampled: () => undefined, missed: () => undefined, changed: () => undefined, added: () => undefined },
};

function isProbedAlike(one: PollingPlan, other: PollingPlan): boolean {
  return one.interval === other.interval && one.timeout === other.timeout && one.ssl === other.ssl;
}

/** The leader logs what is wrong with servers. */
function quiet(log: Log): Log {
  const less: Log['debug'] = (...line) => {
    log.debug(...line);
  };
  return {
    ...{ debug: less, info: less, warn: less },
    error: (...line) => {
      log.error(...line);
    },
    limited: (_level, key, ...line) => {
      log.limited('debug', key, ...line);
    },
  };
}
