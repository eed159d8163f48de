import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryPause } from './retry.ts';

test('the pause doubles from five seconds to ten minutes', () => {
  const pauses = [1, 2, 3, 4, 8, 100, 10_000].map((failures) => retryPause({ failures, permanent: false, age: 0 }, 0.5));
  assert.deepEqual(pauses, [5, 10, 20, 40, 600, 600, 600]);
});

test('a failure that will not pass by itself, or is a day old, is retried once an hour', () => {
  assert.equal(retryPause({ failures: 1, permanent: true, age: 0 }, 0.5), 3600);
  assert.equal(retryPause({ failures: 9, permanent: false, age: 86_401 }, 0.5), 3600);
});

test('chance moves the pause by a quarter at most', () => {
  assert.equal(retryPause({ failures: 1, permanent: false, age: 0 }, 0), 3.75);
  assert.ok(retryPause({ failures: 1, permanent: false, age: 0 }, 0.999_999) < 6.25);
});
