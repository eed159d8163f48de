import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toEvict, type Stored } from './eviction.ts';

const stored: readonly Stored[] = [
  { name: 'new', bytes: 40, lastUsed: 9, inUse: false },
  { name: 'old', bytes: 30, lastUsed: 1, inUse: false },
  { name: 'used', bytes: 50, lastUsed: 0, inUse: true },
];

test('the least recently used go first, until the rest fits', () => {
  assert.deepEqual(toEvict(stored, { bytes: 120, missing: 0 }), []);
  assert.deepEqual(toEvict(stored, { bytes: 119, missing: 0 }), ['old']);
  assert.deepEqual(toEvict(stored, { bytes: 60, missing: 0 }), ['old', 'new']);
});

test('a disk that is nearly full counts like a cache that is too large', () => {
  assert.deepEqual(toEvict(stored, { bytes: 1000, missing: 31 }), ['old', 'new']);
});

test('a project in use is never removed, and nothing more than is needed', () => {
  const one = fc.record({ name: fc.string(), bytes: fc.nat(100), lastUsed: fc.nat(), inUse: fc.boolean() });
  fc.assert(
    fc.property(fc.uniqueArray(one, { selector: ({ name }) => name }), fc.nat(500), fc.nat(500), (all, bytes, missing) => {
      const evicted = toEvict(all, { bytes, missing }).map((name) => all.find((stored) => stored.name === name)!);
      assert.ok(
        evicted.every(({ inUse }) => !inUse),
        'none is in use',
      );
      const total = all.reduce((sum, { bytes }) => sum + bytes, 0);
      const withoutLast = evicted.slice(0, -1).reduce((sum, { bytes }) => sum + bytes, 0);
      if (evicted.length > 0) assert.ok(withoutLast < Math.max(total - bytes, missing), 'the last one was needed');
    }),
  );
});
