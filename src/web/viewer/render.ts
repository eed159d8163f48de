/** The viewer's page as it is served. No markup here: see `../render.ts`. */
import { h } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { ViewerPage } from './page.tsx';
import { textsFor } from './texts/index.ts';

export interface ViewerPageFiles {
  /** Addresses relative to the page. */
  readonly script: string;
  readonly styles: string;
}

/** In the language that the header `Accept-Language` asks for. `starts`: the page asks for a session at once. */
export function renderViewerPage(acceptLanguage: string | undefined, files: ViewerPageFiles, starts: boolean): string {
  return `<!DOCTYPE html>\n${renderToString(h(ViewerPage, { texts: textsFor(acceptLanguage), starts, ...files }))}`;
}
