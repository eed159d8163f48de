import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtIn, builtInOfClasses, classTextsFor, directionOf, textsFor } from './languages.ts';
import { fill, valuesIn } from './texts.ts';

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
  for (const [english, ...others] of [builtIn, builtInOfClasses])
    for (const texts of others) {
      const translated = new Map(Object.entries(texts as unknown as Readonly<Record<string, string>>));
      assert.equal(translated.size, Object.keys(english).length);
      for (const [name, text] of Object.entries(english as unknown as Readonly<Record<string, string>>)) {
        assert.notEqual(translated.get(name) ?? '', '', name);
        assert.deepEqual(valuesIn(translated.get(name) ?? ''), valuesIn(text), `${texts.language}: ${name}`);
      }
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

test('an added language has its own texts of the pages for classes', () => {
  const added = { it: { title: 'Simulazione', 'classes.title': 'Classi', 'classes.refused.quota-seats': '{max} di {wanted}' } };
  const italian = classTextsFor('it', added);
  assert.deepEqual([italian.language, italian.title, italian.start], ['it', 'Classi', 'Start']);
  assert.equal(italian['refused.quota-seats'], '{max} di {wanted}');
  assert.equal(textsFor('it', added).title, 'Simulazione');
  assert.equal(classTextsFor('fr-CH, de;q=0.8', added).language, 'fr');
});
