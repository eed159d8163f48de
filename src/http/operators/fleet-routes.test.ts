import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { MemoryStore } from '../../../test/support/memory-store.ts';
import { MaintenancePlan } from '../../engine/maintenance.ts';
import { OperatorActions } from '../../engine/operator-actions.ts';
import { createFleetRoutes } from './fleet-routes.ts';

const FLEET = ['a:1', 'b:1', 'c:1'];

function setUp() {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const drained = new Map<string, number | undefined>();
  const serversWith = (label: string) => (label === 'room=B12' ? ['a:1', 'b:1'] : []);
  const actions = new OperatorActions({
    ...{ clock, log },
    poller: {
      drain: (id, { until }) => FLEET.includes(id) && drained.set(id, until).has(id),
      resume: (id) => FLEET.includes(id) && (drained.delete(id) || true),
    },
    membership: { get: () => undefined, set: () => undefined },
    readServer: () => ({ kind: 'refused', reason: 'it has no address' }),
    sendTest: () => Promise.resolve([]),
    forget: () => false,
    forgetCosts: () => false,
  });
  const store = new MemoryStore();
  actions.begin(store);
  const plan = new MaintenancePlan({
    ...{ clock, log, actions, serversWith, newId: () => 'plan-1', drainOf: () => undefined, saveSoon: () => undefined },
  });
  plan.begin();
  const routes = createFleetRoutes({
    ...{ actions, plan, serversWith, clock },
    mayRead: (_, next) => next(),
    mayAct: async (c, next) => {
      c.set('actor', 'ada');
      return next();
    },
  });
  const send = async (method: string, path: string, body?: object) => {
    const response = await routes.request(`/api/v1/${path}`, {
      method,
      ...(body !== undefined && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> };
  };
  return { clock, log, drained, store, plan, send };
}

test('several servers are drained and resumed by identity or by label, and written once', async () => {
  const { clock, log, drained, store, plan, send } = setUp();
  const answer = await send('POST', 'drain', { servers: ['a:1', 'gone:1', 'a:1'], reason: 'disks', lasts: 60 });
  assert.deepEqual(answer, { status: 200, body: { done: ['a:1'], unknown: ['gone:1'] } });
  assert.deepEqual([...drained], [['a:1', clock.wallTime() + 60]]);
  assert.deepEqual((await send('POST', 'drain', { label: 'room=B12' })).body, { done: ['a:1', 'b:1'], unknown: [] });
  assert.deepEqual([...drained.values()], [undefined, undefined]);
  assert.deepEqual(Object.keys((await store.read('drains')) as object), ['a:1', 'b:1']);
  assert.deepEqual((await send('POST', 'resume', { label: 'room=B12' })).status, 200);
  assert.deepEqual([...drained], []);
  assert.equal(log.lines.filter(({ message }) => message === 'a:1 simulation server drained by ada').length, 2);

  for (const [body, status, code] of [
    [{ servers: ['gone:1'] }, 404, 'unknown-server'],
    [{ label: 'room=none' }, 404, 'no-server-has-label'],
    [{ servers: ['a:1'], label: 'room=B12' }, 400, 'bad-request'],
    [{}, 400, 'bad-request'],
    [{ label: 'room' }, 400, 'bad-request'],
    [{ servers: ['a:1'], until: 1 }, 400, 'bad-request'],
    [{ servers: Array.from({ length: 1001 }, String) }, 400, 'bad-request'],
  ] as const) {
    const refused = await send('POST', 'drain', body);
    assert.deepEqual([refused.status, refused.body['code']], [status, code], JSON.stringify(body).slice(0, 80));
  }
  await plan.stop();
});

test('maintenance is planned, listed, begun in its time, and cancelled only before', async () => {
  const { clock, drained, plan, send } = setUp();
  const now = clock.wallTime();
  const wish = { label: 'room=B12', from: now + 100, until: now + 200, reason: ' disks ' };
  assert.deepEqual(await send('POST', 'maintenance', wish), { status: 201, body: { id: 'plan-1' } });
  assert.deepEqual((await send('GET', 'maintenance')).body['planned'], [
    { id: 'plan-1', servers: [], label: 'room=B12', from: now + 100, until: now + 200, by: 'ada', reason: 'disks' },
  ]);
  await clock.advance(100);
  assert.deepEqual(
    [...drained],
    [
      ['a:1', now + 200],
      ['b:1', now + 200],
    ],
  );
  assert.deepEqual((await send('DELETE', 'maintenance/plan-1')).status, 404, 'it has begun');
  await send('POST', 'maintenance', { servers: ['c:1'], from: '2100-01-01T00:00:00Z', until: now + 400 });
  for (const body of [
    { servers: ['c:1'], from: now + 500, until: now + 400 },
    { servers: ['c:1'], from: now - 50, until: now - 10 },
    { servers: ['c:1'], from: now, until: now + 367 * 86_400 },
    { servers: ['c:1'], from: '2027-02-29T00:00:00Z', until: now + 400 },
    { from: now, until: now + 400 },
  ])
    assert.equal((await send('POST', 'maintenance', body)).status, 400, JSON.stringify(body));
  assert.deepEqual(plan.planned, []);
  await send('POST', 'maintenance', { servers: ['c:1'], from: now + 300, until: now + 400 });
  assert.equal((await send('DELETE', 'maintenance/plan-1')).status, 200);
  assert.deepEqual(plan.planned, []);
  await plan.stop();
});
