import assert from 'node:assert/strict';
import { test } from 'node:test';
import { excessOf } from './excess.ts';

test('what fits is left alone; else those that hold the most are named, until the others fit into half', () => {
  const same = (bytes: number) => bytes;
  assert.deepEqual(excessOf([20, 40, 30, 10], same, 100), []);
  assert.deepEqual(excessOf([20, 40, 30, 10, 1], same, 100), [40, 30]);
  assert.deepEqual(excessOf([], same, 0), []);
});
