/**
 * Several whole replicas, without sockets, on one fake clock, with one shared store and one adversary: it delays calls, cuts them before or after the store
 * did what they say, kills and pauses replicas, and makes the store stand still, forget, or go back.
 */
import assert from 'node:assert/strict';
import { startReplica, type ReplicaPortParts } from '../../src/app/replica.ts';
import type { App, Environment } from '../../src/app/index.ts';
import type { ConfigurationFile } from '../../src/config/schema.ts';
import type { ServerId } from '../../src/core/fleet/endpoint.ts';
import type { Digests } from '../../src/core/replicas/member.ts';
import type { Outcome, Waiter, Waiting } from '../../src/engine/request-types.ts';
import { PerClientCounts } from '../../src/core/limits/per-client-counts.ts';
import type { Channel } from '../../src/engine/replicas/channel.ts';
import type { LeaderAddress } from '../../src/engine/replicas/leader-link.ts';
import type { EdgeOptions } from '../../src/http/edge.ts';
import type { ReplicaPort } from '../../src/http/replicas/replica-port.ts';
import { clientAddresses } from '../../src/http/server/client-address.ts';
import type { Clock, Probe, SharedStore } from '../../src/ports.ts';
import { createSharedLookup } from '../../src/probes/shared-lookup.ts';
import { MemorySharedStore } from '../../src/stores/shared-memory.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryLog } from './memory-log.ts';
import { MemoryStore } from './memory-store.ts';
import { linkOf, type LinkEnd } from './replica-channel.ts';
import { seededRandom } from './seeded-random.ts';
import { settingsOf } from './settings.ts';

export const SERVERS = ['a:2000', 'b:2000', 'c:2000', 'd:2000'] as const;
/** Sessions on each server. */
export const PLACES = 3;

/** What the adversary may do to calls of the store. */
export interface Weather {
  /** Longest delay, in seconds. */
  readonly delay: number;
  /** Share of calls that end in an error before, and after, the store did what they say. */
  readonly cutBefore: number;
  readonly cutAfter: number;
}

/** Seconds that a probe may take. */
const DEADLINE = 4;

export const FAIR: Weather = { delay: 0.005, cutBefore: 0, cutAfter: 0 };

export class World {
  readonly clock = new FakeClock();
  readonly random: () => number;
  readonly store: MemorySharedStore;
  readonly replicas: Replica[] = [];
  readonly clients: Client[] = [];
  weather = FAIR;
  /** The store answers no replica. */
  storeIsDown = false;
  /** Whether the leader may go on without the store. */
  goesOnAlone = false;
  /** Every probe of a simulation server. */
  readonly polls: Poll[] = [];
  /** Seconds that a simulation server takes to answer, at most. */
  slowness = 0;
  /** Simulation servers that never answer; no deadline ends the probe. */
  readonly hanging = new Set<ServerId>();
  readonly servers: readonly string[];
  /** By replicas and terms: whose commits succeeded. */
  readonly committedBy = new Map<number, Set<string>>();
  #ids = 0;

  constructor(seed: number, servers: readonly string[] = SERVERS) {
    this.servers = servers;
    this.random = seededRandom(seed);
    this.store = new MemorySharedStore(() => this.clock.wallTime());
  }

  newId(): string {
    return `id${(this.#ids += 1)}`;
  }

  /** `prepare` changes it before it starts. */
  async addReplica(prepare: (replica: Replica) => void = () => undefined): Promise<Replica> {
    const replica = new Replica(this, `r${this.replicas.length + 1}`);
    prepare(replica);
    this.replicas.push(replica);
    await replica.start();
    return replica;
  }

  addClient(options: ClientOptions = {}): Client {
    const client = new Client(this, options);
    this.clients.push(client);
    void client.run();
    return client;
  }

  /** The replicas that serve clients now, as a reverse proxy sees them. */
  serving(): Replica[] {
    return this.replicas.filter((replica) => replica.edge !== undefined && !replica.isDead && !replica.isPaused);
  }

  async until(what: string, found: () => boolean, seconds = 60): Promise<void> {
    for (let passed = 0; passed < seconds; passed += 0.25) {
      if (found()) return;
      await this.clock.advance(0.25);
    }
    assert.fail(`after ${seconds} s still not: ${what}`);
  }

  /** Nothing was given twice: no server has more sessions than places, and no client more than one outcome. */
  check(): void {
    const taken = new Map<ServerId, number>();
    for (const { outcomes, hasLeft } of this.clients) {
      assert.ok(outcomes.length <= 1, 'a client got two outcomes');
      const [outcome] = outcomes;
      if (outcome?.kind === 'allocated' && !hasLeft) taken.set(outcome.server, (taken.get(outcome.server) ?? 0) + 1);
    }
    for (const [server, sessions] of taken) assert.ok(sessions <= PLACES, `${server} has ${sessions} sessions`);
    // They all answer, so a server is down only if the replica that asked was.
    for (const { name, log } of this.replicas)
      for (const { message } of log.lines) assert.doesNotMatch(message, /server is down/, `${name}: ${message}`);
    for (const [term, leaders] of this.committedBy) assert.equal(leaders.size, 1, `term ${term} has several leaders`);
  }

  async stop(): Promise<void> {
    const stopped = Promise.all(this.replicas.filter(({ isDead }) => !isDead).map((replica) => replica.stop()));
    for (const client of this.clients) client.end();
    await this.clock.advance(10);
    await stopped;
  }
}

export interface Poll {
  readonly by: Replica;
  readonly server: ServerId;
  /** Seconds of the world's clock. */
  readonly at: number;
}

export class Replica {
  /** Keys that only this replica has. */
  own: Partial<ConfigurationFile> = {};
  /** Of its settings. */
  digests: Digests = {};
  readonly name: string;
  readonly log = new MemoryLog();
  readonly disk = new MemoryStore();
  isDead = false;
  isPaused = false;
  /** It cannot read what others commit. */
  isBehind = false;
  /** It reaches no simulation server. */
  isLonely = false;
  /** It cannot write reports. */
  isMute = false;
  /** Seconds by which the clock of its machine is ahead of that of the store. */
  clockDifference = 0;
  edge: EdgeOptions | undefined;
  /** Aborted when the connections of clients of its edge end. */
  connections = new AbortController();
  /** What its port is given; the WebSockets of its clients stay open when another replica leads. */
  replicaPort: ReplicaPortParts | undefined;
  /** Aborted when these WebSockets end. */
  readonly sockets = new AbortController();
  readonly links = new Set<LinkEnd>();
  /** How often it was stopped. */
  #pauses = 0;
  #id = '';
  readonly #world: World;
  #app: App | undefined;
  #resumed: (() => void)[] = [];

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
  }

  async start(): Promise<void> {
    const world = this.#world;
    const clock = this.#clock();
    const environment: Environment = {
      ...{ clock, random: world.random, log: this.log, version: 'tested', names: createSharedLookup() },
      newId: () => world.newId(),
    };
    this.#id = `${this.name}-${world.newId()}`;
    const simulationServers = world.servers.map((address) => ({ address: address.replace(':', '/'), maxSessions: PLACES }));
    this.#app = await startReplica(
      settingsOf({ ...this.own, simulationServers }),
      environment,
      {
        createProbe: () => this.#probe(clock),
        createStore: () => this.disk,
        createNotifiers: () => [],
        startEdge: (edge) => {
          this.edge = edge;
          const close = () => {
            this.edge = undefined;
            this.disconnect();
            return Promise.resolve();
          };
          return Promise.resolve({ ...{ port: 1, gateway: undefined, reconfigure: () => undefined }, close });
        },
      },
      {
        store: this.#store(world.store),
        self: {
          id: this.#id,
          name: this.name,
          version: 'tested',
          address: `http://${this.name}`,
        },
        digests: () => this.digests,
        endOfTurn: () => clock.sleep(0.001),
        goesOnAlone: () => world.goesOnAlone,
        reachesStore: (address) => {
          const other = world.replicas.find(({ name }) => address === `http://${name}`);
          return Promise.resolve(other !== undefined && !other.isDead && !other.isPaused && !world.storeIsDown);
        },
        listen: (parts) => Promise.resolve(this.#open(parts)),
        connect: (leader) => this.#connect(leader),
      },
    );
  }

  /** Servers answer after a while. A deadline that passed while the process was stopped is over as soon as it goes on. */
  #probe(clock: Clock): Probe {
    const world = this.#world;
    const running = new Set<AbortController>();
    return {
      probe: async ({ id }) => {
        if (this.isLonely) return { kind: 'failed', failure: { code: 'refused', reason: 'a firewall refused it' } };
        const end = new AbortController();
        running.add(end);
        const at = clock.now();
        world.polls.push({ by: this, server: id, at });
        await clock.sleep(world.hanging.has(id) ? 1e6 : world.slowness * world.random(), end.signal);
        running.delete(end);
        if (clock.now() - at <= DEADLINE) return { kind: 'sample', load: 0, latency: clock.now() - at };
        return { kind: 'failed', failure: { code: 'timeout', reason: 'it did not answer' } };
      },
      forget: () => undefined,
      recheckNames: () => Promise.resolve(),
      close: () => {
        for (const end of running) end.abort();
        return Promise.resolve();
      },
    };
  }

  /** As `kill -9`. */
  kill(): void {
    this.isDead = true;
    this.edge = undefined;
    this.disconnect();
    this.sockets.abort();
    for (const link of this.links) link.other?.lose();
  }

  /** As `SIGSTOP`: connections stay open. */
  pause(): void {
    this.isPaused = true;
    this.#pauses += 1;
    const pause = this.#pauses;
    void this.#world.clock.sleep(SILENT).then(() => {
      if (this.isPaused && this.#pauses === pause) for (const link of this.links) link.other?.lose();
    });
  }

  /** As `SIGCONT`. */
  resume(): void {
    this.isPaused = false;
    for (const go of this.#resumed.splice(0)) go();
  }

  disconnect(): void {
    const { connections } = this;
    this.connections = new AbortController();
    connections.abort();
  }

  async stop(): Promise<void> {
    await this.#app?.stop();
  }

  /** Goes on while it runs. A dead one never does. */
  async running(): Promise<void> {
    while (this.isPaused) await new Promise<void>((resolve) => this.#resumed.push(resolve));
    if (this.isDead) await new Promise(() => undefined);
  }

  #open(parts: ReplicaPortParts): ReplicaPort {
    this.replicaPort = parts;
    return {
      edgePort: {
        ...{ port: 1, addresses: clientAddresses(() => ({ trustedProxies: [] })), shares: new PerClientCounts() },
        sockets: { upgrade: () => undefined, count: () => 0, close: () => Promise.resolve() },
        ...{ connections: () => 0, serve: () => () => undefined },
      },
      ...{ leaderChanged: () => undefined, reconfigure: () => undefined },
      close: () => {
        this.sockets.abort();
        return Promise.resolve();
      },
    };
  }

  async #connect({ address, secret }: LeaderAddress): Promise<Channel> {
    const world = this.#world;
    await world.clock.sleep(world.weather.delay * world.random());
    await this.running();
    const other = world.replicas.find(({ name }) => address === `http://${name}`);
    const isReached = other !== undefined && !other.isDead && !other.isPaused && world.random() >= world.weather.cutBefore;
    if (!isReached || other.replicaPort?.secret() !== secret || other.edge === undefined) {
      await world.clock.sleep(world.random());
      await this.running();
      throw new Error('the leader does not answer');
    }
    const [near, far] = linkOf(world, this, other);
    other.replicaPort.linked(far, this.#id);
    return near;
  }

  #clock(): Clock {
    const { clock } = this.#world;
    return {
      now: () => clock.now(),
      wallTime: () => clock.wallTime() + this.clockDifference,
      sleep: async (seconds, signal) => {
        await clock.sleep(seconds, signal);
        await this.running();
      },
    };
  }

  #store(store: SharedStore): SharedStore {
    return {
      beat: (heartbeat) => this.#call(() => store.beat(heartbeat)),
      commit: (commit) =>
        this.#call(async () => {
          const result = await store.commit(commit);
          if (result !== 'done') return result;
          const leaders = this.#world.committedBy.get(commit.term) ?? new Set();
          this.#world.committedBy.set(commit.term, leaders.add(commit.leader));
          return result;
        }),
      list: () => (this.isBehind ? this.#fail() : this.#call(() => store.list())),
      journal: (after) => (this.isBehind ? this.#fail() : this.#call(() => store.journal(after))),
      read: (keys) => this.#call(() => store.read(keys)),
      facts: () => this.#call(() => store.facts()),
      report: (text) => (this.isMute ? this.#fail() : this.#call(() => store.report(text))),
      reports: (cursor) => this.#call(() => store.reports(cursor)),
      leave: (id) => this.#call(() => store.leave(id)),
      close: () => store.close(),
    };
  }

  /** One call of the store, over a connection that may be slow or break. */
  async #call<T>(call: () => Promise<T>): Promise<T> {
    const { clock, random, weather } = this.#world;
    await this.running();
    await clock.sleep(weather.delay * random());
    const fate = random();
    // A call that has left a replica arrives, even if the replica dies.
    if (this.#world.storeIsDown || fate < weather.cutBefore) return this.#fail();
    const result = await call();
    if (fate > 1 - weather.cutAfter) return this.#fail();
    await clock.sleep(weather.delay * random());
    await this.running();
    return result;
  }

  async #fail(): Promise<never> {
    await this.#world.clock.sleep(this.#world.random() < 0.5 ? 0.01 : 1);
    await this.running();
    throw Object.assign(new Error('the store did not answer'), { code: 'store-unreachable' });
  }
}

export interface ClientOptions {
  /** It knows its resume token. */
  readonly hasToken?: boolean;
  /** It has a WebSocket to any replica, instead of a connection to the leader. */
  readonly isAnywhere?: boolean;
  /** To this one, the first time. */
  readonly at?: Replica;
}

/** Seconds after which the other side of a link gives up a replica that does not answer. */
const SILENT = 3;

/** A client that wants one session, and comes back until it has an outcome. */
export class Client {
  readonly outcomes: Outcome[] = [];
  readonly positions: number[] = [];
  /** Its session ended. */
  hasLeft = false;
  #token: string | undefined;
  readonly #world: World;
  readonly #hasToken: boolean;
  readonly #isAnywhere: boolean;
  #at: Replica | undefined;
  /** How often it connected. */
  connections = 0;
  readonly #ended = new AbortController();

  constructor(world: World, { hasToken = true, at, isAnywhere = at !== undefined }: ClientOptions) {
    this.#world = world;
    this.#hasToken = hasToken;
    this.#isAnywhere = isAnywhere;
    this.#at = at;
  }

  get token(): string | undefined {
    return this.#token;
  }

  get isServed(): boolean {
    return this.outcomes.some(({ kind }) => kind === 'allocated');
  }

  end(): void {
    this.#ended.abort();
  }

  /** Its session ends, as a simulation server or the gateway notices it. */
  async leave(): Promise<boolean> {
    const [outcome] = this.outcomes;
    const [leader] = this.#world.serving();
    if (outcome?.kind !== 'allocated' || leader?.edge === undefined || this.hasLeft) return false;
    this.hasLeft = true;
    await leader.edge.queue.release(outcome.bookingId);
    return true;
  }

  async run(): Promise<void> {
    const { clock, random, replicas } = this.#world;
    const { signal } = this.#ended;
    while (!signal.aborted && this.outcomes.length === 0) {
      // A replica that is stopped still accepts connections.
      const serving = replicas.filter(
        ({ edge, isDead, replicaPort, sockets }) =>
          !isDead && !sockets.signal.aborted && (edge !== undefined || (this.#isAnywhere && replicaPort?.serves() === true)),
      );
      const replica = this.#at ?? serving[Math.floor(random() * serving.length)];
      this.#at = undefined;
      if (this.#isAnywhere) {
        const queue = replica?.replicaPort?.clients;
        if (queue !== undefined) await this.#ask(queue, this.#connectionTo(replica?.sockets.signal));
      } else if (replica?.edge !== undefined) await this.#connect(replica, replica.edge);
      await clock.sleep(0.1 + 0.2 * random(), signal);
    }
  }

  /** Resolves when the connection ends. */
  async #connect(replica: Replica, edge: EdgeOptions): Promise<void> {
    const connection = this.#connectionTo(replica.connections.signal);
    const isClosed = await Promise.race([edge.sessions.ready.then(() => false), aborted(connection).then(() => true)]);
    if (!isClosed) await this.#ask(edge.queue, connection);
  }

  #connectionTo(signal = new AbortController().signal): AbortSignal {
    return AbortSignal.any([signal, this.#ended.signal]);
  }

  async #ask(queue: Pick<EdgeOptions['queue'], 'wait' | 'delivered'>, connection: AbortSignal): Promise<void> {
    if (connection.aborted) return;
    this.connections += 1;
    const answered = new Promise<void>((resolve) => {
      const waiter: Waiter = {
        gone: connection,
        keepPlace: this.#hasToken,
        ...(this.#hasToken && { keepOutcome: true }),
        changed: (waiting) => {
          if (!connection.aborted) this.#told(waiting);
        },
        settled: (outcome) => {
          if (connection.aborted) return;
          if (outcome.kind === 'allocated') this.outcomes.push(outcome);
          if (outcome.kind === 'allocated' && this.#isAnywhere && this.#token !== undefined) queue.delivered(this.#token);
          resolve();
        },
      };
      const request = {
        address: { address: '127.0.0.1', limitKey: undefined },
        ...(this.#token !== undefined && { resumeToken: this.#token }),
      };
      void queue.wait(request, waiter);
    });
    await Promise.race([answered, aborted(connection)]);
  }

  #told({ position, resumeToken }: Waiting): void {
    this.positions.push(position);
    if (this.#hasToken) this.#token = resumeToken;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}
