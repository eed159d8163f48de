import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sharesOf } from './seat-shares.ts';

test('seats are shared out in proportion to those that will be free, and whole', () => {
  assert.deepEqual(sharesOf(6, [4, 8, 0]), [2, 4, 0]);
  assert.deepEqual(sharesOf(4, [5, 5, 5]), [2, 1, 1]);
  assert.deepEqual(sharesOf(30, [3, 2]), [3, 2]);
  assert.deepEqual(sharesOf(3, []), []);
});

test('no server has more seats than will be free there, and none is lost', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.array(fc.nat(30), { maxLength: 30 }), (seats, free) => {
      const shares = sharesOf(seats, free);
      const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
      assert.equal(sum(shares), Math.min(seats, sum(free)));
      assert.ok(shares.every((share, index) => share >= 0 && share <= (free[index] ?? 0)));
    }),
  );
});
