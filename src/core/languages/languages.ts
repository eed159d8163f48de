/** The languages of the pages for visitors, and the choice of one. English is used where no other fits. */
import { german } from './de.ts';
import { english } from './en.ts';
import { french } from './fr.ts';
import type { TextName, Texts } from './texts.ts';

export const builtIn: readonly Texts[] = [english, german, french];

/** What an operator added, by the tag of the language, such as `it` or `pt-BR`. */
export type AddedLanguages = Readonly<Record<string, Partial<Readonly<Record<TextName, string>>>>>;

/** Languages of a header that are looked at. */
const MAX_LANGUAGES = 20;

/** The texts that fit a header `Accept-Language` best (RFC 9110 § 12.5.4). A text that was not translated is in English. */
export function textsFor(acceptLanguage: string | undefined, added: AddedLanguages = {}): Texts {
  const languages = new Map(builtIn.map((texts) => [texts.language, texts]));
  const nearest = (tag: string) => languages.get(tag) ?? languages.get(tag.split('-')[0] ?? '');
  for (const [tag, texts] of Object.entries(added)) {
    const language = tag.toLowerCase();
    languages.set(language, { ...(nearest(language) ?? english), ...texts, language: tag });
  }
  for (const tag of wantedTags(acceptLanguage)) {
    const found = nearest(tag);
    if (found !== undefined) return found;
  }
  return english;
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
