/** The pages for classes as they are served. No markup here: see `../render.ts`. */
import { h } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { ClassPage, type ClassPageContent } from './page.tsx';
import { classTextsFor, type AddedLanguages } from '../../core/languages/languages.ts';

export interface ClassPageFiles {
  /** Addresses relative to the page. */
  readonly script: string;
  readonly styles: string;
}

export interface Languages {
  /** The header `Accept-Language`. */
  readonly accepted: string | undefined;
  readonly added: AddedLanguages;
}

export function renderClassPage({ accepted, added }: Languages, files: ClassPageFiles, content: ClassPageContent): string {
  return `<!DOCTYPE html>\n${renderToString(h(ClassPage, { texts: classTextsFor(accepted, added), content, ...files }))}`;
}
