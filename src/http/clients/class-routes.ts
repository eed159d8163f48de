/**
 * Pages for classes: `/c/CODE/` for students, `/classes` for teachers, and the files of both. Everything that the page of a class needs is below its own
 * address (`core/views/through-class.ts`), because a site may forward nothing else.
 */
import { Hono, type Context } from 'hono';
import type { AddedLanguages } from '../../core/languages/languages.ts';
import type { ClassView } from '../../core/views/class-view.ts';
import { MAX_CODE } from '../../core/reservations/code.ts';
import type { ClassLookup, Reservations } from '../../engine/reservations.ts';
import { isoTime } from '../../core/text/iso-time.ts';
import { doorsOf } from '../../core/reservations/reservation.ts';
import type { AddressOf } from '../server/client-address.ts';
import { methodNotAllowed } from '../server/cors.ts';
import { answerAsset, type PageAsset, type PageAssets } from '../server/page-assets.ts';
import type { Env } from '../server/routes.ts';
import { languagesFor, type VisitorLanguages } from './visitor-routes.ts';

/** What a page for classes shows at first. */
export type ClassPageContent =
  | { readonly kind: 'teacher' }
  | { readonly kind: 'class'; readonly view: ClassView }
  | { readonly kind: 'unknown-code' | 'too-many-codes' };

export type RenderClassPage = (
  languages: VisitorLanguages,
  files: { readonly script: string; readonly styles: string },
  content: ClassPageContent,
) => string | Promise<string>;

export interface ClassRoutesOptions {
  readonly assets: PageAssets;
  readonly render: RenderClassPage;
  readonly reservations: Pick<Reservations, 'lookUp'>;
  readonly languages: () => AddedLanguages;
  readonly addressOf: AddressOf;
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  Vary: 'Accept-Language',
} as const;

export function createClassRoutes({ assets, render, reservations, languages, addressOf }: ClassRoutesOptions): Hono<Env> {
  const files = { script: fileUrl(assets.script), styles: fileUrl(assets.styles) };
  const routes = new Hono<Env>();
  const page = async (c: Context<Env>, content: ClassPageContent, status: 200 | 404 | 429 = 200) =>
    c.body(await render(languagesFor(c, { languages }), files, content), status, HEADERS);
  routes.get('/classes', (c) => page(c, { kind: 'teacher' }));
  // With a slash at the end, relative addresses begin below the page.
  routes.get('/c/:code', (c) => c.redirect(`${encodeURIComponent(c.req.param('code'))}/`, 308));
  routes.get('/c/:code/', (c) => {
    const found = reservations.lookUp(c.req.param('code').slice(0, 2 * MAX_CODE), addressOf(c.env.incoming));
    if (found.kind === 'found') return page(c, { kind: 'class', view: classView(found) });
    return page(c, { kind: found.kind }, found.kind === 'unknown-code' ? 404 : 429);
  });
  routes.get('/c/:code/monitor', (c) => c.redirect('../../monitor', 302));
  for (const asset of [assets.script, assets.styles]) routes.get(`/classes/${asset.name}`, (c) => answerAsset(c, asset));
  for (const path of ['/classes', '/c/:code', '/c/:code/', `/classes/${assets.script.name}`, `/classes/${assets.styles.name}`])
    routes.all(path, (c) => methodNotAllowed(c, 'GET, HEAD'));
  return routes;
}

export function classView({ reservation, status }: Extract<ClassLookup, { kind: 'found' }>): ClassView {
  const { code, title, project = null, seats, start, end } = reservation;
  const times = { doors: isoTime(doorsOf(reservation)), start: isoTime(start), end: isoTime(end) };
  return { code, title, project, seats, ...times, state: status.state, taken: status.taken };
}

function fileUrl({ name, hash }: PageAsset): string {
  return `classes/${name}?v=${hash}`;
}
