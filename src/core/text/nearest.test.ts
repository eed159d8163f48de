import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from './nearest.ts';

const commands = ['start', 'check', 'schema', 'setup', 'doctor', 'test-notification'];

test('one slip in a short word, and two in a long one, are forgiven', () => {
  assert.equal(nearest('chekc', commands), 'check', 'swapped neighbours are one slip');
  assert.equal(nearest('doctr', commands), 'doctor', 'a missing letter');
  assert.equal(nearest('setuup', commands), 'setup', 'an additional letter');
  assert.equal(nearest('tset-notifcation', commands), 'test-notification', 'two slips');
});

test('a word that resembles none of the candidates has no nearest one', () => {
  assert.equal(nearest('run', commands), undefined);
  assert.equal(nearest('', commands), undefined);
  assert.equal(nearest('strat up', commands), undefined);
});

test('the closest of several candidates is chosen, and the first of equal ones', () => {
  assert.equal(nearest('weights', ['weighted', 'weight']), 'weight');
  assert.equal(nearest('ab', ['aa', 'bb']), 'aa');
});
