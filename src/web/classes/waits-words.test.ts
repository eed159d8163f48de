import assert from 'node:assert/strict';
import { test } from 'node:test';
import { english } from '../../core/languages/classes/en.ts';
import { waitsWords } from './waits-words.ts';

test('the wait of a class is a range in minutes, and more than half an hour is not promised', () => {
  const words = (from: number | null, to: number | null) =>
    waitsWords({ atOnce: { from: 20, to: 27 }, lastSeconds: { from, to } }, english, 30);
  assert.equal(words(70, 290), '20–27 of 30 get a place at once. The last one waits 2–5 min.');
  assert.equal(words(70, 100), '20–27 of 30 get a place at once. The last one waits 2 min.');
  assert.equal(words(70, null), '20–27 of 30 get a place at once. The last one waits 2–>30 min.');
  assert.equal(words(null, null), '20–27 of 30 get a place at once. The last one waits more than half an hour.');
  const all = { atOnce: { from: 30, to: 30 }, lastSeconds: { from: 0, to: 0 } };
  assert.equal(waitsWords(all, english, 30), '30 of 30 get a place at once.');
});
