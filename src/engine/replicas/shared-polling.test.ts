import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointOf } from '../../../test/support/endpoints.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { FakeProbe } from '../../../test/support/fake-probe.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { FORMAT } from '../../core/replicas/format.ts';
import type { SeenMember } from '../../core/replicas/member.ts';
import { planValue, POLLING, type PollingPlan } from '../../core/replicas/polling-plan.ts';
import { documentKey, Mirror, NO_STAMP } from '../../core/replicas/shared-state.ts';
import { MemorySharedStore } from '../../stores/shared-memory.ts';
import { SharedPolling } from './shared-polling.ts';

const PLAN: PollingPlan = {
  ...{ interval: 5, timeout: 4, ssl: false, rules: { loadThreshold: 95, target: 90, recent: 15, downAfter: 2 } },
  listed: ['one:2000', 'two:2000'].map(endpointOf),
  registered: ['own:2000'].map(endpointOf),
};
const member = (id: string): SeenMember => ({
  ...{ id, name: id, version: '1', format: FORMAT, settings: {}, stamp: NO_STAMP, age: 0.5, polls: 0 },
});

/** A follower whose leader polls alone, so that all servers are its share. */
function start() {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const mirror = new Mirror();
  const probe = new FakeProbe(clock);
  const created: { readonly plan: PollingPlan; readonly isRegistered: (id: string) => boolean }[] = [];
  const polling = new SharedPolling({
    ...{ clock, log, mirror, random: () => 0.5, self: 'b', store: new MemorySharedStore(() => clock.wallTime()) },
    replication: () => ({
      ...{ leads: false, reachesStore: true, term: 1, leader: undefined, members: [member('b')], knownAt: clock.now() },
      ...{ inForce: {}, polls: 0, roundTrip: 0.001, failures: 0, takeovers: 0, differing: new Map(), foreignFormat: undefined },
    }),
    createProbe: (plan, isRegistered) => {
      created.push({ plan, isRegistered });
      return probe;
    },
  });
  const share = (value: unknown) => {
    mirror.set(documentKey(POLLING), JSON.stringify(value));
  };
  return { clock, log, probe, created, polling, share };
}

test('a follower polls what the leader lists, and restricts the addresses of servers that registered themselves', async () => {
  const { clock, probe, created, polling, share } = start();
  await clock.advance(5);
  assert.equal(polling.polls, 0);
  share(planValue(PLAN));
  await clock.advance(5);
  assert.deepEqual([...probe.asked.keys()].sort(), ['one:2000', 'own:2000', 'two:2000']);
  assert.equal(polling.polls, 3);
  const [first] = created;
  assert.deepEqual(['one:2000', 'own:2000'].map(first?.isRegistered ?? Boolean), [false, true]);
  share(planValue({ ...PLAN, registered: [], listed: PLAN.listed.slice(1) }));
  await clock.advance(1);
  assert.deepEqual([polling.polls, created.length], [1, 1]);
  share(planValue({ ...PLAN, timeout: 2 }));
  await clock.advance(1);
  assert.deepEqual([polling.polls, created.at(-1)?.plan.timeout], [3, 2]);
  // Its own settings of the gateway may have changed.
  polling.reconfigure();
  await clock.advance(1);
  assert.equal(created.length, 3);
  await polling.stop();
});

test('a list that no leader wrote changes nothing, and the log says so', async () => {
  const { clock, log, polling, share } = start();
  share(planValue(PLAN));
  await clock.advance(1);
  share({ ...(planValue(PLAN) as object), listed: ['http://evil/?'] });
  await clock.advance(1);
  assert.equal(polling.polls, 3);
  assert.match(log.complaints.join('\n'), /a list of servers that no session server wrote/);
  await polling.stop();
});
