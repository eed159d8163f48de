/**
 * One of several replicas. A follower answers health checks and mirrors what the leader decides. When it is elected it becomes the whole session server,
 * with the state of the leader before it, as after a restart. A leader that is not one any more stops everything and follows again.
 */
import type { Settings } from '../config/settings.ts';
import { inForce } from '../config/reload.ts';
import { SILENT } from '../core/replicas/election.ts';
import { FORMAT, FORMAT_KEY, formatToWrite, isReadable } from '../core/replicas/format.ts';
import type { Digests } from '../core/replicas/member.ts';
import type { ServerId } from '../core/fleet/endpoint.ts';
import { Mirror } from '../core/replicas/shared-state.ts';
import { startLoop, type Loop } from '../engine/loop.ts';
import { committedAdmission } from '../engine/replicas/committed-admission.ts';
import { Heartbeats, type Replication, type Self } from '../engine/replicas/heartbeats.ts';
import { Journal } from '../engine/replicas/journal.ts';
import { ReplicaWatch } from '../engine/replicas/replica-watch.ts';
import { SharedSignIns } from '../engine/replicas/shared-sign-ins.ts';
import { SharedPolling } from '../engine/replicas/shared-polling.ts';
import { SharedAdmission } from '../engine/replicas/shared-admission.ts';
import { createSharedDocuments } from '../engine/replicas/shared-documents.ts';
import type { Clock, SharedStore } from '../ports.ts';
import type { Adapters, Environment, Leading } from './adapters.ts';
import { createAddressGuards } from './build.ts';
import { startApp, type App } from './index.ts';

export interface ReplicaOptions {
  readonly store: SharedStore;
  readonly self: Self;
  /** Digests of the settings that decisions depend on. */
  readonly digests: (settings: Settings) => Digests;
  /** Without the store and without a replica that reaches it, the leader goes on. */
  readonly goesOnAlone: () => boolean;
  /** Whether the replica at this URL reaches the store; `false` also if it does not answer. */
  readonly reachesStore: (address: string) => Promise<boolean>;
  /** Listens while this replica follows. Throws the `listen` error of the port. */
  readonly listen: (settings: () => Settings, watch: ReplicaWatch) => Promise<FollowerPort>;
}

export interface FollowerPort {
  readonly port: number;
  close(): Promise<void>;
}

/** Seconds for which a leader goes on alone before it has to ask again. */
const ALONE = 2.5;
/** Seconds between two attempts to read the store, or to open a port. */
const RETRY = 0.25;
/** Seconds that decisions under way have at the end. */
const LAST_COMMIT = 1;

/** Throws the `listen` error of the port. */
export async function startReplica(
  initial: Settings,
  environment: Environment,
  adapters: Adapters,
  options: ReplicaOptions,
): Promise<App> {
  const replica = new Replica(initial, environment, adapters, options);
  await replica.start();
  return {
    ...{ port: replica.port, gateway: undefined },
    reload: (wanted) => replica.reload(wanted),
    stop: () => replica.stop(),
  };
}

interface Office {
  readonly journal: Journal;
  readonly app: App;
}

class Replica {
  readonly #environment: Environment;
  readonly #adapters: Adapters;
  readonly #options: ReplicaOptions;
  readonly #initial: Settings;
  readonly #mirror = new Mirror();
  readonly #watch: ReplicaWatch;
  #settings: Settings;
  #digests: Digests;
  readonly #polling: SharedPolling;
  #heartbeats: Heartbeats | undefined;
  #changes: Loop | undefined;
  #follower: FollowerPort | undefined;
  #office: Office | undefined;
  #journal: Journal | undefined;
  /** The term in which it has to lead; `undefined`: it has to follow. */
  #term: number | undefined;
  #stopping = false;

  constructor(initial: Settings, environment: Environment, adapters: Adapters, options: ReplicaOptions) {
    this.#initial = initial;
    this.#settings = initial;
    this.#environment = environment;
    this.#adapters = adapters;
    this.#options = options;
    this.#digests = options.digests(initial);
    const { clock, log } = environment;
    this.#watch = new ReplicaWatch({ clock, log, store: options.store, replication: () => this.#replication() });
    this.#polling = this.#createPolling();
  }

  get port(): number {
    return this.#settings.port;
  }

  async start(): Promise<void> {
    const { clock, log } = this.#environment;
    await this.#follow();
    const failed = (error: unknown) => {
      log.error('a replica could not change between leading and following; it is tried again', { error });
      return RETRY;
    };
    this.#changes = startLoop({ clock, delay: Infinity, cycle: () => this.#change(), failed });
    this.#heartbeats = this.#beat();
  }

  async reload(wanted: Settings): Promise<readonly string[]> {
    const { settings, afterRestart } = inForce(this.#initial, wanted);
    this.#settings = { ...settings, port: this.#settings.port };
    this.#digests = this.#options.digests(this.#settings);
    this.#polling.reconfigure();
    await this.#office?.app.reload(this.#settings);
    return afterRestart;
  }

  async stop(): Promise<void> {
    const { clock } = this.#environment;
    this.#stopping = true;
    const timer = new AbortController();
    await Promise.race([this.#journal?.committed(), clock.sleep(LAST_COMMIT, timer.signal)]);
    timer.abort();
    // Clients that are disconnected now keep their places: the next leader expects them.
    this.#journal?.end();
    this.#term = undefined;
    const left = this.#heartbeats?.stop();
    await Promise.all([this.#changes?.stop(), this.#watch.stop(), this.#polling.stop()]);
    await Promise.all([left, this.#office?.app.stop(), this.#follower?.close()]);
    await this.#options.store.close();
  }

  #beat(): Heartbeats {
    const { clock, log } = this.#environment;
    const { store, self } = this.#options;
    return new Heartbeats({
      ...{ clock, log, store, self, mirror: this.#mirror },
      digests: () => this.#digests,
      polls: () => this.#polling.polls,
      events: {
        elected: (term) => {
          log.info('this replica leads from now on', { term });
          this.#term = term;
          this.#changes?.wake();
        },
        renewed: (term) => {
          this.#term = term;
          this.#journal?.back(term);
          if (this.#journal !== undefined) this.#raiseFormat(this.#journal);
        },
        deposed: () => {
          this.#depose();
        },
        outOfReach: () => this.#considerAlone(),
      },
    });
  }

  #createPolling(): SharedPolling {
    const { clock, random, log } = this.#environment;
    const { store, self } = this.#options;
    const guardOf = (isRegistered: (id: ServerId) => boolean) =>
      createAddressGuards({ ...this.#environment, settings: () => this.#settings }, isRegistered);
    return new SharedPolling({
      ...{ clock, random, log, store, self: self.id, mirror: this.#mirror, replication: () => this.#replication() },
      createProbe: ({ interval, timeout, ssl }, isRegistered) => {
        const settings = { ...this.#settings, pollInterval: interval, pollTimeout: timeout, pollSsl: ssl };
        const guard = guardOf(isRegistered);
        return this.#adapters.createProbe(settings, this.#environment, (id) => guard(id)?.lookup);
      },
    });
  }

  /**
   * Another replica leads. What this one decided and could not commit never happened: the first list replaces its mirror, unless the store forgets before. Then
   * it is better to know too much than nothing.
   */
  #depose(): void {
    this.#environment.log.warn('another replica leads from now on; this one follows it');
    this.#term = undefined;
    this.#journal?.end();
    this.#changes?.wake();
  }

  async #change(): Promise<number> {
    if (this.#stopping) return Infinity;
    if (this.#term !== undefined && this.#office === undefined) await this.#lead(this.#term);
    else if (this.#office !== undefined && this.#office.journal.isEnded) await this.#stepDown(this.#office);
    return this.#term === undefined || this.#office?.journal.isEnded === false ? Infinity : RETRY;
  }

  async #lead(term: number): Promise<void> {
    const { log } = this.#environment;
    const { store } = this.#options;
    // A store that knows less than the mirror forgot it, and is filled again from the mirror.
    this.#mirror.replace(await store.list());
    if (this.#term !== term) return;
    if (!isReadable(this.#mirror.get(FORMAT_KEY))) {
      log.error('the replicas share a format that this version does not know; upgrade it', { format: FORMAT });
      this.#term = undefined;
      await this.#heartbeats?.resign();
      return;
    }
    // Nothing is shared: this replica brings what is on its own disk.
    const isFirst = this.#mirror.size === 0;
    const journal = this.#createJournal(term);
    this.#raiseFormat(journal);
    this.#journal = journal;
    await this.#follower?.close();
    this.#follower = undefined;
    try {
      const app = await startApp(this.#settings, ...this.#surroundings(journal, isFirst));
      this.#office = { journal, app };
    } catch (error) {
      log.error('this replica cannot lead', { error });
      journal.end();
      this.#term = undefined;
      await this.#heartbeats?.resign();
      await this.#follow();
    }
  }

  /** All replicas know the newer format. */
  #raiseFormat(journal: Journal): void {
    const known = this.#replication().members.map(({ format }) => format);
    journal.set(FORMAT_KEY, formatToWrite(this.#mirror.get(FORMAT_KEY), known));
  }

  #createJournal(term: number): Journal {
    const { clock, log } = this.#environment;
    const { store, self } = this.#options;
    const wake = () => this.#heartbeats?.wake();
    return new Journal({
      ...{ clock, log, store, term, leader: self.id, mirror: this.#mirror },
      fenced: () => {
        void this.#heartbeats?.resign();
        this.#depose();
      },
      forgotten: wake,
    });
  }

  /** What a leader is built from: the same as any session server, with its state in the store. */
  #surroundings(journal: Journal, isFirst: boolean): [Environment, Adapters] {
    const { newId, log } = this.#environment;
    const clock = this.#sharedClock();
    const admission = new SharedAdmission(journal, { clock, newId });
    const leading: Leading = {
      journal,
      admission,
      watch: this.#watch,
      signIns: new SharedSignIns(journal, clock),
      polling: this.#polling,
    };
    const adapters: Adapters = {
      ...this.#adapters,
      createStore: (settings) =>
        createSharedDocuments({ clock, journal, admission, isFirst, disk: this.#adapters.createStore(settings, log) }),
      startEdge: (edge) =>
        this.#adapters.startEdge({ ...edge, ...committedAdmission(edge, journal, { clock, tokens: admission.tokens }) }),
    };
    return [{ ...this.#environment, clock, leading }, adapters];
  }

  /** All replicas take the time from the store, so that what one of them saved has the right age on another one. */
  #sharedClock(): Clock {
    const { clock } = this.#environment;
    const offset = this.#heartbeats?.offset ?? clock.wallTime() - clock.now();
    return {
      now: () => clock.now(),
      sleep: (...rest) => clock.sleep(...rest),
      wallTime: () => clock.now() + offset,
    };
  }

  async #stepDown({ app }: Office): Promise<void> {
    this.#office = undefined;
    this.#journal = undefined;
    await app.stop();
    await this.#follow();
  }

  async #follow(): Promise<void> {
    const port = await this.#options.listen(() => this.#settings, this.#watch);
    this.#follower = port;
    this.#settings = { ...this.#settings, port: port.port };
  }

  #replication(): Replication {
    return this.#heartbeats?.replication ?? NOTHING_KNOWN;
  }

  /** The store does not answer this leader. If it answers another replica, that one is about to lead. */
  async #considerAlone(): Promise<void> {
    const { self, goesOnAlone, reachesStore } = this.#options;
    const others = this.#replication().members.filter(({ id, age }) => id !== self.id && age < SILENT);
    const addresses = others.flatMap(({ address }) => address ?? []);
    if (!goesOnAlone() || addresses.length < others.length) return;
    const answers = await Promise.all(addresses.map((address) => reachesStore(address)));
    if (!answers.includes(true)) this.#journal?.goAlone(ALONE);
  }
}

const NOTHING_KNOWN: Replication = {
  ...{ leads: false, reachesStore: false, term: 0, leader: undefined, members: [], roundTrip: undefined, failures: 0 },
  ...{ takeovers: 0, differing: new Map(), foreignFormat: undefined, knownAt: -Infinity, polls: 0 },
};
