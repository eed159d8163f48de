import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtIn, directionOf, textsFor } from './languages.ts';
import { fill, valuesIn, type Texts } from './texts.ts';

test('the language is the best of those that the browser asks for', () => {
  const cases: Record<string, string> = {
    de: 'de',
    'fr-CH, fr;q=0.9, en;q=0.8': 'fr',
    'en;q=0.5, de-AT;q=0.7': 'de',
    'ja, fr;q=0.2': 'fr',
    'ja, *;q=0.5': 'en',
    'de;q=0, fr;q=x': 'en',
    '': 'en',
  };
  for (const [header, language] of Object.entries(cases)) assert.equal(textsFor(header).language, language, header);
  assert.equal(textsFor(undefined).language, 'en');
});

test('every language has every text, with the same values in it', () => {
  const [english, ...others] = builtIn;
  for (const texts of others)
    for (const name of Object.keys(english!) as (keyof Texts)[]) {
      const [text, translated] = [english![name], texts[name]];
      assert.notEqual(translated, '', name);
      assert.deepEqual(valuesIn(translated), valuesIn(text), `${texts.language}: ${name}`);
    }
  assert.equal(fill('{a} of {b} {c}', { a: '1', b: '{a}' }), '1 of {a} {c}');
});

test('an added language is chosen by its tag, and falls back to English or to the language that it changes', () => {
  const added = { it: { start: 'Avvia' }, 'de-AT': { start: 'Los geht’s' }, de: { start: 'Los' } };
  const italian = textsFor('it-CH, de;q=0.5', added);
  assert.deepEqual([italian.language, italian.start, italian.pause], ['it', 'Avvia', 'Pause']);
  assert.equal(textsFor('de-AT', added).start, 'Los geht’s');
  const german = textsFor('de-CH', added);
  assert.deepEqual([german.start, german.leave], ['Los', 'Beenden']);
  assert.deepEqual(['ar', 'he-IL', 'de', 'Fa'].map(directionOf), ['rtl', 'rtl', 'ltr', 'rtl']);
});
