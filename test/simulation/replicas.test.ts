/** Several replicas and an adversary. A seed that fails is printed, and fails again: REPLICA_SEED=17. More seeds: REPLICA_SEEDS=10000. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome, Waiting } from '../../src/engine/request-types.ts';
import { FAIR, PLACES, SERVERS, World, type Client, type Replica } from '../support/replica-world.ts';

const ALL = SERVERS.length * PLACES;
const SEEDS = Number(process.env['REPLICA_SEEDS'] ?? 10);
const SEED = process.env['REPLICA_SEED'];

/** Three replicas, one of which leads. */
async function start(seed: number): Promise<World> {
  const world = new World(seed);
  for (let i = 0; i < 3; i += 1) await world.addReplica();
  await world.until('a replica leads', () => world.serving().length === 1);
  return world;
}

const served = (world: World) => world.clients.filter(({ isServed }) => isServed).length;
const leader = (world: World) => {
  const [replica] = world.serving();
  assert.ok(replica);
  return replica;
};

test('when the leader dies in the middle of a class start, the others get their places, and nothing is given twice', async () => {
  const world = await start(1);
  for (let i = 0; i < ALL; i += 1) {
    world.addClient({ hasToken: i % 2 === 0 });
    // Some have their servers before it dies, and some do not.
    if (i === ALL / 2) {
      await world.clock.advance(0.002);
      leader(world).kill();
    }
  }
  const diedAt = world.clock.now();
  await world.until('all have an outcome', () => served(world) === ALL);
  assert.ok(world.clock.now() - diedAt < 6, `after ${world.clock.now() - diedAt} s`);
  world.check();
  await world.stop();
});

test('those in line keep their order when the leader dies, also those that know no token', async () => {
  const world = await start(2);
  for (let i = 0; i < ALL; i += 1) world.addClient();
  await world.until('the fleet is full', () => served(world) === ALL);
  const waiting: Client[] = [];
  for (let i = 0; i < 6; i += 1) {
    const client = world.addClient({ hasToken: i % 2 === 0 });
    waiting.push(client);
    await world.until('it is in line', () => client.positions.length > 0);
  }
  assert.deepEqual(
    waiting.map(({ positions }) => positions.at(-1)),
    [1, 2, 3, 4, 5, 6],
  );
  leader(world).kill();
  await world.until('another one leads', () => world.serving().length === 1);
  await world.clock.advance(2);
  const newcomer = world.addClient();
  await world.until('it is in line', () => newcomer.positions.length > 0);
  assert.equal(newcomer.positions[0], 7);
  // Clients that know no token cannot be distinguished: each has a place of one of them.
  const places = waiting.map(({ positions }) => positions.at(-1));
  assert.deepEqual(
    places.filter((_, index) => index % 2 === 0),
    [1, 3, 5],
  );
  assert.deepEqual(
    [...places].sort((a = 0, b = 0) => a - b),
    [1, 2, 3, 4, 5, 6],
  );
  assert.ok(await world.clients[0]?.leave());
  await world.until('the first in line is served', () => waiting[0]?.isServed === true);
  world.check();
  await world.stop();
});

test('the store has no resume token, and clients keep their places over several leaders, also those that know no token', async () => {
  const world = await start(9);
  for (let i = 0; i < ALL; i += 1) world.addClient();
  await world.until('the fleet is full', () => served(world) === ALL);
  const waiting: Client[] = [];
  for (let i = 0; i < 4; i += 1) {
    const client = world.addClient({ hasToken: i % 2 === 0 });
    waiting.push(client);
    await world.until('it is in line', () => client.positions.length > 0);
  }
  for (let takeover = 0; takeover < 2; takeover += 1) {
    const { texts } = await world.store.list();
    const shared = [...texts].join();
    for (const { token } of waiting) if (token !== undefined) assert.ok(!shared.includes(token));
    await world.addReplica();
    await world.clock.advance(2);
    leader(world).kill();
    await world.until('another one leads', () => world.serving().length === 1);
    await world.clock.advance(3);
  }
  assert.deepEqual(waiting.map(({ positions }) => positions.at(-1) ?? 0).sort(), [1, 2, 3, 4]);
  const newcomer = world.addClient();
  await world.until('it is in line', () => newcomer.positions.length > 0);
  assert.equal(newcomer.positions[0], 5);
  world.check();
  await world.stop();
});

test('a client whose server was lost on the way gets the same one from the next leader', async () => {
  const world = await start(8);
  for (let i = 0; i < ALL; i += 1) world.addClient();
  await world.until('the fleet is full', () => served(world) === ALL);
  const address = { address: '127.0.0.1', limitKey: undefined };
  const lost: Outcome[] = [];
  let token = '';
  const settled = (outcome: Outcome) => void lost.push(outcome);
  const changed = ({ resumeToken }: Waiting) => (token = resumeToken);
  void leader(world).edge?.queue.wait({ address }, { gone: new AbortController().signal, keepPlace: true, changed, settled });
  await world.until('it is in line', () => token !== '');
  await world.clients[0]?.leave();
  await world.until('it is served', () => lost.length === 1);
  await world.clock.advance(1);
  leader(world).kill();
  await world.until('another one leads', () => world.serving().length === 1);
  await world.clock.advance(2);
  void leader(world).edge?.queue.resume(token, { gone: new AbortController().signal, keepPlace: true, changed, settled });
  assert.equal(lost.length, 2);
  assert.deepEqual(lost[1], lost[0]);
  await world.stop();
});

test('a leader that was stopped and goes on is fenced, and gives nothing to anyone', async () => {
  const world = await start(3);
  const first = leader(world);
  for (let i = 0; i < ALL / 2; i += 1) world.addClient();
  await world.clock.advance(1);
  first.pause();
  await world.until('another one leads', () => world.serving().length === 1);
  // Those who reach the stopped one wait without an answer.
  for (let i = 0; i < 3 * ALL; i += 1) world.addClient();
  await world.until('the fleet is full', () => served(world) === ALL);
  const { edge } = first;
  assert.ok(edge);
  first.resume();
  // Before it notices, while it notices, and while it stops.
  const asked = [];
  for (let i = 0; i < 50; i += 1) {
    asked.push(edge.requests.request({ address: { address: '127.0.0.1', limitKey: undefined } }));
    await world.clock.advance(0.002);
  }
  const late = world.addClient();
  await world.until('it follows', () => first.edge === undefined);
  await world.clock.advance(3);
  for (const outcome of await Promise.all(asked)) assert.equal(outcome.kind, 'refused');
  await world.clock.advance(5);
  assert.ok(!late.isServed);
  world.check();
  await world.stop();
});

test('a store that comes back empty is filled again, also when the leader died with it', async () => {
  const world = await start(4);
  for (let i = 0; i < ALL; i += 1) world.addClient();
  await world.until('the fleet is full', () => served(world) === ALL);
  world.store.forget();
  const waiting = world.addClient();
  await world.until('it is in line', () => waiting.positions.length > 0);
  await world.clock.advance(1);
  leader(world).kill();
  world.store.forget();
  await world.until('another one leads', () => world.serving().length === 1);
  const newcomer = world.addClient();
  await world.until('it is in line', () => newcomer.positions.length > 0);
  assert.equal(newcomer.positions[0], 2);
  await world.clock.advance(5);
  assert.ok(!waiting.isServed && !newcomer.isServed);
  world.check();
  await world.stop();
});

test('a store that forgot waits for the replica that knows most, whichever is the first to notice', async () => {
  for (let phase = 0; phase < 4; phase += 1) {
    const world = new World(20 + phase);
    // Their heartbeats are at different moments of a second.
    for (let i = 0; i < 3; i += 1) {
      await world.addReplica();
      await world.clock.advance(0.3);
    }
    await world.until('a replica leads', () => world.serving().length === 1);
    for (let i = 0; i < ALL - 1; i += 1) world.addClient();
    await world.until('one place is left', () => served(world) === ALL - 1);
    await world.clock.advance(1);
    const followers = world.replicas.filter((replica) => replica !== leader(world));
    for (const follower of followers) follower.isBehind = true;
    const last = world.addClient();
    await world.until('it is given', () => last.isServed);
    // The leader has nothing to commit any more, by which it would notice at once.
    await world.clock.advance(10 + 0.25 * phase);
    world.store.forget();
    for (const follower of followers) follower.isBehind = false;
    await world.clock.advance(3);
    const late = world.addClient();
    await world.until('it is in line', () => late.positions.length > 0);
    await world.clock.advance(5);
    assert.ok(!late.isServed);
    world.check();
    await world.stop();
  }
});

test('a leader that steps down still knows what was given when the store forgets and its successor dies', async () => {
  const world = new World(30);
  for (let i = 0; i < 2; i += 1) await world.addReplica();
  await world.until('a replica leads', () => world.serving().length === 1);
  for (let i = 0; i < ALL; i += 1) world.addClient();
  await world.until('the fleet is full', () => served(world) === ALL);
  await world.clock.advance(2);
  const first = leader(world);
  first.pause();
  await world.until('another one leads', () => world.serving().length === 1);
  first.isBehind = true;
  first.resume();
  await world.until('it follows', () => first.edge === undefined);
  leader(world).kill();
  world.store.forget();
  first.isBehind = false;
  await world.until('it leads again', () => first.edge !== undefined);
  const late = world.addClient();
  await world.until('it is in line', () => late.positions.length > 0);
  await world.clock.advance(5);
  assert.ok(!late.isServed);
  world.check();
  await world.stop();
});

test('clocks that are minutes apart change neither waiting times nor places', async () => {
  const world = new World(31);
  for (const difference of [-300, 0, 600])
    await world.addReplica((replica) => {
      replica.clockDifference = difference;
    });
  await world.until('a replica leads', () => world.serving().length === 1);
  for (let i = 0; i < ALL; i += 1) world.addClient();
  await world.until('the fleet is full', () => served(world) === ALL);
  const waiting = world.addClient();
  await world.until('it is in line', () => waiting.positions.length > 0);
  const joinedAt = world.clock.now();
  for (let takeover = 0; takeover < 2; takeover += 1) {
    await world.clock.advance(5);
    leader(world).kill();
    await world.until('another one leads', () => world.serving().length === 1);
  }
  await world.clock.advance(2);
  const longest = leader(world).edge?.line.longestWait(world.clock.now());
  assert.ok(longest !== undefined && Math.abs(longest - (world.clock.now() - joinedAt)) < 1, `${longest} s`);
  assert.deepEqual([waiting.positions.at(-1), waiting.isServed], [1, false]);
  world.check();
  await world.stop();
});

test('the first replica brings the state of its own disk into an empty store, and the others get it from there', async () => {
  const world = new World(32);
  const tickets = [{ id: 'old', token: 'of-before', waited: 5 }];
  const savedAt = world.clock.wallTime();
  await world.addReplica((replica) => {
    void replica.disk.write('waiting-line', { version: 1, savedAt, tickets });
  });
  await world.until('it leads', () => world.serving().length === 1);
  await world.addReplica();
  await world.clock.advance(2);
  leader(world).kill();
  await world.until('the other one leads', () => world.serving().length === 1);
  await world.clock.advance(1);
  const found = leader(world).edge?.queue.resume('of-before', {
    ...{ gone: new AbortController().signal, keepPlace: true, changed: () => undefined, settled: () => undefined },
  });
  assert.equal(found, true);
  await world.stop();
});

test('without the store the leader goes on if no replica reaches it, and hands in what it decided', async () => {
  for (const seed of [5, 15, 25, 35]) await withoutStore(seed);
});

async function withoutStore(seed: number): Promise<void> {
  const world = await start(seed);
  world.goesOnAlone = true;
  const first = leader(world);
  world.storeIsDown = true;
  for (let i = 0; i < ALL; i += 1) world.addClient();
  await world.until('the fleet is full', () => served(world) === ALL);
  assert.equal(leader(world), first);
  world.storeIsDown = false;
  await world.clock.advance(5);
  first.kill();
  await world.until('another one leads', () => world.serving().length === 1);
  const late = world.addClient();
  await world.clock.advance(10);
  assert.ok(!late.isServed);
  world.check();
  await world.stop();
}

test('without the store, a leader that has to wait refuses new clients and gives nothing', async () => {
  const world = await start(6);
  await world.clock.advance(1);
  world.storeIsDown = true;
  const client = world.addClient();
  const refused = leader(world).edge?.requests.request({ address: { address: '127.0.0.1', limitKey: undefined } });
  await world.clock.advance(20);
  const outcome = await refused;
  assert.equal(outcome?.kind === 'refused' && outcome.code, 'store-unreachable');
  assert.equal(served(world), 0);
  world.storeIsDown = false;
  await world.until('it is served', () => client.isServed);
  world.check();
  await world.stop();
});

test('a replica that stops hands over within two seconds, and its clients keep their places', async () => {
  const world = await start(7);
  for (let i = 0; i < ALL; i += 1) world.addClient();
  await world.until('the fleet is full', () => served(world) === ALL);
  const waiting = world.addClient({ hasToken: false });
  await world.until('it is in line', () => waiting.positions.length > 0);
  const first = leader(world);
  first.isDead = false;
  void first.stop();
  const stoppedAt = world.clock.now();
  await world.until('another one leads', () => world.serving().some((replica) => replica !== first));
  assert.ok(world.clock.now() - stoppedAt < 3);
  const newcomer = world.addClient();
  await world.until('both are in line', () => newcomer.positions.length > 0 && waiting.positions.length > 1);
  world.check();
  await world.stop();
});

/** A full fleet, and six clients in line: two on each replica, of which one knows no token. */
async function lineOnAll(seed: number): Promise<{ readonly world: World; readonly waiting: readonly Client[] }> {
  const world = await start(seed);
  await world.until('the followers serve', () =>
    world.replicas.every(({ edge, replicaPort }) => edge !== undefined || replicaPort?.serves()),
  );
  for (let i = 0; i < ALL; i += 1) world.addClient({ isAnywhere: true });
  await world.until('the fleet is full', () => served(world) === ALL);
  const waiting: Client[] = [];
  for (const hasToken of [true, false])
    for (const at of world.replicas) {
      const client = world.addClient({ hasToken, at });
      waiting.push(client);
      await world.until('it is in line', () => client.positions.length > 0);
    }
  assert.deepEqual(lastPositions(waiting), [1, 2, 3, 4, 5, 6]);
  return { world, waiting };
}

const lastPositions = (clients: readonly Client[]) => clients.map(({ positions }) => positions.at(-1));

/** Sessions end one after the other, and those in line get their places in turn. */
async function serveInTurn(world: World, waiting: readonly Client[]): Promise<void> {
  for (const [index, client] of waiting.entries()) {
    assert.ok(await world.clients[index]?.leave());
    await world.until('the next one is served', () => client.isServed);
    assert.equal(waiting.filter(({ isServed }) => isServed).length, index + 1);
  }
  world.check();
  await world.stop();
}

test('connections to followers survive the death of the leader, and their clients keep their places', async () => {
  for (const seed of [40, 41]) {
    const { world, waiting } = await lineOnAll(seed);
    const first = leader(world);
    const onLeader = world.replicas.indexOf(first);
    first.kill();
    await world.until('another one leads', () => world.serving().length === 1);
    await world.clock.advance(3);
    for (const [index, { connections }] of waiting.entries()) assert.equal(connections, index % 3 === onLeader ? 2 : 1);
    assert.deepEqual(lastPositions(waiting), [1, 2, 3, 4, 5, 6]);
    await serveInTurn(world, waiting);
  }
});

test('a leader that is stopped and goes on keeps the connections of its clients', async () => {
  const { world, waiting } = await lineOnAll(42);
  const first = leader(world);
  first.pause();
  await world.until('another one leads', () => world.serving().length === 1);
  await world.clock.advance(2);
  first.resume();
  await world.until('it follows', () => first.edge === undefined && first.replicaPort?.serves() === true);
  await world.clock.advance(2);
  for (const { connections } of waiting) assert.equal(connections, 1);
  assert.deepEqual(lastPositions(waiting), [1, 2, 3, 4, 5, 6]);
  await serveInTurn(world, waiting);
});

test('clients of a follower that dies find their places at another replica', async () => {
  const { world, waiting } = await lineOnAll(43);
  const follower = world.replicas.find((replica) => replica !== leader(world));
  assert.ok(follower);
  follower.kill();
  await world.clock.advance(3);
  const onFollower = world.replicas.indexOf(follower);
  for (const [index, { connections }] of waiting.entries()) assert.equal(connections, index % 3 === onFollower ? 2 : 1);
  assert.deepEqual(lastPositions(waiting), [1, 2, 3, 4, 5, 6]);
  await serveInTurn(world, waiting);
});

test('a follower that is stopped and goes on finds the places of its clients again, also at another leader', async () => {
  for (const dies of [false, true]) {
    const { world, waiting } = await lineOnAll(dies ? 44 : 45);
    const follower = world.replicas.find((replica) => replica !== leader(world));
    assert.ok(follower);
    follower.pause();
    await world.clock.advance(5);
    if (dies) {
      leader(world).kill();
      await world.until('another one leads', () => world.serving().length === 1);
    }
    follower.resume();
    await world.clock.advance(4);
    const onFollower = world.replicas.indexOf(follower);
    for (const [index, { connections }] of waiting.entries()) if (index % 3 === onFollower) assert.equal(connections, 1);
    assert.deepEqual(lastPositions(waiting), [1, 2, 3, 4, 5, 6]);
    await serveInTurn(world, waiting);
  }
});

test('a client of a follower that leaves, with or without a token, is served no more', async () => {
  const { world, waiting } = await lineOnAll(46);
  for (const client of waiting.slice(0, 5)) client.end();
  // A place with a token is kept for a while.
  await world.until('the others are gone', () => leader(world).edge?.queue.length === 1, 90);
  await world.clock.advance(1);
  assert.equal(waiting[5]?.positions.at(-1), 1);
  await serveInTurn(world, waiting.slice(5));
});

test('whatever the adversary does, every client is served once, and nothing is given twice', async () => {
  const seeds = SEED === undefined ? Array.from({ length: SEEDS }, (_, index) => index + 100) : [Number(SEED)];
  for (const seed of seeds) {
    try {
      await storm(seed);
    } catch (error) {
      throw new Error(`with REPLICA_SEED=${seed}`, { cause: error });
    }
  }
});

/** Half a minute of bad weather, then calm. */
async function storm(seed: number): Promise<void> {
  const world = await start(seed);
  const { random } = world;
  world.weather = { delay: 0.2 * random(), cutBefore: 0.1 * random(), cutAfter: 0.1 * random() };
  let goBack = world.store.copy();
  for (let turn = 0; turn < 12; turn += 1) {
    for (let i = 0; i < 2; i += 1) world.addClient({ hasToken: random() < 0.7, isAnywhere: random() < 0.7 });
    await strike(world, goBack);
    goBack = world.store.copy();
    await world.clock.advance(3 * random());
    world.check();
  }
  world.weather = FAIR;
  world.storeIsDown = false;
  for (const replica of world.replicas) if (replica.isPaused) replica.resume();
  // A leader that was stopped needs a moment to notice that it is none any more.
  await world.clock.advance(10);
  await world.until('one replica leads', () => world.serving().length === 1);
  // All who came get a place in turn, as sessions end.
  for (let round = 0; round < 100 && served(world) < world.clients.length; round += 1) {
    for (const client of world.clients) if (client.isServed) await client.leave();
    await world.clock.advance(1);
    world.check();
  }
  assert.equal(served(world), world.clients.length);
  await world.stop();
}

/** One blow of the adversary; never one that leaves no replica that knows everything. */
async function strike(world: World, goBack: () => void): Promise<void> {
  const { random, replicas } = world;
  const alive = replicas.filter(({ isDead }) => !isDead);
  const victim = alive[Math.floor(random() * alive.length)] as Replica;
  const blow = random();
  if (blow < 0.2) {
    victim.kill();
    await world.addReplica();
  } else if (blow < 0.4) victim.pause();
  else if (blow < 0.6) for (const replica of alive) replica.resume();
  else if (blow < 0.7) world.storeIsDown = !world.storeIsDown;
  else if (blow < 0.8) world.storeIsDown = false;
  else if (world.serving().length === 1 && !world.storeIsDown) {
    // Everything is mirrored, and the leader has time to notice.
    await world.clock.advance(2);
    if (blow < 0.9) world.store.forget();
    else goBack();
    await world.clock.advance(6);
  }
}

test('two teachers who want the last seats at once, through two replicas, never both get them', async () => {
  const world = await start(31);
  // The servers are probed.
  await world.clock.advance(2);
  const first = leader(world);
  const answers: string[] = [];
  const ask = (replica: Replica, name: string, seats: number) => {
    const start = world.clock.wallTime() + 3600;
    const wish = { title: name, match: 'code', seats, start, end: start + 3600, opens: 600, grace: 600 } as const;
    void replica.edge?.reservations.make(wish, { name }).then(({ kind }) => answers.push(`${name} ${kind}`));
  };
  // The servers are probed.
  await world.clock.advance(5);
  ask(first, 'ada', 8);
  await world.until('she has them', () => answers.length === 1);
  // A leader that dies with its answer has left the seats to the next one.
  first.kill();
  await world.until('another one leads', () => world.serving().length === 1);
  await world.clock.advance(5);
  const second = leader(world);
  // One that stands still and does not know yet that another one leads answers nothing.
  second.pause();
  ask(second, 'noether', 8);
  await world.until('the last one leads', () => world.serving().length === 1 && leader(world) !== second);
  await world.clock.advance(5);
  ask(leader(world), 'hopper', 8);
  second.resume();
  await world.clock.advance(10);
  ask(leader(world), 'lovelace', 8);
  await world.clock.advance(1);
  assert.deepEqual(answers, ['ada done', 'hopper done', 'lovelace over-capacity']);
  const owners = leader(world)
    .edge?.reservations.views()
    .map(({ reservation }) => reservation.owner);
  assert.deepEqual(owners, ['ada', 'hopper']);
  await world.stop();
});
