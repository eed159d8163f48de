import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { largestFlow, type Supply } from './seat-flow.ts';

test('a class that can move to another server makes room for one that cannot', () => {
  const supplies = [
    { points: 10, usableBy: [0, 1] },
    { points: 10, usableBy: [0] },
  ];
  assert.deepEqual(largestFlow(supplies, [10, 10]), [10, 10]);
  assert.deepEqual(largestFlow(supplies, [15, 10]), [15, 5]);
  assert.deepEqual(largestFlow([], [3]), [0]);
});

test('the last class gets exactly what no set of classes denies it, found by trying all sets', () => {
  const needs = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 3 });
  const supply = fc.record({ points: fc.integer({ min: 0, max: 30 }), usableBy: fc.uniqueArray(fc.nat(2), { maxLength: 3 }) });
  fc.assert(
    fc.property(fc.array(supply, { maxLength: 4 }), needs, (supplies, wanted) => {
      const got = largestFlow(supplies, wanted);
      const sum = got.reduce((total, points) => total + points, 0);
      assert.ok(Math.abs(sum - largestByCuts(supplies, wanted)) < 1e-6, `${sum} of ${largestByCuts(supplies, wanted)}`);
      assert.ok(got.every((points, index) => points <= (wanted[index] ?? 0) + 1e-6));
    }),
  );
});

/** The least cut: for every set of classes, what these need and what the others can be supplied with. */
function largestByCuts(supplies: readonly Supply[], needs: readonly number[]): number {
  let least = Infinity;
  for (let set = 0; set < 2 ** needs.length; set++) {
    const isCut = (index: number) => (set & (1 << index)) !== 0;
    const needed = needs.reduce((sum, need, index) => sum + (isCut(index) ? need : 0), 0);
    const uncut = (index: number) => index < needs.length && !isCut(index);
    const supplied = supplies.reduce((sum, { points, usableBy }) => sum + (usableBy.some(uncut) ? points : 0), 0);
    least = Math.min(least, needed + supplied);
  }
  return least;
}
