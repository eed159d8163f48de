/** Languages of a header that are looked at. */
const MAX_LANGUAGES = 20;

/** The texts that fit a header `Accept-Language` best (RFC 9110 § 12.5.4). The first ones are used where no other language fits. */
export function bestLanguage<T extends { readonly language: string }>(
  languages: readonly [T, ...T[]],
  acceptLanguage: string | undefined,
): T {
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
  return found.find((texts) => texts !== undefined) ?? languages[0];
}
