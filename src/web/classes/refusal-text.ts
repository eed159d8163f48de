/** Why a reservation is refused, in the language of the page. */
import type { Refusal } from './api.ts';
import type { Texts } from './texts/texts.ts';

type RefusalName = keyof Texts['refusals'];

/** Codes of the API (docs/reference/api-codes.md). */
const BY_CODE: Readonly<Record<string, RefusalName>> = {
  'over-capacity': 'overCapacity',
  quota: 'quota',
  'code-in-use': 'codeInUse',
  'too-many-reservations': 'tooMany',
  'reservation-over': 'over',
  'unknown-reservation': 'over',
  'no-server-for-project': 'noServer',
  'store-unreachable': 'trouble',
  internal: 'trouble',
  'bad-request': 'badValue',
};

/** In English, the reason of the server has more detail. */
export function refusalText(texts: Texts, { code, reason }: Refusal): string {
  if (reason === '') return texts.noAnswer;
  if (texts.language === 'en') return reason;
  const name = BY_CODE[code] ?? (code.startsWith('project-') ? 'badProject' : undefined);
  return name === undefined ? reason : texts.refusals[name];
}
