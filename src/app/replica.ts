/**
 * One of several replicas. A follower mirrors what the leader decides, keeps the connections of its clients, and puts their requests to the leader. When it is
 * elected it becomes the whole session server, with the state of the leader before it, as after a restart. A leader that is not one any more stops everything
 * and follows again. Its port and the WebSockets of its clients stay open all the time.
 */
import type { Settings } from '../config/settings.ts';
import { inForce } from '../config/reload.ts';
import { SILENT } from '../core/replicas/election.ts';
import { FORMAT, FORMAT_KEY, formatToWrite, isReadable } from '../core/replicas/format.ts';
import type { Digests } from '../core/replicas/member.ts';
import type { ServerId } from '../core/fleet/endpoint.ts';
import { PEERING_KEY, readPeering, type Peering } from '../core/replicas/peering.ts';
import { Mirror } from '../core/replicas/shared-state.ts';
import { startLoop, type Loop } from '../engine/loop.ts';
import { committedAdmission } from '../engine/replicas/committed-admission.ts';
import { Heartbeats, type Replication, type Self } from '../engine/replicas/heartbeats.ts';
import type { Channel } from '../engine/replicas/channel.ts';
import { FollowerLinks } from '../engine/replicas/follower-links.ts';
import { Journal } from '../engine/replicas/journal.ts';
import { LeaderLink, type LeaderAddress } from '../engine/replicas/leader-link.ts';
import { ReplicaWatch } from '../engine/replicas/replica-watch.ts';
import { SharedSignIns } from '../engine/replicas/shared-sign-ins.ts';
import { SharedPolling } from '../engine/replicas/shared-polling.ts';
import { SharedAdmission } from '../engine/replicas/shared-admission.ts';
import { createSharedDocuments } from '../engine/replicas/shared-documents.ts';
import { WaitingClients } from '../engine/replicas/waiting-clients.ts';
import { createStartupGate } from '../engine/startup-gate.ts';
import { createTopic } from '../engine/topic.ts';
import type { EdgeOptions } from '../http/edge.ts';
import type { ReplicaPort, ReplicaPortOptions } from '../http/replicas/replica-port.ts';
import type { Clock, SharedStore } from '../ports.ts';
import type { Adapters, Environment, Leading } from './adapters.ts';
import { createAddressGuards } from './build.ts';
import { startApp, type App } from './index.ts';

export interface ReplicaOptions {
  readonly store: SharedStore;
  readonly self: Self;
  /** Digests of the settings that decisions depend on. */
  readonly digests: (settings: Settings) => Digests;
  /** Resolves when everything that arrived together was dealt with. */
  readonly endOfTurn: () => Promise<void>;
  /** Without the store and without a replica that reaches it, the leader goes on. */
  readonly goesOnAlone: () => boolean;
  /** Whether the replica at this URL reaches the store; `false` also if it does not answer. */
  readonly reachesStore: (address: string) => Promise<boolean>;
  /** Opens the port. Throws its `listen` error. */
  readonly listen: (options: ReplicaPortParts) => Promise<ReplicaPort>;
  /** Opens a link to the leader. Throws if it does not answer in time. */
  readonly connect: (leader: LeaderAddress) => Promise<Channel>;
}

export type ReplicaPortParts = Omit<ReplicaPortOptions, 'clock' | 'newId' | 'log'>;

/** Seconds for which a leader goes on alone before it has to ask again. */
const ALONE = 2.5;
/** Seconds between two attempts to read the store, or to open a port. */
const RETRY = 0.25;
/** Seconds that decisions under way have at the end. */
const LAST_COMMIT = 1;
/** Seconds without a leader in which another one is about to lead. Until then, clients stay. */
const TAKEOVER = 6;
/** Seconds that clients have to take what is in flight at the end. */
const GRACE = 1.2;

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

/** What was read of the secret that replicas share. */
interface ReadPeering {
  readonly text: string | undefined;
  readonly peering: Peering | undefined;
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
  #replicaPort: ReplicaPort | undefined;
  #link: LeaderLink | undefined;
  readonly #clients: WaitingClients;
  readonly #availability = createTopic(false);
  readonly #answers = createStartupGate();
  #whyClosed: () => string | undefined = () => undefined;
  /** The followers, while this replica leads. */
  #links: FollowerLinks | undefined;
  #peering: ReadPeering = { text: undefined, peering: undefined };
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
    const { clock, log, newId } = environment;
    this.#clients = new WaitingClients({ newId, log, replica: options.self.id });
    this.#watch = new ReplicaWatch({ clock, log, store: options.store, replication: () => this.#replication() });
    this.#polling = this.#createPolling();
  }

  get port(): number {
    return this.#settings.port;
  }

  async start(): Promise<void> {
    const { clock, log } = this.#environment;
    const replicaPort = await this.#options.listen(this.#portParts());
    this.#replicaPort = replicaPort;
    this.#settings = { ...this.#settings, port: replicaPort.edgePort.port };
    this.#link = this.#createLink(replicaPort);
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
    this.#replicaPort?.reconfigure();
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
    this.#loseClients();
    const left = this.#heartbeats?.stop();
    await Promise.all([this.#changes?.stop(), this.#watch.stop(), this.#polling.stop(), this.#link?.stop()]);
    await Promise.all([left, this.#office?.app.stop(), this.#replicaPort?.close(GRACE)]);
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
          this.#link?.pause();
          this.#changes?.wake();
        },
        renewed: (term, hasForgotten) => {
          this.#term = term;
          this.#journal?.back(term, hasForgotten);
          if (this.#journal === undefined) return;
          this.#raiseFormat(this.#journal);
          this.#shareSecret(this.#journal, term);
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
    this.#loseClients();
    this.#link?.resume();
    this.#changes?.wake();
  }

  /** What this replica led is led by another one. */
  #loseClients(): void {
    this.#clients.lose();
    this.#links?.end();
    this.#links = undefined;
  }

  async #resign(): Promise<void> {
    this.#term = undefined;
    await this.#heartbeats?.resign();
    this.#loseClients();
    this.#link?.resume();
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
    if (this.#mirror.stamp.term > term) {
      // Another one was elected since: what this one recorded would spoil the mirror.
      await this.#resign();
      return;
    }
    if (!isReadable(this.#mirror.get(FORMAT_KEY))) {
      log.error('the replicas share a format that this version does not know; upgrade it', { format: FORMAT });
      await this.#resign();
      return;
    }
    // Nothing is shared: this replica brings what is on its own disk.
    const isFirst = this.#mirror.size === 0;
    const journal = this.#createJournal(term);
    this.#raiseFormat(journal);
    this.#shareSecret(journal, term);
    this.#journal = journal;
    try {
      const app = await startApp(this.#settings, ...this.#surroundings(journal, isFirst));
      this.#office = { journal, app };
    } catch (error) {
      log.error('this replica cannot lead', { error });
      journal.end();
      this.#journal = undefined;
      await this.#resign();
    }
  }

  /** All replicas know the newer format. */
  #raiseFormat(journal: Journal): void {
    const known = this.#replication().members.map(({ format }) => format);
    journal.set(FORMAT_KEY, formatToWrite(this.#mirror.get(FORMAT_KEY), known));
  }

  /** Another term has another secret. */
  #shareSecret(journal: Journal, term: number): void {
    const { newId } = this.#environment;
    if (this.#readPeering()?.term !== term) journal.set(PEERING_KEY, { term, secret: `${newId()}${newId()}` } satisfies Peering);
  }

  #readPeering(): Peering | undefined {
    const text = this.#mirror.get(PEERING_KEY);
    if (text !== this.#peering.text) this.#peering = { text, peering: readPeering(text) };
    return this.#peering.peering;
  }

  #createJournal(term: number): Journal {
    const { clock, log } = this.#environment;
    const { store, self, endOfTurn } = this.#options;
    const wake = () => this.#heartbeats?.wake();
    return new Journal({
      ...{ clock, log, store, term, endOfTurn, leader: self.id, mirror: this.#mirror },
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
    const port = this.#replicaPort?.edgePort;
    if (port === undefined) throw new Error('the port of this replica is not open');
    const leading: Leading = {
      ...{ journal, admission, watch: this.#watch, signIns: new SharedSignIns(journal, clock) },
      ...{ polling: this.#polling, port },
      isGone: (replica) => this.#isGone(replica),
    };
    const adapters: Adapters = {
      ...this.#adapters,
      createStore: (settings) =>
        createSharedDocuments({ clock, journal, admission, isFirst, disk: this.#adapters.createStore(settings, log) }),
      startEdge: (edge) => {
        const committed = { ...edge, ...committedAdmission(edge, journal, { clock, tokens: admission.tokens }) };
        this.#serve(committed, journal);
        return this.#adapters.startEdge(committed);
      },
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
  }

  #portParts(): ReplicaPortParts {
    return {
      ...{ settings: () => this.#settings, watch: this.#watch, clients: this.#clients },
      ...{ availability: this.#availability, answers: this.#answers, whyClosed: () => this.#whyClosed() },
      secret: () => this.#secret(),
      leader: () => this.#link?.leader,
      serves: () => this.#serves(),
      linked: (channel, replica) => {
        if (this.#links === undefined) channel.end();
        else this.#links.accept(channel, replica);
      },
    };
  }

  #createLink(replicaPort: ReplicaPort): LeaderLink {
    const { clock, log } = this.#environment;
    return new LeaderLink({
      ...{ clock, log, clients: this.#clients, connect: this.#options.connect },
      leader: () => this.#leader(),
      fleet: (isAvailable, why) => this.#publish(isAvailable, () => why),
      changed: () => replicaPort.leaderChanged(),
    });
  }

  /** Clients of this replica and of the followers are served by this one. */
  #serve({ queue, sessions, answers, prospects: { availability }, monitorViews }: EdgeOptions, journal: Journal): void {
    const whyClosed = () => {
      const { open, availability: sentence } = monitorViews.fleet();
      return open ? undefined : sentence;
    };
    this.#links = new FollowerLinks({ queue, sessions, answers, availability, whyClosed });
    const publish = () => {
      if (!journal.isEnded) this.#publish(availability.value, whyClosed);
    };
    availability.subscribe(() => {
      if (answers.isReady()) publish();
    });
    void answers.ready.then(publish);
    void sessions.ready.then(() => {
      if (!journal.isEnded) this.#clients.follow(queue);
    });
  }

  #publish(isAvailable: boolean, whyClosed: () => string | undefined): void {
    this.#whyClosed = whyClosed;
    this.#availability.publish(isAvailable);
    this.#answers.begin();
  }

  /** Where a follower reaches the leader. Not with the gateway: it listens on the leader only. */
  #leader(): LeaderAddress | undefined {
    const { leads, leader, foreignFormat } = this.#replication();
    const secret = this.#secret();
    if (leads || this.#settings.gateway.enabled || foreignFormat !== undefined || secret === undefined) return undefined;
    if (leader?.address === undefined || leader.id === this.#options.self.id) return undefined;
    return { id: leader.id, address: leader.address, secret };
  }

  /** Of the present term. */
  #secret(): string | undefined {
    const peering = this.#readPeering();
    return peering?.term === this.#replication().term ? peering.secret : undefined;
  }

  #serves(): boolean {
    const { reachesStore, foreignFormat } = this.#replication();
    const { enabled } = this.#settings.gateway;
    return reachesStore && foreignFormat === undefined && !enabled && this.#link?.isOpen(TAKEOVER) === true;
  }

  /** Clients of this replica come back elsewhere: its link ended, or it is silent. */
  #isGone(replica: string): boolean {
    if (replica === this.#options.self.id) return false;
    const isMember = this.#replication().members.some(({ id, age }) => id === replica && age < SILENT);
    return this.#links?.hasLeft(replica) ?? !isMember;
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
