/** `GET /api`: the description of the API as a page. It has no script, and loads nothing but its style sheet. */
import { Hono } from 'hono';
import type { ApiDocument } from '../../core/views/api-document.ts';
import { methodNotAllowed } from './cors.ts';
import { answerAsset, type PageAsset } from './page-assets.ts';
import type { Env } from './routes.ts';

export interface ReferencePage {
  readonly styles: PageAsset;
  /** `web/api-reference/render.ts`, passed in because the edge does not know the page. `styles`: URL relative to the page. */
  readonly render: (document: ApiDocument, styles: string) => string | Promise<string>;
}

const HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-cache',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
} as const;

export function createReferencePage({ styles, render }: ReferencePage, document: () => ApiDocument): Hono<Env> {
  const routes = new Hono<Env>();
  const stylesPath = `/api/${styles.name}`;
  routes.get('/api', async (c) => c.body(await render(document(), `api/${styles.name}?v=${styles.hash}`), 200, HEADERS));
  routes.get(stylesPath, (c) => answerAsset(c, styles));
  for (const path of ['/api', stylesPath]) routes.all(path, (c) => methodNotAllowed(c, 'GET, HEAD'));
  return routes;
}
