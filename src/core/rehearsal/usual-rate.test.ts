import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usualRate } from './usual-rate.ts';

const stretch = (handOuts: number, seconds = 3600) => ({ handOuts, seconds });

test('the rate is the mean of past weeks, and weeks that differ make it uncertain', () => {
  assert.deepEqual(usualRate([stretch(36), stretch(36)], 1), { mean: 0.01, spread: 0.3 });
  const { mean, spread } = usualRate([stretch(9), stretch(63)], 1);
  assert.equal(mean, 0.01);
  assert.ok(spread > 0.6 && spread < 0.8, String(spread));
});

test('weeks that were hardly recorded do not count, and without any the present load decides', () => {
  assert.deepEqual(usualRate([stretch(500, 600)], 0.02), { mean: 0.02, spread: 0.5 });
  assert.deepEqual(usualRate([], 0.02), { mean: 0.02, spread: 0.5 });
  assert.deepEqual(usualRate([stretch(0)], 0.02), { mean: 0, spread: 0.3 });
});
