/** Why the session server refuses, in the language of the page. */
import type { ClassTexts } from '../../core/languages/classes/texts.ts';
import { fill } from '../../core/languages/texts.ts';
import { NO_ANSWER, type Refusal } from './api.ts';
import { formats } from './formats.ts';

/** `seats`: how many were asked for. */
export function refusalWords(
  { code, reason, rule = code, values = {}, numbers }: Refusal,
  texts: ClassTexts,
  seats: number,
): string {
  if (code === NO_ANSWER) return texts.noAnswer;
  if (numbers !== undefined) {
    const { day, time } = formats(texts);
    const { free, at } = numbers;
    return fill(texts.tooMany, { seats, more: seats - free, time: `${day(at)}, ${time(at)}`, free });
  }
  const name = `refused.${code.startsWith('token-') ? 'token' : rule}`;
  return name in texts ? fill(texts[name as keyof ClassTexts], values) : `${texts['refused.other']} ${reason}`;
}
