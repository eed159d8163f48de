/**
 * `GET /view`: the light viewer, and its files. A browser gets the same page at `/` and `/session`, where programs get text. It loads nothing from other hosts, but it opens WebSockets to simulation
 * servers, whose addresses are not known beforehand.
 */
import { Hono, type Context } from 'hono';
import { methodNotAllowed } from '../server/cors.ts';
import { answerAsset, assetUrl, type PageAssets } from '../server/page-assets.ts';
import type { Env } from '../server/routes.ts';

/** The page in the best language for a header `Accept-Language`. File URLs are relative to the page. */
export type RenderViewer = (
  acceptLanguage: string | undefined,
  files: { readonly script: string; readonly styles: string },
  /** The page asks for a session at once, without a click. */
  starts: boolean,
) => string | Promise<string>;

export interface ViewerRoutesOptions {
  readonly assets: PageAssets;
  /** The page's own renderer (`web/viewer/render.ts`), passed in because the edge does not know the page. */
  readonly render: RenderViewer;
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self' ws: wss:",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'self'",
].join('; ');

const HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  Vary: 'Accept, Accept-Language',
} as const;

export type ViewerPage = (c: Context<Env>, starts: boolean) => Promise<Response>;

export function createViewerPage({ assets, render }: ViewerRoutesOptions): ViewerPage {
  const files = { script: assetUrl('view', assets.script), styles: assetUrl('view', assets.styles) };
  return async (c, starts) => c.body(await render(c.req.header('Accept-Language'), files, starts), 200, HEADERS);
}

export function createViewerRoutes({ assets }: ViewerRoutesOptions, page: ViewerPage): Hono<Env> {
  const routes = new Hono<Env>();
  routes.get('/view', (c) => page(c, false));
  for (const asset of [assets.script, assets.styles]) routes.get(`/view/${asset.name}`, (c) => answerAsset(c, asset));
  for (const path of ['/view', `/view/${assets.script.name}`, `/view/${assets.styles.name}`])
    routes.all(path, (c) => methodNotAllowed(c, 'GET, HEAD'));
  return routes;
}
