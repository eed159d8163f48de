/** The texts of the pages for visitors and for classes, by their names. */
import { addable } from '../../src/core/languages/languages.ts';
import { listItem } from './layout.ts';

export function pageTexts(): string {
  return Object.entries(addable)
    .map(([name, text]) => listItem(`\`${name}\`: ${text}`))
    .join('\n');
}
