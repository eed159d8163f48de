import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seatsOverTime } from './seats-over-time.ts';

test('seats count from the doors to the end, and classes that follow each other are not added up', () => {
  const first = { seats: 30, start: 1000, opens: 100, end: 1500 };
  const second = { seats: 20, start: 1700, opens: 100, end: 2000 };
  const beside = { seats: 5, start: 1700, opens: 0, end: 1800 };
  const all = [first, second, beside];
  assert.deepEqual(seatsOverTime(all, [600, 700, 800, 900, 1400, 1500, 1600, 1700, 1900, 2000], 100), [
    ...[0, 0, 0, 30, 30, 0, 20, 25, 20, 0],
  ]);
  assert.deepEqual(seatsOverTime(all, [0, 1000], 1000), [30, 30], 'the first class is on at 1000, the second one later');
  assert.deepEqual(seatsOverTime([], [], 100), []);
});
