/** The texts of the pages for visitors, by their names. */
import { english } from '../../src/core/languages/en.ts';
import { listItem } from './layout.ts';

export function pageTexts(): string {
  const { language: _, ...texts } = english;
  return Object.entries(texts)
    .map(([name, text]) => listItem(`\`${name}\`: ${text}`))
    .join('\n');
}
