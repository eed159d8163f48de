import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { portPattern } from './port-pattern.ts';

test('usual ranges have short patterns', () => {
  assert.equal(portPattern(2000, 2999), '2[0-9]{3}');
  assert.equal(portPattern(2000, 3999), '[2-3][0-9]{3}');
  assert.equal(portPattern(2000, 2000), '2000');
  assert.equal(portPattern(2000, 2100), '20[0-9]{2}|2100');
});

test('a pattern matches the numbers of its range and no others', () => {
  const port = fc.integer({ min: 1024, max: 65_535 });
  fc.assert(
    fc.property(port, port, (a, b) => {
      const [first, last] = [Math.min(a, b), Math.max(a, b)];
      const pattern = new RegExp(`^(?:${portPattern(first, last)})$`);
      const near = [first - 1, first, first + 1, last - 1, last, last + 1];
      for (const number of [...near, ...Array.from({ length: 200 }, (_, i) => 1000 + i * 337), 100_000, 200_000])
        assert.equal(
          pattern.test(String(number)),
          number >= first && number <= last,
          `${number} in ${first}-${last}: ${pattern.source}`,
        );
    }),
    { numRuns: 200 },
  );
});
