import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { parseEndpoint, type ServerId } from '../core/fleet/endpoint.ts';
import type { SimulationServer } from '../core/fleet/simulation-server.ts';
import { RegisteredServers } from './registered.ts';

/** Servers that pass their check; the test says which of them are down, since when, and whether any other answers. */
function start(t: TestContext) {
  const clock = new FakeClock(0);
  const down = new Map<ServerId, number>();
  const outside = { heard: true, members: [] as readonly SimulationServer[] };
  const registered = new RegisteredServers({
    ...{ clock, log: new MemoryLog() },
    membership: {
      get: () => undefined,
      of: () => outside.members,
      set: (_, servers) => (outside.members = servers),
    },
    readServer(entry) {
      const read = parseEndpoint(String(entry));
      return read.kind === 'endpoint'
        ? { kind: 'server', server: { endpoint: read.endpoint, weight: 1, labels: {}, shareIdleTime: 0 } }
        : { kind: 'refused', reason: read.problem };
    },
    check: () => Promise.resolve({ kind: 'simulation-server' }),
    refuse: () => undefined,
    downSince: (id) => down.get(id),
    isNetworkProved: () => outside.heard,
    rules: () => ({ enabled: true, maxServers: 10, heartbeat: 30, missedHeartbeats: 3, forgetAfter: 60 }),
    changed: () => undefined,
  });
  t.after(() => registered.stop());
  const members = () => outside.members.map(({ endpoint }) => endpoint.id);
  return { clock, down, outside, registered, members };
}

test('a server that stays down while others answer is forgotten', async (t) => {
  const { clock, down, registered, members } = start(t);
  registered.announce('a:2000', { heartbeats: false });
  registered.announce('b:2000', { heartbeats: false });
  await clock.advance(2);
  assert.deepEqual(members(), ['a:2000', 'b:2000']);
  down.set('a:2000', clock.now());
  await clock.advance(59);
  assert.deepEqual(members(), ['a:2000', 'b:2000']);
  await clock.advance(2);
  assert.deepEqual(members(), ['b:2000']);
});

test('servers do not leave because of a network failure, nor at its end', async (t) => {
  const { clock, down, outside, registered, members } = start(t);
  registered.announce('a:2000', { heartbeats: false });
  registered.announce('b:2000', { heartbeats: false });
  await clock.advance(2);
  for (const id of members()) down.set(id, clock.now());
  outside.heard = false;
  await clock.advance(10_000);
  down.delete('a:2000');
  outside.heard = true;
  await clock.advance(50);
  assert.deepEqual(members(), ['a:2000', 'b:2000'], 'the other has the whole time to answer again');
  await clock.advance(12);
  assert.deepEqual(members(), ['a:2000']);
});

test('restored servers do not exceed the maximum that may register', async (t) => {
  const { clock, registered, members } = start(t);
  for (const name of 'abcdefgh') registered.announce(`${name}:2000`, { heartbeats: false });
  registered.restore(Array.from('hijklm', (name) => ({ entry: `${name}:2000`, heartbeats: false })));
  await clock.advance(2);
  assert.deepEqual(
    members(),
    Array.from('abcdefghij', (name) => `${name}:2000`),
  );
});
