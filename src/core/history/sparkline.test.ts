import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeSparkline, encodeSparkline } from './sparkline.ts';

test('a sparkline comes back to within one percent, with its gaps, and shows more than 126% as 126%', () => {
  const loads = fc.array(fc.option(fc.double({ min: 0, max: 500, noNaN: true })), { maxLength: 100 });
  fc.assert(
    fc.property(loads, (loads) => {
      const decoded = decodeSparkline(encodeSparkline(loads));
      assert.equal(decoded.length, loads.length);
      for (const [index, load] of loads.entries()) {
        const seen = decoded[index];
        if (load === null) assert.equal(seen, null);
        else assert.ok(Math.abs((seen ?? NaN) - Math.min(load, 126)) <= 1);
      }
    }),
  );
});

test('anything else reads as a gap', () => {
  assert.deepEqual(decodeSparkline('é\u0000~ '), [null, null, null, null]);
});
