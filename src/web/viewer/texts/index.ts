/** The languages of the viewer. English comes first: it is used where no other language fits. */
import { german } from './de.ts';
import { english } from './en.ts';
import { french } from './fr.ts';
import type { Texts } from './texts.ts';

export const languages: readonly Texts[] = [english, german, french];

/** Languages of a header that are looked at. */
const MAX_LANGUAGES = 20;

/** The texts that fit a header `Accept-Language` best (RFC 9110 § 12.5.4). */
export function textsFor(acceptLanguage: string | undefined): Texts {
  const wanted = (acceptLanguage ?? '')
    .toLowerCase()
    .split(',', MAX_LANGUAGES)
    .map((entry) => {
      const [tag = '', ...parameters] = entry.split(';').map((part) => part.trim());
      const quality = parameters.find((part) => part.startsWith('q='))?.slice(2) ?? '1';
      return { language: tag.split('-')[0], quality: Number(quality) };
    })
    .filter(({ quality }) => quality > 0);
  wanted.sort((one, other) => other.quality - one.quality);
  const found = wanted.map(({ language }) => languages.find((texts) => texts.language === language));
  return found.find((texts) => texts !== undefined) ?? english;
}
