import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languages, textsFor } from './index.ts';

/** Every text with its name; those of states too. */
function entries(texts: object, group = ''): readonly (readonly [string, string])[] {
  return Object.entries(texts).flatMap(([name, text]: [string, unknown]) =>
    typeof text === 'string' ? [[`${group}${name}`, text] as const] : entries(text as object, `${name}.`),
  );
}

test('every language has every text, with the same values in it', () => {
  const valuesIn = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([value]) => value).sort();
  const [english, ...others] = languages;
  for (const texts of others) {
    const translated = new Map(entries(texts));
    assert.equal(translated.size, entries(english).length);
    for (const [name, text] of entries(english)) {
      assert.notEqual(translated.get(name) ?? '', '', name);
      assert.deepEqual(valuesIn(translated.get(name) ?? ''), valuesIn(text), `${texts.language}: ${name}`);
    }
  }
});

test('the language follows the browser, and is English where no other fits', () => {
  assert.equal(textsFor('fr-CH, de;q=0.8').language, 'fr');
  assert.equal(textsFor('pt-BR').language, 'en');
});
