import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderViewerPage } from '../render.ts';
import { languages, textsFor } from './index.ts';
import { fill, type Texts } from './texts.ts';

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
  const valuesIn = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([value]) => value).sort();
  const [english, ...others] = languages;
  for (const texts of others)
    for (const name of Object.keys(english!) as (keyof Texts)[]) {
      const [text, translated] = [english![name], texts[name]];
      assert.notEqual(translated, '', name);
      assert.deepEqual(valuesIn(translated), valuesIn(text), `${texts.language}: ${name}`);
    }
  assert.equal(fill('{a} of {b} {c}', { a: '1', b: '{a}' }), '1 of {a} {c}');
});

test('the page is served in that language, with its texts for the script', () => {
  const html = renderViewerPage('de-DE', { script: 'view/viewer.js?v=1', styles: 'view/viewer.css?v=1' }, true);
  assert.match(html, /^<!DOCTYPE html>\n<html lang="de">/);
  assert.match(html, /<main data-starts="?true/);
  assert.match(html, />Starten<\/button>/);
  const [, json = ''] = /<script type="application\/json" id="texts">([^<]+)<\/script>/.exec(html) ?? [];
  assert.deepEqual(JSON.parse(json), textsFor('de'));
});
