import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TokenBuckets } from './token-bucket.ts';

const rules = { burst: 100, rate: 1, maxKeys: 1000 };

test('a class behind one address gets its burst, and the next one waits a second', () => {
  const buckets = new TokenBuckets(rules);
  for (let i = 0; i < 100; i += 1) assert.equal(buckets.take('school', 5), 0);
  assert.equal(buckets.take('school', 5), 1);
  assert.equal(buckets.take('school', 5.5), 0.5);
  assert.equal(buckets.take('school', 6), 0);
});

test('one address does not use up the tokens of another', () => {
  const buckets = new TokenBuckets({ ...rules, burst: 1 });
  assert.equal(buckets.take('a', 0), 0);
  assert.ok(buckets.take('a', 0) > 0);
  assert.equal(buckets.take('b', 0), 0);
});

test('a flood from ever new addresses does not grow the memory', () => {
  const buckets = new TokenBuckets({ ...rules, maxKeys: 10 });
  for (let i = 0; i < 1000; i += 1) buckets.take(`address ${i}`, i);
  assert.equal(buckets.size, 10);
});

test('over any time an address gets at most the burst and what the rate brings', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { maxLength: 300 }), (pauses) => {
      const buckets = new TokenBuckets({ burst: 5, rate: 0.5, maxKeys: 10 });
      let now = 0;
      let granted = 0;
      for (const pause of pauses) {
        now += pause;
        if (buckets.take('a', now) === 0) granted += 1;
      }
      assert.ok(granted <= 5 + 0.5 * now + 1e-9);
    }),
  );
});

test('work whose cost is known afterwards leaves a debt that has to be waited for', () => {
  const buckets = new TokenBuckets({ burst: 10, rate: 2, maxKeys: 1 });
  assert.equal(buckets.take('', 0, 30), 0);
  assert.equal(buckets.wait('', 0), 10.5);
  assert.equal(buckets.take('', 10, 1), 0.5);
  assert.equal(buckets.take('', 10.5, 1), 0);
});

test('asking how long to wait takes nothing and agrees with taking', () => {
  const buckets = new TokenBuckets({ burst: 2, rate: 0.5, maxKeys: 10 });
  assert.equal(buckets.wait('a', 0), 0);
  buckets.take('a', 0);
  assert.equal(buckets.wait('a', 0), 0);
  buckets.take('a', 0);
  assert.equal(buckets.wait('a', 0), 2);
  assert.equal(buckets.wait('a', 1), 1);
  assert.equal(buckets.wait('a', 2), 0);
  assert.equal(buckets.take('a', 2), 0);
});
