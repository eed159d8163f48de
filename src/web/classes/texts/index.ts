/** The languages of the pages for classes. English comes first: it is used where no other language fits. */
import { bestLanguage } from '../../best-language.ts';
import { german } from './de.ts';
import { english } from './en.ts';
import { french } from './fr.ts';
import type { Texts } from './texts.ts';

export const languages: readonly [Texts, ...Texts[]] = [english, german, french];

export function textsFor(acceptLanguage: string | undefined): Texts {
  return bestLanguage(languages, acceptLanguage);
}
