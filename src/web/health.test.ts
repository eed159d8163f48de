import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DemoFleet } from '../../test/support/monitor-source.ts';
import { healthOf, isWithoutRoom } from './health.ts';
import { pageIcon } from './page-icon.ts';

function healthAfter(change: Parameters<DemoFleet['set']>[1], { open = true, stale = false } = {}) {
  const fleet = new DemoFleet({ servers: 2 });
  fleet.set(fleet.ids[0] ?? '', change);
  return healthOf({ open }, fleet.snapshot().servers, stale);
}

test('a fleet is degraded while a server is down or suspect, and not because one is full or drained', () => {
  assert.equal(healthAfter({}), 'working');
  assert.equal(healthAfter({ state: 'full' }), 'working');
  assert.equal(healthAfter({ state: 'draining' }), 'working');
  assert.equal(healthAfter({ state: 'down' }), 'degraded');
  assert.equal(healthAfter({ suspectSince: 1 }), 'degraded');
});

test('no session can start counts more than a problem, and lost contact more than both', () => {
  assert.equal(healthAfter({ state: 'down' }, { open: false }), 'closed');
  assert.equal(healthAfter({ state: 'down' }, { open: false, stale: true }), 'lost');
});

test('an available server without a place is without room, a full one is full', () => {
  const { servers } = new DemoFleet({ servers: 1 }).snapshot();
  const [server] = servers;
  assert.ok(server);
  assert.equal(isWithoutRoom({ ...server, state: 'available', places: 0 }), true);
  assert.equal(isWithoutRoom({ ...server, state: 'available', places: 1 }), false);
  assert.equal(isWithoutRoom({ ...server, state: 'full', places: 0 }), false);
});

test('the icon has a colour for each', () => {
  assert.equal(new Set((['working', 'degraded', 'closed', 'lost'] as const).map(pageIcon)).size, 4);
});
