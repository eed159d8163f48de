/** The ledger in the form the allocation simulator takes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '../../bench/candidate.ts';

const rng = { next: () => 0.5 };

test('a class of thirty is spread evenly, and each pick counts at once', () => {
  const policy = create({ n: 3, rng, threshold: 95 });
  for (let server = 0; server < 3; server++) policy.onReport(server, 2, 10, 10.2);
  const picks = Array.from({ length: 30 }, (_, id) => {
    const server = policy.pick(11, { id, project: 'class', address: 'school' });
    assert.ok(typeof server === 'number');
    policy.onAssign(server, 11, { id, project: 'class', address: 'school' });
    return server;
  });
  assert.deepEqual(
    [0, 1, 2].map((server) => picks.filter((pick) => pick === server).length),
    [10, 10, 10],
  );
});

test('no client is placed before a report, after two lost polls, or where there is no room', () => {
  const policy = create({ n: 1, rng, threshold: 95 });
  const pick = (now: number) => policy.pick(now, { id: now, project: 'p', address: 'home' });
  assert.equal(pick(1), -1);
  policy.onReport(0, 50, 2, 2.2);
  assert.equal(pick(3), 0);
  policy.onPollFailed(0, 8);
  policy.onPollFailed(0, 9);
  assert.equal(pick(9), -1);
  policy.onReport(0, 89, 10, 10.2);
  assert.equal(pick(11), -1);
});

test('other parameters are taken from the environment', () => {
  process.env['ALLOCATION_PARAMETERS'] = '{"target": 40}';
  try {
    const policy = create({ n: 1, rng, threshold: 95 });
    policy.onReport(0, 35, 1, 1);
    assert.equal(policy.pick(2, { id: 0, project: 'p', address: 'home' }), -1);
  } finally {
    delete process.env['ALLOCATION_PARAMETERS'];
  }
});
