/** Texts that operators add to the pages for visitors and for classes. */
import { z } from 'zod';
import { addable } from '../../core/languages/languages.ts';
import { valuesIn } from '../../core/languages/texts.ts';
import { nearest } from '../../core/text/nearest.ts';
import { text } from './values.ts';

/** A subset of RFC 5646: a language, and a script or a region. */
const tag = z.string().regex(/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}$/);

const texts = z
  .record(z.string().max(60), text(600))
  .superRefine((given, context) => {
    for (const [name, translated] of Object.entries(given)) {
      const message = mistakeIn(name, translated);
      if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message, input: translated });
    }
  })
  .meta({ expected: 'texts by their names, such as {"start": "Avvia"}' });

export const languages = z
  .record(tag, texts)
  .refine((given) => Object.keys(given).length <= 50, { message: 'write at most 50 languages' })
  .default({})
  .describe(
    'Texts of the pages for visitors and for classes by language: further languages, or other words for English, German and French. The texts and their names are listed in docs/reference/page-texts.md. A text that is missing is shown in English.',
  )
  .meta({ expected: 'languages in braces, such as {"it": {"start": "Avvia"}}' });

function mistakeIn(name: string, translated: string): string | undefined {
  const original = Object.hasOwn(addable, name) ? addable[name] : undefined;
  if (original === undefined) {
    const meant = nearest(name, Object.keys(addable));
    return meant === undefined ? 'there is no text with this name' : `there is no text with this name; did you mean "${meant}"?`;
  }
  const values = valuesIn(original);
  if (valuesIn(translated).join() === values.join()) return undefined;
  return values.length === 0
    ? 'write it without braces: this text has no values'
    : `write each of these once: ${values.map((value) => `{${value}}`).join(', ')}`;
}
