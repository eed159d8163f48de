import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CountedCosts } from './counted-costs.ts';

function observe(costs: CountedCosts, server: string, share: number, from: number, hours: number): void {
  for (let at = from; at <= from + 3600 * hours; at += 30) costs.observe(server, { points: 40 * share, learned: 40 }, at);
}

test('the real cost is the load of the sessions divided by what was learned, once there is an hour of it', () => {
  const costs = new CountedCosts();
  observe(costs, 'a', 0.6, 0, 0.5);
  assert.equal(costs.factor('a'), undefined);
  observe(costs, 'a', 0.6, 1800, 3);
  assert.ok(Math.abs((costs.factor('a') ?? 0) - 0.6) < 1e-9);
});

test('a server that is new is taken for one of the fleet, a known one has a factor of its own', () => {
  const costs = new CountedCosts();
  observe(costs, 'a', 0.5, 0, 2);
  assert.ok(Math.abs((costs.factor('b') ?? 0) - 0.5) < 1e-9);
  observe(costs, 'b', 1, 7200, 3);
  assert.ok(Math.abs((costs.factor('b') ?? 0) - 1) < 1e-9);
  assert.ok((costs.factor() ?? 0) > 0.6 && (costs.factor() ?? 0) < 1);
});

test('newer reports count more, impossible ones are limited, and times without sessions say nothing', () => {
  const costs = new CountedCosts();
  observe(costs, 'a', 1, 0, 4);
  observe(costs, 'a', 0.5, 14_400, 12);
  assert.ok((costs.factor('a') ?? 1) < 0.52, String(costs.factor('a')));
  const odd = new CountedCosts();
  observe(odd, 'a', 1000, 0, 2);
  assert.equal(odd.factor('a'), 3);
  for (let at = 7230; at < 20_000; at += 30) odd.observe('a', { points: 0, learned: 0 }, at);
  assert.equal(odd.factor('a'), 3);
});

test('what is known survives a restart, and a server that left the fleet is forgotten', () => {
  const costs = new CountedCosts();
  observe(costs, 'a', 0.7, 0, 2);
  const restored = new CountedCosts();
  restored.restore(costs.save());
  assert.equal(restored.factor('a'), costs.factor('a'));
  restored.forget('a');
  assert.deepEqual(restored.save().servers, []);
});
