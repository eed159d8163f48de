/** The reference of the API as it is served. No markup here: see `../render.ts`. */
import { h } from 'preact';
import { renderToString } from 'preact-render-to-string';
import type { ApiDocument } from '../../core/views/api-document.ts';
import { ApiReference } from './page.tsx';

/** `styles`: URL of the style sheet, relative to the page. */
export function renderApiReference(document: ApiDocument, styles: string): string {
  return `<!DOCTYPE html>\n${renderToString(h(ApiReference, { document, styles }))}`;
}
