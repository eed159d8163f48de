import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalText } from './refusal-text.ts';
import { textsFor } from './texts/index.ts';

const CODES = [
  'over-capacity',
  'quota',
  'code-in-use',
  'reservation-over',
  'no-server-for-project',
  'project-host',
  'bad-request',
];

test('a refusal is explained in the language of the page, and in English with the reason of the server', () => {
  for (const language of ['de', 'fr'])
    for (const code of CODES) assert.doesNotMatch(refusalText(textsFor(language), { code, reason: 'Because.' }), /Because/, code);
  assert.equal(refusalText(textsFor('en'), { code: 'quota', reason: 'Because.' }), 'Because.');
  assert.equal(refusalText(textsFor('de'), { code: 'of-a-later-version', reason: 'Because.' }), 'Because.');
  assert.equal(refusalText(textsFor('de'), { code: '', reason: '' }), textsFor('de').noAnswer);
});
