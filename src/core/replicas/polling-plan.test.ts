import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointOf } from '../../../test/support/endpoints.ts';
import { planValue, readPlan } from './polling-plan.ts';

const plan = {
  ...{ interval: 5, timeout: 4, ssl: false, rules: { loadThreshold: 95, target: 90, recent: 15, downAfter: 2 } },
  listed: ['a:2000', 'b/2001', '[::1]:2000'].map(endpointOf),
  registered: ['c:2000'].map(endpointOf),
};

test('a plan is read as it was written', () => {
  assert.deepEqual(readPlan(JSON.parse(JSON.stringify(planValue(plan)))), plan);
});

test('what no leader wrote is not read', () => {
  const written = planValue(plan) as object;
  const wrong: readonly object[] = [
    ...[{ interval: 0 }, { interval: '5' }, { interval: 1e9 }, { timeout: 6 }, { timeout: -1 }, { ssl: 'no' }],
    ...[{ rules: null }, { rules: { ...plan.rules, downAfter: 0 } }, { rules: { ...plan.rules, target: '9' } }],
    ...[{ listed: 'a' }, { listed: [5] }, { listed: ['http://a'] }, { registered: ['a b'] }, { registered: null }],
    { listed: Array.from({ length: 100_001 }, () => 'a') },
  ];
  for (const own of wrong) assert.equal(readPlan({ ...written, ...own }), undefined, JSON.stringify(own).slice(0, 200));
  for (const value of [undefined, null, 'x', 5, [], {}]) assert.equal(readPlan(value), undefined);
});
