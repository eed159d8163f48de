import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FORMAT, formatToWrite, isReadable, OLDEST_FORMAT } from './format.ts';

test('the oldest format of all replicas is written, and the format never falls', () => {
  assert.equal(formatToWrite(undefined, [FORMAT, FORMAT + 1]), FORMAT);
  assert.equal(formatToWrite(String(FORMAT), [FORMAT, OLDEST_FORMAT]), FORMAT);
  assert.equal(formatToWrite(undefined, []), FORMAT);
  // A replica that is too old to take part does not hold the others up.
  assert.equal(formatToWrite(undefined, [OLDEST_FORMAT - 1]), FORMAT);
});

test('a format that is newer, or no number, cannot be read', () => {
  assert.ok(isReadable(undefined) && isReadable(String(FORMAT)) && isReadable(String(OLDEST_FORMAT)));
  for (const text of [String(FORMAT + 1), String(OLDEST_FORMAT - 1), 'x', '', '"1"', '1e0', 'null'])
    assert.equal(isReadable(text), false, text);
});
