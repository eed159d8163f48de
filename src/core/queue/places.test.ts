import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Places } from './places.ts';

test('the taken places up to each one are counted, whatever was taken and freed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70 }), fc.array(fc.nat(69), { maxLength: 200 }), (size, toggles) => {
      const places = new Places(size);
      const taken = new Set<number>();
      for (const toggle of toggles) {
        const place = toggle % size;
        if (taken.delete(place)) places.free(place);
        else {
          taken.add(place);
          places.take(place);
        }
      }
      for (let place = 0; place < size; place += 1)
        assert.equal(places.upTo(place), [...taken].filter((other) => other <= place).length);
    }),
  );
});
