import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PerClientCounts } from './per-client-counts.ts';

test('each count is what was taken and not given back', () => {
  const shares = new PerClientCounts();
  for (const key of ['a', 'a', 'b', undefined]) shares.take(key);
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => shares.of(key)),
    [2, 1, 0],
  );
  for (const key of ['a', 'b', 'b', undefined]) shares.giveBack(key);
  assert.deepEqual(
    ['a', 'b'].map((key) => shares.of(key)),
    [1, 0],
    'no count is below zero',
  );
});
