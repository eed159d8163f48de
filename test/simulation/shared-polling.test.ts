/** Who polls which simulation server, and what the others know of it, while replicas come, die, stop and lose the store. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World, type Replica } from '../support/replica-world.ts';

const MANY = Array.from({ length: 40 }, (_, i) => `host-${i}:2000`);
const INTERVAL = 5;

async function start(seed: number, count: number, prepare?: (replica: Replica, index: number) => void): Promise<World> {
  const world = new World(seed, MANY);
  for (let i = 0; i < count; i += 1)
    await world.addReplica((replica) => {
      prepare?.(replica, i);
    });
  await world.until('a replica leads', () => world.serving().length === 1);
  await world.clock.advance(15);
  return world;
}

/** Who polled each server since then. */
function pollersSince(world: World, since: number): Map<string, readonly Replica[]> {
  const found = new Map(MANY.map((server) => [server, new Set<Replica>()]));
  for (const { by, server, at } of world.polls) if (at >= since) found.get(server)?.add(by);
  return new Map(Array.from(found, ([server, by]) => [server, [...by]]));
}

function leaderOf(world: World): Replica {
  const [replica] = world.serving();
  assert.ok(replica);
  return replica;
}

/** As the leader shows them. */
function statesOf(world: World): readonly string[] {
  return (
    leaderOf(world)
      .edge?.monitorViews.servers()
      .map(({ state }) => state) ?? []
  );
}

test('each server is polled by one replica, and the leader knows what the others found', async () => {
  const world = await start(1, 4);
  const since = world.clock.now();
  await world.clock.advance(20);
  const shares = new Map<Replica, number>();
  for (const by of pollersSince(world, since).values()) {
    assert.equal(by.length, 1);
    for (const replica of by) shares.set(replica, (shares.get(replica) ?? 0) + 1);
  }
  assert.equal(shares.size, 4);
  const polls = world.polls.filter(({ at }) => at >= since).length;
  assert.ok(polls >= MANY.length * 4 && polls <= MANY.length * 6, `${polls} polls`);
  assert.ok(statesOf(world).every((state) => state === 'available'));
  const view = leaderOf(world).edge?.leading?.watch.view();
  assert.deepEqual(
    view?.members.map(({ polls }) => polls),
    world.replicas.map((replica) => shares.get(replica)),
  );
  world.check();
  await world.stop();
});

test('when a replica dies, its servers are polled by others within five seconds, and are never down', async () => {
  for (const dies of ['a follower', 'the leader'] as const) {
    const world = await start(2, 4);
    const victim = world.replicas.find((replica) => (replica === leaderOf(world)) === (dies === 'the leader'));
    assert.ok(victim);
    const its = [...pollersSince(world, world.clock.now() - INTERVAL)].filter(([, by]) => by.includes(victim));
    assert.ok(its.length > 0);
    victim.kill();
    const diedAt = world.clock.now();
    await world.clock.advance(5);
    const after = pollersSince(world, diedAt + 0.001);
    for (const [server] of its)
      assert.ok(
        after.get(server)?.some((by) => by !== victim),
        `${server} after ${dies} died`,
      );
    await world.clock.advance(60);
    const settled = pollersSince(world, world.clock.now() - 20);
    for (const by of settled.values()) assert.equal(by.length, 1);
    world.check();
    await world.stop();
  }
});

test('a new leader hands out before it has polled any server', async () => {
  const world = await start(3, 3);
  for (const server of MANY) world.hanging.add(server);
  leaderOf(world).kill();
  const client = world.addClient();
  const killedAt = world.clock.now();
  await world.until('it is served', () => client.isServed, 6);
  assert.ok(world.clock.now() - killedAt < 4, `after ${world.clock.now() - killedAt} s`);
  world.check();
  await world.stop();
});

test('a replica that was stopped and goes on does not report that servers were silent', async () => {
  const world = await start(4, 3);
  world.slowness = 3;
  for (let stop = 0; stop < 6; stop += 1) {
    const victim = world.replicas.find((replica) => replica !== leaderOf(world));
    await world.clock.advance(1 + 0.3 * stop);
    victim?.pause();
    await world.clock.advance(3.5 + 3 * stop);
    victim?.resume();
    await world.clock.advance(8);
    assert.deepEqual([...(leaderOf(world).edge?.poller.outcomes.keys() ?? [])], ['sample']);
  }
  world.check();
  await world.stop();
});

test('without the store the leader polls the whole fleet within five seconds, and afterwards each has its share again', async () => {
  const world = await start(5, 3);
  world.goesOnAlone = true;
  world.storeIsDown = true;
  await world.clock.advance(5);
  const since = world.clock.now();
  await world.clock.advance(3 * INTERVAL);
  const first = leaderOf(world);
  for (const by of pollersSince(world, since).values()) assert.deepEqual(by, [first]);
  world.storeIsDown = false;
  await world.clock.advance(20);
  const again = world.clock.now();
  await world.clock.advance(3 * INTERVAL);
  const pollers = [...pollersSince(world, again).values()];
  assert.ok(pollers.every(({ length }) => length === 1));
  assert.equal(new Set(pollers.flat()).size, 3);
  world.check();
  await world.stop();
});

test('reports that come late, twice or not at all make no server down', async () => {
  const world = await start(6, 3);
  world.weather = { delay: 0.8, cutBefore: 0.15, cutAfter: 0.15 };
  await world.clock.advance(120);
  world.weather = { delay: 0.005, cutBefore: 0, cutAfter: 0 };
  await world.clock.advance(20);
  assert.ok(statesOf(world).every((state) => state === 'available'));
  // A replica that lives and reports nothing: the leader asks for itself.
  const mute = world.replicas.find((replica) => replica !== leaderOf(world));
  assert.ok(mute);
  mute.isMute = true;
  await world.clock.advance(20);
  const since = world.clock.now();
  await world.clock.advance(14);
  for (const by of pollersSince(world, since).values()) assert.ok(by.some((replica) => replica !== mute));
  world.check();
  await world.stop();
});

test('a replica that reaches the store but no simulation server takes none of them down', async () => {
  const world = await start(9, 3);
  const lonely = world.replicas.find((replica) => replica !== leaderOf(world));
  assert.ok(lonely);
  lonely.isLonely = true;
  const down: string[] = [];
  for (let second = 0; second < 30; second += 1) {
    await world.clock.advance(1);
    down.push(...statesOf(world).filter((state) => state === 'down'));
  }
  assert.deepEqual(down, []);
  assert.match(leaderOf(world).log.complaints.join('\n'), /another replica cannot reach it/);
  await world.stop();
});

test('a follower polls by the settings of the leader, and one behind other routes of the gateway does not poll', async () => {
  const world = await start(7, 3, (replica, index) => {
    if (index === 1) replica.own = { pollInterval: 1, pollTimeout: 0.5 };
    if (index === 2) replica.digests = { gateway: 'other' };
  });
  assert.equal(leaderOf(world), world.replicas[0]);
  const since = world.clock.now();
  await world.clock.advance(20);
  const polls = world.polls.filter(({ at }) => at >= since);
  assert.ok(polls.length <= MANY.length * 6, `${polls.length} polls`);
  assert.deepEqual(new Set(polls.map(({ by }) => by.name)), new Set(['r1', 'r2']));
  await world.stop();
});

test('servers that come and go are polled by the replica whose share they are', async () => {
  const world = await start(8, 2);
  const { edge } = leaderOf(world);
  const added = edge?.operatorActions.addServer({ address: 'new:2000' }, 'admin');
  await world.clock.advance(2);
  assert.equal((await added)?.kind, 'done');
  assert.equal(statesOf(world).filter((state) => state === 'available').length, MANY.length + 1);
  await world.clock.advance(10);
  const since = world.clock.now();
  await world.clock.advance(10);
  const by = new Set(world.polls.flatMap(({ by, server, at }) => (server === 'new:2000' && at >= since ? [by] : [])));
  assert.equal(by.size, 1);
  await world.stop();
});
