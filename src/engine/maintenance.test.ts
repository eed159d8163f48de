import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import type { Drain } from '../core/fleet/fleet.ts';
import { MaintenancePlan } from './maintenance.ts';

function setUp(drains: Readonly<Record<string, Drain>> = {}, clock = new FakeClock()) {
  const log = new MemoryLog();
  const drained: string[] = [];
  let ids = 0;
  const plan = new MaintenancePlan({
    ...{ clock, log, saveSoon: () => undefined },
    newId: () => `m${(ids += 1)}`,
    actions: {
      drainAll(servers, { by, until = 0, reason }) {
        drained.push(...servers.map((id) => `${id} by ${by} until ${until - clock.wallTime()} s: ${reason ?? ''}`));
        return Promise.resolve({ done: servers, unknown: servers.filter((id) => id === 'gone') });
      },
    },
    drainOf: (id) => drains[id],
    serversWith: (label) => (label === 'room=B12' ? ['a', 'b'] : []),
  });
  return { clock, log, plan, drained, said: () => log.lines.map(({ level, message }) => `${level} ${message}`) };
}

test('planned maintenance drains its servers from its time on, also after a restart', async () => {
  const first = setUp();
  first.plan.begin();
  const at = first.clock.wallTime();
  const wish = { by: 'ada', reason: 'new disks', from: at + 3600, until: at + 7200 };
  assert.equal((await first.plan.plan({ ...wish, servers: [], label: 'room=B12' })).kind, 'done');
  await first.plan.plan({ ...wish, from: at + 1800, servers: ['c', 'gone'] });
  await first.clock.advance(1799);
  assert.deepEqual(first.drained, []);
  await first.clock.advance(1);
  assert.deepEqual(first.drained, ['c by ada until 5400 s: new disks', 'gone by ada until 5400 s: new disks']);
  const saved: unknown = JSON.parse(JSON.stringify(first.plan.save()));
  await first.plan.stop();

  const second = setUp({}, first.clock);
  assert.equal(second.plan.restore(saved).kind, 'restored');
  assert.deepEqual(
    second.plan.planned.map(({ label }) => label),
    ['room=B12'],
  );
  second.plan.begin();
  await second.clock.advance(1800);
  assert.deepEqual(second.drained, ['a by ada until 3600 s: new disks', 'b by ada until 3600 s: new disks']);
  assert.deepEqual(second.plan.planned, []);
  await second.plan.stop();
  assert.deepEqual(first.said(), [
    'info maintenance of the servers with room=B12 planned by ada',
    'info maintenance of 2 servers planned by ada',
    'info planned maintenance of 2 servers begins',
    'warn planned maintenance: gone is not in the fleet',
  ]);
});

test('maintenance does not shorten a longer drain, and one that was cancelled or slept through drains nothing', async () => {
  const { clock, plan, drained, said } = setUp({ a: { since: 0, by: 'bob' }, b: { since: 0, by: 'bob', until: 1 } });
  plan.begin();
  const at = clock.wallTime();
  await plan.plan({ by: 'ada', servers: ['a', 'b'], from: at, until: at + 60 });
  await clock.advance(0);
  assert.deepEqual(drained, ['b by ada until 60 s: '], 'bob drained the other one until he resumes it');

  const cancelled = await plan.plan({ by: 'ada', servers: ['c'], from: at + 100, until: at + 200 });
  assert.ok(cancelled.kind === 'done');
  assert.equal(await plan.cancel(cancelled.id, 'bob'), true);
  assert.equal(await plan.cancel(cancelled.id, 'bob'), false);
  await plan.stop();

  const later = setUp({}, clock);
  later.plan.restore({
    ...{ format: 'session-server/maintenance', version: 1 },
    planned: [{ id: 'm', servers: ['c'], from: at - 100, until: at - 50, by: 'ada' }, { id: 'damaged' }],
  });
  later.plan.begin();
  await clock.advance(1000);
  assert.deepEqual([later.drained, later.plan.planned], [[], []]);
  assert.match(later.said().join(), /maintenance of c is over: the session server did not run in its time/);
  assert.match(said().join(), /planned maintenance of c cancelled by bob/);
  assert.equal(later.plan.restore({ format: 'other' }).kind, 'foreign');
  await later.plan.stop();
});

test('at most two hundred maintenances are planned', async () => {
  const { clock, plan } = setUp();
  plan.begin();
  const wish = { by: 'ada', servers: ['a'], from: clock.wallTime() + 100, until: clock.wallTime() + 200 };
  for (let n = 0; n < 200; n++) assert.equal((await plan.plan(wish)).kind, 'done');
  assert.equal((await plan.plan(wish)).kind, 'refused');
  await plan.stop();
});
