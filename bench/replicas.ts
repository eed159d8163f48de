/**
 * Two replicas and a real Redis: how long a class start stands still when the leader is killed, and what a commit costs. Another replica leads four seconds
 * later at most. Then four replicas poll ten thousand simulation servers. About three minutes; ends by itself. Needs Debian's package `redis-server`.
 */
import { WebSocket } from 'ws';
import type { ConfigurationFile } from '../src/config/schema.ts';
import { note, quantile, tell, title } from './support/figures.ts';
import { pause, until } from './support/pause.ts';
import { startProgram, type Program } from './support/program.ts';
import { startRedis, type RedisProcess } from './support/redis.ts';
import { getOnce, makeRequests } from './support/requests.ts';
import { measureSharedPolling } from './support/shared-polling.ts';
import { measureSharedSockets } from './support/shared-sockets.ts';
import { startSimulationServers } from './support/simulation-servers.ts';

const CLASS = 300;
/** The client after which the leader is killed: the first ones are in line. */
const KILLED_AT = 200;
const SERVERS = 10;
/** Sessions on each server: most of the class gets one, and the rest waits. */
const PLACES = 18;
/** Milliseconds between two clients. */
const EVERY = 10;
const TAKEOVERS = 3;
/** Hand-outs of which the cost is measured. */
const CONNECTIONS = 32;
const SECONDS = 3;
/** Sessions so light that hand-outs never stop. */
const ENDLESS = { target: 200, cost: 0.3, learning: false, settle: [0, 1] as [number, number], suspectAfter: 1000 };

title('Replicas');
const fleet = await startSimulationServers({ count: SERVERS });
const redis = await startRedis();
let fleets = 0;
/** The one that leads, as a reverse proxy finds it. */
async function leaderOf(programs: readonly Program[]): Promise<Program | undefined> {
  for (const program of programs) if ((await getOnce(program.port, '/readyz').catch(() => '')) === 'ok\n') return program;
  return undefined;
}

async function startReplicas(own: ConfigurationFile, count: number): Promise<Program[]> {
  const prefix = `bench-${(fleets += 1)}`;
  const programs = await Promise.all(
    Array.from({ length: count }, (_, i) =>
      startProgram({ ...own, replicas: { store: redis.url, prefix, name: `r${i + 1}`, alone: 'wait' } }),
    ),
  );
  await until('a replica leads', 20, 0.1, async () => (await leaderOf(programs)) !== undefined);
  return programs;
}

/** Seconds, and counts. */
async function classStart() {
  const simulationServers = fleet.addresses.map((address) => ({ address, maxSessions: PLACES }));
  const allocation = { target: 100, cost: 3, learning: false };
  const programs = await startReplicas({ simulationServers, allocation, limits: { ratePerSecond: 1000, rateBurst: 10_000 } }, 2);
  const state = { leader: await leaderOf(programs), looking: true };
  const looking = (async () => {
    while (state.looking) {
      state.leader = await leaderOf(programs);
      await pause(0.05);
    }
  })();
  const clients = Array.from({ length: CLASS }, () => new Client(() => state.leader));
  try {
    await pause(1.5);
    const victim = state.leader;
    let killedAt = Infinity;
    let before: readonly Client[] = [];
    for (const [i, client] of clients.entries()) {
      void client.run();
      await pause(EVERY / 1000);
      if (i !== KILLED_AT || victim === undefined) continue;
      process.kill(victim.pid, 'SIGKILL');
      killedAt = performance.now();
      before = clients.filter(({ position, server }) => position !== undefined && server === undefined);
      state.leader = undefined;
    }
    await until('all are answered', 30, 0.02, () => Promise.resolve(clients.every(({ answeredAt }) => answeredAt !== undefined)));
    const after = clients.flatMap(({ answeredAt = 0 }) => (answeredAt > killedAt ? [(answeredAt - killedAt) / 1000] : []));
    const second = await leaderOf(programs);
    const taken = new Map<string, number>();
    for (const { server } of clients) if (server !== undefined) taken.set(server, (taken.get(server) ?? 0) + 1);
    const twice = [...taken.values()].reduce((sum, sessions) => sum + Math.max(0, sessions - PLACES), 0);
    const inLine = clients.filter(({ server }) => server === undefined);
    // Those that knew their positions before; the others come in any order.
    const positions = before.flatMap((client) => (client.server === undefined ? [client.position ?? 0] : []));
    note(
      `${CLASS - inLine.length} have a server, ${inLine.length} wait; ${second === undefined ? 'no' : 'another'} replica leads`,
    );
    return {
      first: Math.min(...after),
      all: Math.max(...after),
      twice,
      moved: positions.filter((position, i) => i > 0 && position < (positions[i - 1] ?? 0)).length,
    };
  } finally {
    state.looking = false;
    for (const client of clients) client.end();
    await looking;
    await Promise.all(programs.map((program) => program.stop()));
  }
}

/** Comes back until it has a server. */
class Client {
  server: string | undefined;
  position: number | undefined;
  answeredAt: number | undefined;
  #token: string | undefined;
  #socket: WebSocket | undefined;
  #ended = false;
  readonly #leader: () => Program | undefined;

  constructor(leader: () => Program | undefined) {
    this.#leader = leader;
  }

  async run(): Promise<void> {
    while (!this.#ended && this.server === undefined) {
      const leader = this.#leader();
      if (leader !== undefined) await this.#connect(leader.port);
      await pause(0.05);
    }
  }

  end(): void {
    this.#ended = true;
    this.#socket?.terminate();
  }

  #connect(port: number): Promise<void> {
    const query = this.#token === undefined ? '' : `?resume=${this.#token}`;
    const socket = new WebSocket(`ws://127.0.0.1:${port}/session${query}`, 'session-server.v1');
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as Readonly<Record<string, unknown>>;
      if (message['type'] === 'allocated') this.server = String(message['server']);
      if (message['type'] === 'waiting') {
        this.position = Number(message['position']);
        this.#token = String(message['resumeToken']);
      }
      this.answeredAt ??= performance.now();
    });
    return new Promise((resolve) => socket.once('close', () => resolve()));
  }
}

/** The same hand-outs with a store and without. */
async function commits(store: RedisProcess): Promise<void> {
  const own = {
    simulationServers: [...fleet.addresses],
    allocation: ENDLESS,
    limits: { ratePerSecond: 100_000, rateBurst: 1_000_000 },
  };
  const alone = await startProgram(own);
  const [leader] = await startReplicas(own, 1);
  if (leader === undefined) throw new Error('no replica');
  try {
    await pause(7);
    const one = async ({ port }: Program) =>
      (await makeRequests({ port, path: '/session', connections: 1, seconds: SECONDS })).latencies;
    const [without, shared] = [await one(alone), await one(leader)];
    tell({
      what: 'request to outcome through the store, p50',
      value: quantile(shared, 0.5),
      unit: 'ms',
      comparedTo: { what: 'without', value: quantile(without, 0.5) },
    });
    tell({ what: 'request to outcome through the store, p99', value: quantile(shared, 0.99), unit: 'ms', goal: { atMost: 10 } });
    const rate = async (program: Program) => {
      const before = [program.usage().cpu, store.usage().cpu] as const;
      const { answers, seconds } = await makeRequests({
        port: program.port,
        path: '/session',
        connections: CONNECTIONS,
        seconds: SECONDS,
      });
      const [own, redis] = [program.usage().cpu - before[0], store.usage().cpu - before[1]];
      return { perSecond: answers / seconds, own: (1e6 * own) / answers, redis: (1e6 * redis) / answers };
    };
    const [bare, committed] = [await rate(alone), await rate(leader)];
    tell({
      what: 'hand-outs a second through the store',
      value: committed.perSecond,
      unit: '/s',
      comparedTo: { what: 'without', value: bare.perSecond },
    });
    tell({
      what: 'CPU of the leader for a hand-out',
      value: committed.own,
      unit: 'µs',
      comparedTo: { what: 'without', value: bare.own },
    });
    tell({ what: 'CPU of Redis for a hand-out', value: committed.redis, unit: 'µs', goal: { atMost: 10 } });
    const memory = (program: Program) => program.usage().resident / 2 ** 20;
    tell({
      what: 'memory without a store',
      value: memory(alone),
      unit: 'MiB',
      comparedTo: { what: 'with', value: memory(leader) },
    });
  } finally {
    await Promise.all([alone.stop(), leader.stop()]);
  }
}

// After the class that it uses.
try {
  const [first, all]: [number[], number[]] = [[], []];
  let [twice, moved] = [0, 0];
  for (let takeover = 0; takeover < TAKEOVERS; takeover += 1) {
    const result = await classStart();
    first.push(result.first);
    all.push(result.all);
    twice += result.twice;
    moved += result.moved;
  }
  note(`${TAKEOVERS} takeovers in the middle of a class start of ${CLASS}`);
  tell({ what: 'kill -9 of the leader: first outcome after', value: Math.max(...first), unit: 's', goal: { atMost: 4 } });
  tell({ what: 'all are answered after', value: Math.max(...all), unit: 's', goal: { atMost: 5 } });
  tell({ what: 'places given twice', value: twice, unit: '', goal: { atMost: 0 } });
  tell({ what: 'clients in line that changed their order', value: moved, unit: '', goal: { atMost: 0 } });
  await commits(redis);
  await measureSharedPolling(redis);
  await measureSharedSockets(redis);
} finally {
  await redis.kill();
  await fleet.kill();
}
