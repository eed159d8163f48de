import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoTime } from './iso-time.ts';

test('a time is written as ISO 8601 in UTC, in whole seconds', () => {
  assert.equal(isoTime(1_795_360_704.789), '2026-11-22T15:18:24Z');
  assert.equal(isoTime(0), '1970-01-01T00:00:00Z');
  assert.equal(isoTime(951_782_400), '2000-02-29T00:00:00Z');
  assert.equal(isoTime(4_107_542_399), '2100-02-28T23:59:59Z');
  assert.equal(isoTime(4_107_542_400), '2100-03-01T00:00:00Z');
});
