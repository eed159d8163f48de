/** The languages of the pages for visitors and for classes, and the choice of one. English is used where no other fits. */
import { german as germanOfClasses } from './classes/de.ts';
import { english as englishOfClasses } from './classes/en.ts';
import { french as frenchOfClasses } from './classes/fr.ts';
import type { ClassTexts } from './classes/texts.ts';
import { german } from './de.ts';
import { english } from './en.ts';
import { french } from './fr.ts';
import type { Texts } from './texts.ts';

type BuiltIn<T> = readonly [english: T, ...others: T[]];

export const builtIn: BuiltIn<Texts> = [english, german, french];
export const builtInOfClasses: BuiltIn<ClassTexts> = [englishOfClasses, germanOfClasses, frenchOfClasses];

/**
 * What an operator added, by the tag of the language, such as `it` or `pt-BR`, and the names of texts. Names of the pages for classes begin with
 * `classes.`, because some are the same as those of the pages for visitors.
 */
export type AddedLanguages = Readonly<Record<string, Readonly<Record<string, string>>>>;

const OF_CLASSES = 'classes.';

/** Every text that can be added, in English. */
export const addable: Readonly<Record<string, string>> = Object.fromEntries([
  ...textsOf(english),
  ...textsOf(englishOfClasses).map(([name, text]) => [`${OF_CLASSES}${name}`, text] as const),
]);

/** Languages of a header that are looked at. */
const MAX_LANGUAGES = 20;

/** The texts that fit a header `Accept-Language` best (RFC 9110 § 12.5.4). A text that was not translated is in English. */
export function textsFor(acceptLanguage: string | undefined, added: AddedLanguages = {}): Texts {
  return bestTexts(builtIn, '', acceptLanguage, added);
}

/** The same for the pages for classes. */
export function classTextsFor(acceptLanguage: string | undefined, added: AddedLanguages = {}): ClassTexts {
  return bestTexts(builtInOfClasses, OF_CLASSES, acceptLanguage, added);
}

/** `prefix`: how the names of these texts begin in what an operator added. */
function bestTexts<T extends { readonly language: string }>(
  known: BuiltIn<T>,
  prefix: string,
  acceptLanguage: string | undefined,
  added: AddedLanguages,
): T {
  const [fallback] = known;
  const languages = new Map(known.map((texts) => [texts.language, texts]));
  const nearest = (tag: string) => languages.get(tag) ?? languages.get(tag.split('-')[0] ?? '');
  for (const [tag, texts] of Object.entries(added)) {
    const language = tag.toLowerCase();
    const own = textsOf(fallback).flatMap(([name]) => {
      const text = texts[`${prefix}${name}`];
      return text === undefined ? [] : [[name, text] as const];
    });
    languages.set(language, { ...(nearest(language) ?? fallback), ...Object.fromEntries(own), language: tag });
  }
  for (const tag of wantedTags(acceptLanguage)) {
    const found = nearest(tag);
    if (found !== undefined) return found;
  }
  return fallback;
}

/** The texts with their names. */
function textsOf(texts: object): readonly (readonly [name: string, text: string])[] {
  return Object.entries(texts).filter(([name]) => name !== 'language') as [string, string][];
}

/** Languages that are written from right to left. */
const RIGHT_TO_LEFT: ReadonlySet<string> = new Set(['ar', 'ckb', 'dv', 'fa', 'he', 'ps', 'sd', 'ug', 'ur', 'yi']);

export function directionOf(language: string): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.has(language.toLowerCase().split('-')[0] ?? '') ? 'rtl' : 'ltr';
}

/** In lower case, the best first. */
function wantedTags(acceptLanguage = ''): string[] {
  const wanted = acceptLanguage
    .toLowerCase()
    .split(',', MAX_LANGUAGES)
    .map((entry) => {
      const [tag = '', ...parameters] = entry.split(';').map((part) => part.trim());
      const quality = parameters.find((part) => part.startsWith('q='))?.slice(2) ?? '1';
      return { tag, quality: Number(quality) };
    })
    .filter(({ quality }) => quality > 0);
  return wanted.sort((one, other) => other.quality - one.quality).map(({ tag }) => tag);
}
