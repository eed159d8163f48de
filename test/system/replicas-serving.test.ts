/** Followers that serve clients: three programs and a real Redis. Needs Debian's package `redis-server`: `npm run test:system`. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { hashOf } from '../../src/config/token.ts';
import { eventually } from '../support/eventually.ts';
import { FakeSimulationServer } from '../support/fake-simulation-server.ts';
import { freePort } from '../support/free-port.ts';
import { RedisServer } from '../support/redis-server.ts';
import { startProgram, type Program } from '../support/start-program.ts';

const SERVERS = 4;
/** Sessions on each server. */
const PLACES = 3;
const ALL = SERVERS * PLACES;
/** Seconds. */
const PATIENCE = 30;
const TOKEN = 'sst_an-operator-of-several-replicas';

interface Site {
  readonly redis: RedisServer;
  readonly replicas: readonly Program[];
  /** Those that run. */
  readonly alive: () => readonly Program[];
}

async function startSite(t: TestContext): Promise<Site> {
  const redis = await RedisServer.start(t);
  const fleet = await Promise.all(Array.from({ length: SERVERS }, () => FakeSimulationServer.start(0)));
  t.after(() => Promise.all(fleet.map((server) => server.stop())).then(() => undefined));
  const simulationServers = fleet.map(({ address }) => ({ address, maxSessions: PLACES }));
  const replicas = await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      const port = await freePort();
      return startProgram(t, {
        ...{ simulationServers, port, trustedProxies: ['127.0.0.1'], waiting: { resume: 300 } },
        admin: { tokens: [{ name: 'ada', hash: hashOf(TOKEN) }] },
        // Settings that differ are those of the leader.
        ...(name === 'c' && { allocation: { target: 55 } }),
        replicas: { store: redis.url, name, address: `http://127.0.0.1:${port}` },
      });
    }),
  );
  const dead = new Set<Program>();
  for (const replica of replicas) void replica.ended.then(() => dead.add(replica));
  return { redis, replicas, alive: () => replicas.filter((replica) => !dead.has(replica)) };
}

async function isReady(replica: Program): Promise<boolean> {
  return (await replica.get('/readyz').catch(() => '')) === 'ok\n';
}

async function leaderOf({ alive }: Site): Promise<Program> {
  return eventually(
    'a leader',
    async () => {
      for (const replica of alive())
        if (/^session_server_replica_leads 1$/m.test(await replica.get('/metrics').catch(() => ''))) return replica;
      return undefined;
    },
    PATIENCE,
  );
}

/** A client that comes back, to another replica if its own is dead, until it has a server. */
class Client {
  server: string | undefined;
  position: number | undefined;
  messages = 0;
  connections = 0;
  /** Where it is connected. */
  at: Program;
  readonly #site: Site;
  readonly #hasToken: boolean;
  #token: string | undefined;
  #socket: WebSocket | undefined;
  #ended = false;

  constructor(t: TestContext, site: Site, at: Program, hasToken = true) {
    this.#site = site;
    this.at = at;
    this.#hasToken = hasToken;
    t.after(() => {
      this.#ended = true;
      this.#socket?.terminate();
    });
    void this.#run();
  }

  get isAnswered(): boolean {
    return this.server !== undefined || this.position !== undefined;
  }

  async #run(): Promise<void> {
    while (!this.#ended && this.server === undefined) {
      await this.#connect();
      await delay(50);
      const [first] = this.#site.alive();
      if (first !== undefined && !this.#site.alive().includes(this.at)) this.at = first;
    }
  }

  #connect(): Promise<void> {
    const resume = this.#token === undefined ? '' : `?resume=${this.#token}`;
    const socket = new WebSocket(`${this.at.socketUrl}/session${resume}`, this.#hasToken ? 'session-server.v1' : []);
    this.#socket = socket;
    socket.on('open', () => (this.connections += 1));
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      this.messages += 1;
      this.#read(data.toString('utf8'));
    });
    return new Promise((resolve) => socket.once('close', () => resolve()));
  }

  #read(text: string): void {
    const line = /^queue: (\d+)$/.exec(text)?.[1];
    const message = text.startsWith('{') ? (JSON.parse(text) as Readonly<Record<string, unknown>>) : undefined;
    if (line !== undefined) this.position = Number(line);
    if (message?.['type'] === 'waiting') {
      this.position = Number(message['position']);
      this.#token = String(message['resumeToken']);
    }
    const url = /^wss?:/.test(text) ? text : message?.['type'] === 'allocated' ? String(message['url']) : undefined;
    if (url === undefined) return;
    assert.equal(this.server, undefined, 'a client got two servers');
    this.server = url;
  }
}

function check(clients: readonly Client[]): void {
  const taken = new Map<string, number>();
  for (const { server } of clients) if (server !== undefined) taken.set(server, (taken.get(server) ?? 0) + 1);
  for (const [server, sessions] of taken) assert.ok(sessions <= PLACES, `${server} has ${sessions} sessions`);
}

const positionsOf = (clients: readonly Client[]) => clients.map(({ position }) => position);

test('clients of followers stay connected and keep their places when the leader is killed, a follower is stopped, and one is killed', async (t) => {
  const site = await startSite(t);
  const { replicas } = site;
  await eventually('all are ready', async () => (await Promise.all(replicas.map(isReady))).every((ready) => ready), PATIENCE);
  const pages: WebSocket[] = [];
  const availability = replicas.map(() => '');
  const open = (index: number) => {
    const page = new WebSocket(replicas[index]?.socketUrl ?? '');
    page.on('error', () => undefined);
    page.on('message', (data: Buffer) => (availability[index] = `${availability[index] ?? ''}${data.toString('utf8')}`));
    t.after(() => page.terminate());
    pages[index] = page;
  };
  for (const index of replicas.keys()) open(index);
  await eventually('they know that there is room', () => {
    // On a busy machine there may be another leader first, and some are sent away.
    for (const [index, page] of pages.entries()) if (page.readyState === page.CLOSED) open(index);
    return availability.every((text) => text.endsWith('1'));
  });

  // The leader is killed in the middle of a class start.
  const first = await leaderOf(site);
  const onFirst = replicas.indexOf(first);
  const clients: Client[] = [];
  const join = (index: number) => {
    const at = replicas[index % 3] ?? first;
    clients.push(new Client(t, site, at, index % 2 === 0));
  };
  for (let index = 0; index < ALL / 2; index += 1) join(index);
  await eventually('some are served', () => clients.some(({ server }) => server !== undefined));
  first.signal('SIGKILL');
  await first.ended;
  const followers = site.alive();
  for (let index = 0; index < ALL + 6; index += 1)
    clients.push(new Client(t, site, followers[index % 2] ?? first, index % 3 > 0));
  await eventually('all are answered', () => clients.every(({ isAnswered }) => isAnswered), PATIENCE);
  check(clients);
  for (const { at, connections } of clients) if (at !== first) assert.ok(connections <= 2);
  const second = await leaderOf(site);
  const third = followers.find((replica) => replica !== second);
  assert.ok(third);
  const waiting = () => clients.filter(({ server }) => server === undefined);
  await eventually('all who wait have places of their own', () => {
    const positions = new Set(positionsOf(waiting()));
    return positions.size === waiting().length && waiting().length >= 6;
  });
  await eventually('it is ready', () => isReady(third), PATIENCE);
  for (const [index, page] of pages.entries()) assert.equal(page.readyState === page.OPEN, index !== onFirst);
  await eventually('they know that there is no room', () =>
    availability.every((text, index) => index === onFirst || text.endsWith('0')),
  );

  // What a follower does not answer by itself comes from the leader.
  const auth = { Authorization: `Bearer ${TOKEN}` };
  assert.match(await third.get('/session'), /^Error: /);
  assert.match(await third.get('/api/v1/availability'), /"open":false/);
  const tried = await fetch(`${third.url}/api/v1/servers/nowhere:1/drain`, { method: 'POST', headers: auth });
  assert.equal(tried.status, 404);
  const events = await fetch(`${third.url}/monitor/events`, { headers: { ...auth, Accept: 'text/event-stream' } });
  const { value } = (await events.body?.getReader().read()) ?? {};
  assert.ok(value !== undefined && value.length > 0);

  // Stopped for longer than a link lives.
  const before = new Map(waiting().map((client) => [client, client.position]));
  const connections = new Map(waiting().map((client) => [client, client.connections]));
  third.signal('SIGSTOP');
  await delay(4500);
  third.signal('SIGCONT');
  await eventually('it is ready again', () => isReady(third), PATIENCE);
  const newcomer = new Client(t, site, third);
  await eventually('it is in line', () => newcomer.position !== undefined, PATIENCE);
  assert.equal(newcomer.position, before.size + 1);
  for (const [client, position] of before) assert.equal(client.position, position);
  for (const [client, count] of connections) assert.equal(client.connections, count);

  third.signal('SIGKILL');
  await third.ended;
  const moved = [...before.keys(), newcomer].filter(({ at }) => at === third);
  assert.ok(moved.length > 1);
  const messages = new Map(moved.map((client) => [client, client.messages]));
  await eventually(
    'they are answered elsewhere',
    () => moved.every((client) => client.messages > (messages.get(client) ?? 0)),
    PATIENCE,
  );
  // Clients that know no token cannot be distinguished: each has the place of one of them.
  const sorted = (positions: readonly (number | undefined)[]) => [...positions].sort((a = 0, b = 0) => a - b);
  await eventually('all have their places', () => {
    const now = sorted(positionsOf([...before.keys(), newcomer]));
    return JSON.stringify(now) === JSON.stringify(sorted([...before.values(), before.size + 1]));
  });
  check(clients);
});
