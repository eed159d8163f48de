import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { NO_STAMP } from '../../core/replicas/shared-state.ts';
import type { NotificationKind } from '../../core/incidents/notification-kinds.ts';
import type { Affected } from '../../core/incidents/incidents.ts';
import type { StoreFacts } from '../../ports.ts';
import type { Replication } from './heartbeats.ts';
import { ReplicaWatch } from './replica-watch.ts';

const facts: StoreFacts = {
  ...{ version: 'Redis 7.0.15', takesWrites: true, evictionPolicy: 'noeviction', memory: 50, maxMemory: 100 },
  ...{ appends: false, copies: 0 },
};
const member = (name: string, age: number) => ({
  ...{ id: `${name}-1`, name, version: '0.2.0', format: 1, settings: {}, stamp: NO_STAMP, age },
});

class Scene {
  readonly clock = new FakeClock();
  readonly log = new MemoryLog();
  facts = facts;
  sent: (readonly [NotificationKind, Affected | undefined])[] = [];
  shared: unknown;
  replication: Replication = {
    ...{ leads: true, reachesStore: true, term: 3, leader: member('a', 0), members: [member('a', 0), member('b', 0.5)] },
    ...{ roundTrip: 0.00042, failures: 0, takeovers: 1, differing: new Map(), foreignFormat: undefined, knownAt: 0, polls: 0 },
  };
  readonly journal = {
    isEnded: false,
    get: () => this.shared,
    set: (_: string, value: unknown) => void (this.shared = JSON.parse(JSON.stringify(value))),
  };

  watch(): ReplicaWatch {
    const { clock, log } = this;
    const store = { facts: () => Promise.resolve(this.facts) };
    const watch = new ReplicaWatch({ clock, log, store, replication: () => this.replication });
    const send = (kind: NotificationKind, [first]: readonly Affected[]) => void this.sent.push([kind, first]);
    watch.lead({ notifying: { send }, journal: this.journal });
    return watch;
  }
}

test('a missing replica is reported by one leader, and that it is back by the next one', async () => {
  const scene = new Scene();
  const first = scene.watch();
  scene.replication = { ...scene.replication, members: [member('a', 0), member('b', 40)] };
  await scene.clock.advance(3);
  assert.deepEqual(
    scene.sent.map(([kind, affected]) => [kind, affected?.address]),
    [['replica-gone', 'b']],
  );
  assert.deepEqual(
    first.view().missing.map(({ name }) => name),
    ['b'],
  );
  await first.stop();
  const next = scene.watch();
  scene.replication = { ...scene.replication, members: [member('a', 0), member('b', 0)] };
  await scene.clock.advance(3);
  assert.equal(scene.sent.length, 2);
  assert.equal(scene.sent[1]?.[0], 'replica-back');
  assert.ok((scene.sent[1][1]?.lasted ?? 0) >= 40);
  await next.stop();
});

test('a replica that leads no more notifies of nothing', async () => {
  const scene = new Scene();
  const watch = scene.watch();
  scene.journal.isEnded = true;
  scene.replication = { ...scene.replication, reachesStore: false };
  await scene.clock.advance(60);
  assert.deepEqual(scene.sent, []);
  await watch.stop();
});

test('a store that may drop keys is said once in the log, and always in the view', async () => {
  const scene = new Scene();
  scene.facts = { ...facts, evictionPolicy: 'allkeys-lru', memory: 95 };
  const watch = scene.watch();
  await scene.clock.advance(130);
  const said = scene.log.lines.filter(({ message }) => message.includes('maxmemory-policy allkeys-lru'));
  assert.equal(said.length, 1);
  const { store, members, leader, term } = watch.view();
  assert.equal(store.problems.length, 2);
  assert.deepEqual([leader, term, members.length, store.program, store.latency], ['a', 3, 2, 'Redis 7.0.15', 0]);
  scene.facts = facts;
  await scene.clock.advance(60);
  assert.deepEqual(watch.view().store.problems, []);
  await watch.stop();
});
