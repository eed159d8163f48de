import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_TROUBLES, observeTroubles, readTroubles, type Observed, type TroubleNotice, type Troubles } from './troubles.ts';

/** Observes once for each entry, and returns all notices. */
function observe(seen: readonly (readonly [now: number, ages: Readonly<Record<string, number>> | 'no store'])[]) {
  let troubles: Troubles = NO_TROUBLES;
  const notices: TroubleNotice[] = [];
  for (const [now, ages] of seen) {
    const observed: Observed = {
      now,
      reachesStore: ages !== 'no store',
      ages: new Map(ages === 'no store' ? [] : Object.entries(ages)),
    };
    const step = observeTroubles(readTroubles(JSON.parse(JSON.stringify(troubles))), observed);
    troubles = step.troubles;
    notices.push(...step.notices);
  }
  return { troubles, notices };
}

test('a replica that dies is reported once after half a minute, and once when it is back', () => {
  const { notices, troubles } = observe([
    [1000, { a: 0.5, b: 2 }],
    [1005, { a: 0.5, b: 7 }],
    [1027, { a: 0.5, b: 29 }],
    [1030, { a: 0.5, b: 32 }],
    [1031, { a: 0.5, b: 33 }],
    // The store forgot it.
    [1100, { a: 0.5 }],
    [1200, { a: 0.5, b: 0.1 }],
    [1201, { a: 0.5, b: 0.1 }],
  ]);
  assert.deepEqual(notices, [
    { kind: 'replica-gone', name: 'b', since: 998 },
    { kind: 'replica-back', name: 'b', since: 998 },
  ]);
  assert.deepEqual(troubles, NO_TROUBLES);
});

test('a replica that restarts, or stops as it should, sends nothing', () => {
  const { notices } = observe([
    [1000, { b: 20 }],
    [1001, { b: 0.1 }],
    [1002, {}],
    [1100, {}],
  ]);
  assert.deepEqual(notices, []);
});

test('a store that is gone says nothing about replicas', () => {
  const { notices } = observe([
    [1000, { b: 20 }],
    [1001, 'no store'],
    [1031, 'no store'],
    [1032, 'no store'],
    [1040, { b: 0.1 }],
  ]);
  assert.deepEqual(notices, [
    { kind: 'store-gone', since: 1001 },
    { kind: 'store-back', since: 1001 },
  ]);
});

test('a replica that never comes back is forgotten after a day', () => {
  const { notices, troubles } = observe([
    [1000, { b: 40 }],
    [1000 + 90_000, {}],
  ]);
  assert.equal(notices.length, 1);
  assert.deepEqual(troubles, NO_TROUBLES);
});

test('what no replica wrote is nothing', () => {
  for (const value of [
    undefined,
    null,
    1,
    [],
    {},
    { replicas: 1 },
    { replicas: { a: 1, 'b c': { since: 1, isReported: true } }, store: 'x' },
  ])
    assert.deepEqual(readTroubles(value), NO_TROUBLES);
});
