/** Several programs and a real Redis, which are killed and stopped. Needs Debian's package `redis-server`: `npm run test:system`. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import { FakeSimulationServer } from '../support/fake-simulation-server.ts';
import { RedisServer } from '../support/redis-server.ts';
import { startProgram, type Program } from '../support/start-program.ts';

const SERVERS = 5;
/** Sessions on each server. */
const PLACES = 4;
const ALL = SERVERS * PLACES;

interface Site {
  readonly redis: RedisServer;
  readonly fleet: readonly FakeSimulationServer[];
  readonly replicas: readonly Program[];
  readonly ready: () => Promise<Program | undefined>;
  readonly clients: Client[];
  /** A client that comes back until it has a server. */
  readonly join: () => Client;
}

interface SiteOptions {
  /** Replicas. */
  readonly count?: number;
  /** Keys of the section `replicas`. */
  readonly own?: Readonly<Record<string, string>>;
  /** Options of Redis. */
  readonly redis?: readonly string[];
}

async function startSite(t: TestContext, { count = 3, own = {}, redis: options = [] }: SiteOptions = {}): Promise<Site> {
  const redis = await RedisServer.start(t, options);
  const fleet = await Promise.all(Array.from({ length: SERVERS }, () => FakeSimulationServer.start(0)));
  t.after(() => Promise.all(fleet.map((server) => server.stop())).then(() => undefined));
  const simulationServers = fleet.map(({ address }) => ({ address, maxSessions: PLACES }));
  const replicas = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      startProgram(t, { simulationServers, replicas: { store: redis.url, name: `r${index + 1}`, ...own } }),
    ),
  );
  const dead = new Set<Program>();
  for (const replica of replicas) void replica.ended.then(() => dead.add(replica));
  const ready = async () => {
    for (const replica of replicas) if (!dead.has(replica) && (await isReady(replica))) return replica;
    return undefined;
  };
  const clients: Client[] = [];
  t.after(() => {
    for (const client of clients) client.end();
    return Promise.resolve();
  });
  const join = () => {
    const client = new Client(ready);
    clients.push(client);
    return client;
  };
  return { redis, fleet, replicas, ready, clients, join };
}

async function isReady(replica: Program): Promise<boolean> {
  try {
    const response = await fetch(`${replica.url}/readyz`, { signal: AbortSignal.timeout(500) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

class Client {
  server: string | undefined;
  /** Positions that it was sent. */
  readonly positions: number[] = [];
  messages = 0;
  #token: string | undefined;
  #socket: WebSocket | undefined;
  #ended = false;

  constructor(ready: () => Promise<Program | undefined>) {
    void this.#run(ready);
  }

  end(): void {
    this.#ended = true;
    this.#socket?.terminate();
  }

  async #run(ready: () => Promise<Program | undefined>): Promise<void> {
    while (!this.#ended && this.server === undefined) {
      const replica = await ready();
      if (replica !== undefined) await this.#connect(replica);
      await delay(50);
    }
  }

  #connect(replica: Program): Promise<void> {
    const resume = this.#token === undefined ? '' : `?resume=${this.#token}`;
    const socket = new WebSocket(`${replica.socketUrl}/session${resume}`, 'session-server.v1');
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      this.messages += 1;
      const message = JSON.parse(data.toString('utf8')) as Readonly<Record<string, unknown>>;
      if (message['type'] === 'allocated') {
        assert.equal(this.server, undefined, 'a client got two servers');
        this.server = String(message['server']);
      }
      if (message['type'] === 'waiting') {
        this.positions.push(Number(message['position']));
        this.#token = String(message['resumeToken']);
      }
    });
    return new Promise((resolve) => socket.once('close', () => resolve()));
  }
}

const served = ({ clients }: Site) => clients.filter(({ server }) => server !== undefined);

/** No server has more sessions than places. */
function check(site: Site): void {
  const taken = new Map<string, number>();
  for (const { server = '' } of served(site)) taken.set(server, (taken.get(server) ?? 0) + 1);
  for (const [server, sessions] of taken) assert.ok(sessions <= PLACES, `${server} has ${sessions} sessions`);
}

/** A commit that replaces everything is in the store. How many keys it has depends on what was saved in one document before. */
async function isFilled({ redis }: Site): Promise<boolean> {
  return (await redis.command('HGET', '{session-server}:state', 'format')) !== null;
}

async function leaderOf({ ready }: Site): Promise<Program> {
  return eventually('a leader', ready);
}

/** As many replicas are there, and have shares in polling the fleet. */
async function isShared(replica: Program, replicas: number): Promise<boolean> {
  const { members } = JSON.parse(await replica.get('/api/v1/replicas')) as { members: { silentFor: number; polls: number }[] };
  const present = members.filter(({ silentFor }) => silentFor === 0);
  return present.length === replicas && present.reduce((sum, { polls }) => sum + polls, 0) === SERVERS;
}

test('kill -9 of the leader in a class start: all are served, nothing is given twice, and those in line keep their order', async (t) => {
  const site = await startSite(t);
  const first = await leaderOf(site);
  const inLine: Client[] = [];
  for (let i = 0; i < ALL - 4; i += 1) site.join();
  await eventually('half of the class is served', () => served(site).length > ALL / 2);
  first.signal('SIGKILL');
  for (let i = 0; i < 4; i += 1) site.join();
  // A client whose place was not sent before the leader died gets another one, or waits for it.
  const isAnswered = ({ server, positions }: Client) => server !== undefined || positions.length > 0;
  await eventually('everyone in the class is answered', () => site.clients.every(isAnswered));
  assert.ok(served(site).length > ALL / 2);
  for (let i = 0; site.clients.every(({ positions }) => positions.length === 0); i += 1) {
    assert.ok(i < ALL);
    const client = site.join();
    await eventually('it is answered', () => isAnswered(client));
  }
  for (let i = 0; i < 3; i += 1) {
    const client = site.join();
    inLine.push(client);
    await eventually('it is in line', () => client.positions.length > 0);
  }
  const second = await leaderOf(site);
  assert.notEqual(second, first);
  const places = inLine.map(({ positions }) => positions.at(-1));
  const before = inLine.map(({ messages }) => messages);
  second.signal('SIGKILL');
  await eventually('they are in line again', () =>
    inLine.every(({ positions, messages }, index) => messages > (before[index] ?? 0) && positions.length > 0),
  );
  assert.deepEqual(
    inLine.map(({ positions }) => positions.at(-1)),
    places,
  );
  check(site);
});

test('a leader that was stopped and goes on follows the next one, and a store that is emptied is filled again', async (t) => {
  const site = await startSite(t);
  const first = await leaderOf(site);
  for (let i = 0; i < ALL / 2; i += 1) site.join();
  await eventually('half of the class is served', () => served(site).length === ALL / 2);
  await eventually('the fleet is polled in shares', () => isShared(first, 3));
  const connections = site.fleet.map((server) => server.connections);
  first.signal('SIGSTOP');
  const second = await eventually('another leader', async () => {
    const leader = await site.ready();
    return leader !== first && leader;
  });
  for (let i = 0; i < ALL / 2; i += 1) site.join();
  await eventually('the class is served', () => served(site).length === ALL);
  await eventually('the others have its share', () => isShared(second, 2));
  const polled = site.fleet.map((server) => server.requests);
  await eventually('all are polled', () => site.fleet.every((server, i) => server.requests > (polled[i] ?? 0)));
  // One that was down would have been connected to again and again.
  for (const [i, server] of site.fleet.entries()) assert.ok(server.connections <= (connections[i] ?? 0) + 3);
  assert.doesNotMatch(second.log, /simulation server is down/);
  first.signal('SIGCONT');
  // Its port closes and opens on the way.
  const health = () => first.get('/readyz').catch(() => '');
  await eventually('it follows', async () => (await health()).includes('this replica follows'));
  await site.redis.command('FLUSHALL');
  await eventually('the store is filled again', () => isFilled(site));
  second.signal('SIGKILL');
  await leaderOf(site);
  const waiting = site.join();
  await eventually('it is in line', () => waiting.positions.length > 0);
  assert.equal(waiting.server, undefined);
  check(site);
});

test('a Redis that is killed and comes back empty costs nothing, and meanwhile clients get an error', async (t) => {
  const site = await startSite(t, { count: 2 });
  const leader = await leaderOf(site);
  for (let i = 0; i < ALL; i += 1) site.join();
  await eventually('the class is served', () => served(site).length === ALL);
  await site.redis.kill();
  const refused = await leader.get('/session');
  assert.match(refused, /^Error: /);
  await site.redis.run();
  await eventually('the store is filled again', () => isFilled(site));
  const waiting = site.join();
  await eventually('it is in line', () => waiting.positions.length > 0);
  check(site);
});

test('with a wrong password no replica leads, and the log says why but not the password', async (t) => {
  const site = await startSite(t, {
    count: 1,
    own: { password: 'not-the-secret' },
    redis: ['--requirepass', 'the-secret'],
  });
  const [replica] = site.replicas;
  assert.ok(replica);
  await eventually('the log says it', () => replica.log.includes('the shared store cannot be used'));
  assert.match(replica.log, /WRONGPASS|NOAUTH/);
  assert.equal(await replica.get('/livez'), 'ok\n');
  assert.match(await replica.get('/readyz'), /the shared store does not answer/);
  assert.doesNotMatch(replica.log, /not-the-secret/);
});

test('without the store the leader goes on if the others do not reach it either', async (t) => {
  const site = await startSite(t, { count: 1, own: { address: 'http://127.0.0.1:1' } });
  await leaderOf(site);
  await site.redis.kill();
  for (let i = 0; i < ALL; i += 1) site.join();
  await eventually('the class is served', () => served(site).length === ALL);
  await site.redis.run();
  await eventually('it is handed in', () => isFilled(site));
  check(site);
});
