import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { outlineOf } from './outline.ts';

const point = (x: number, y: number) => ({ x, y });

test('the outline of a square is its corners', () => {
  const square = [point(0, 0), point(2, 0), point(2, 2), point(0, 2)];
  assert.deepEqual(outlineOf([point(1, 1), ...square, point(1, 0), point(2, 2)]), square);
  assert.deepEqual(outlineOf([]), []);
});

test('every point is inside the outline', () => {
  const coordinate = fc.integer({ min: -50, max: 50 });
  fc.assert(
    fc.property(fc.array(fc.record({ x: coordinate, y: coordinate }), { minLength: 3, maxLength: 40 }), (points) => {
      const outline = outlineOf(points);
      outline.forEach((a, index) => {
        const b = outline[(index + 1) % outline.length]!;
        for (const { x, y } of points) assert.ok((b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x) >= -1e-9);
      });
    }),
  );
});
