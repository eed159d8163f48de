import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Costs, loadHeaders, pointsOf } from './costs.ts';

test('points follow the formula of the load', () => {
  assert.equal(pointsOf({ cpu: 12, memory: 30 }), 12);
  assert.equal(pointsOf({ cpu: 2, memory: 30 }), 10);
});

test('a project costs what its sessions cost while they run, paused ones apart', () => {
  const costs = new Costs();
  costs.started('a', 3);
  for (let points = 1; points <= 10; points += 1) costs.measured('a', points, points * 1000, true);
  costs.measured('a', 0.5, 100, false);
  assert.deepEqual(costs.list(), [
    { key: 'a', sessions: 1, memory: 10_000, busy: { p50: 6, p90: 10 }, idle: { p50: 0.5 }, start: { p50: 3 } },
  ]);
});

test('before anything is known of a project, others and then a default are expected of it', () => {
  const costs = new Costs();
  assert.equal(costs.expected('new'), 8);
  costs.measured('a', 20, 1, true);
  assert.equal(costs.expected('new'), 20);
  assert.equal(costs.expected('a'), 20);
});

test('projects and values are remembered only up to a maximum', () => {
  const costs = new Costs();
  for (let i = 0; i < 600; i += 1) costs.measured(`p${i}`, 1, 1, true);
  for (let i = 0; i < 1000; i += 1) costs.measured('p0', i, 1, true);
  assert.equal(costs.list().length, 500);
  assert.equal(costs.list().at(-1)?.busy?.p50, 900);
});

test('the headers of the load say how many sessions there are and what is still to come', () => {
  assert.deepEqual(loadHeaders({ starting: 2, running: 2, idle: 3, begun: 40, points: 41.52, pending: 12, version: 18 }), {
    'Session-Count': '7; starting=2; idle=3; begun=40',
    'Session-Load': '41.5; pending=12.0',
    'Session-Costs': '18',
  });
});
