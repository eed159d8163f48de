/** The pages for classes as they are served. No markup here: see `../render.ts`. */
import { h } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { ClassPage, type ClassPageContent } from './page.tsx';
import { textsFor } from './texts/index.ts';

export interface ClassPageFiles {
  /** Addresses relative to the page. */
  readonly script: string;
  readonly styles: string;
}

/** In the language that the header `Accept-Language` asks for. */
export function renderClassPage(acceptLanguage: string | undefined, files: ClassPageFiles, content: ClassPageContent): string {
  return `<!DOCTYPE html>\n${renderToString(h(ClassPage, { texts: textsFor(acceptLanguage), content, ...files }))}`;
}
