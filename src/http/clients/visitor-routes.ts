/**
 * The pages for people who want a simulation, and their files: `/` and `/session` for browsers, which programs get as text,
 * and `/view`. They load nothing from other hosts, but they open WebSockets to simulation servers, whose addresses are not
 * known beforehand. A page takes no place: only its script asks for a session, so that previews of links cost nothing.
 */
import { Hono, type Context } from 'hono';
import { asSent, projectParameter } from '../../core/fleet/project.ts';
import type { AddedLanguages } from '../../core/languages/languages.ts';
import { throughSession } from '../../core/views/through-session.ts';
import type { VisitorView } from '../../core/views/visitor-view.ts';
import { CORS, methodNotAllowed } from '../server/cors.ts';
import { answerAsset, assetUrl, type PageAssets } from '../server/page-assets.ts';
import type { Env } from '../server/routes.ts';

/** What the pages show of the site and of the visitor. File URLs are relative to the page. */
export interface VisitorPage {
  readonly site: string;
  readonly monitor: boolean;
  readonly classes: boolean;
  readonly demo: boolean;
  readonly fleet: VisitorView;
  readonly files: {
    readonly script: string;
    readonly styles: string;
    readonly viewer: { readonly script: string; readonly styles: string };
  };
}

export interface VisitorLanguages {
  /** The header `Accept-Language`. */
  readonly accepted: string | undefined;
  readonly added: AddedLanguages;
}

/** The pages' own renderer (`web/visitors/render.ts`), passed in because the edge does not know the pages. */
export interface RenderVisitorPages {
  readonly landing: (languages: VisitorLanguages, page: VisitorPage) => string | Promise<string>;
  /** `starts`: the page asks for a session at once, without a click. */
  readonly session: (
    languages: VisitorLanguages,
    page: VisitorPage & { readonly starts: boolean; readonly project: string | undefined },
  ) => string | Promise<string>;
}

export interface VisitorAssets {
  readonly visitors: PageAssets;
  readonly viewer: PageAssets;
}

export interface VisitorRoutesOptions {
  readonly assets: VisitorAssets;
  readonly render: RenderVisitorPages;
  readonly fleet: () => VisitorView;
  /** Name of the site. */
  readonly site: () => string;
  readonly languages: () => AddedLanguages;
  /** This visitor may see the monitor. */
  readonly isReader: (c: Context<Env>) => boolean;
  /** Teachers can sign in. */
  readonly hasTokens: () => boolean;
  /** There is a page of the demo. */
  readonly demo: boolean;
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self' ws: wss:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'self'",
].join('; ');

export const VISITOR_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  // Not `no-referrer`, with which forms are sent with `Origin: null`.
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  Vary: 'Accept, Accept-Language',
} as const;

export type AnswerPage = (c: Context<Env>) => Promise<Response>;

export interface VisitorPages {
  readonly landing: AnswerPage;
  /** Asks for a session at once. */
  readonly session: AnswerPage;
  /** Asks for a session after a click. */
  readonly view: AnswerPage;
}

export function createVisitorPages(options: VisitorRoutesOptions): VisitorPages {
  const { render } = options;
  const languages = (c: Context<Env>) => languagesFor(c, options);
  const session = (starts: boolean) => async (c: Context<Env>) => {
    const project = asSent(projectParameter(new URL(c.req.url).search));
    return c.body(await render.session(languages(c), { ...pageFor(c, options), starts, project }), 200, VISITOR_HEADERS);
  };
  return {
    landing: async (c) => c.body(await render.landing(languages(c), pageFor(c, options)), 200, VISITOR_HEADERS),
    session: session(true),
    view: session(false),
  };
}

/** What every page for visitors shows. */
export function pageFor(c: Context<Env>, options: VisitorRoutesOptions): VisitorPage {
  const { assets, fleet, site, isReader, hasTokens, demo } = options;
  const { visitors, viewer } = assets;
  const urls = ({ script, styles }: PageAssets) => ({
    script: assetUrl('view', script, throughSession),
    styles: assetUrl('view', styles, throughSession),
  });
  return {
    ...{ site: site(), monitor: isReader(c), classes: hasTokens(), demo, fleet: fleet() },
    files: { ...urls(visitors), viewer: urls(viewer) },
  };
}

export function languagesFor(c: Context<Env>, { languages }: Pick<VisitorRoutesOptions, 'languages'>): VisitorLanguages {
  return { accepted: c.req.header('Accept-Language'), added: languages() };
}

export function createVisitorRoutes({ assets, fleet }: VisitorRoutesOptions, { view }: VisitorPages): Hono<Env> {
  const routes = new Hono<Env>();
  const files = Object.values(assets).flatMap(({ script, styles }: PageAssets) => [script, styles]);
  routes.get('/view', view);
  routes.get('/view/fleet', (c) => c.json(fleet(), 200, { 'Cache-Control': 'no-store', ...CORS }));
  for (const asset of files) routes.get(`/view/${asset.name}`, (c) => answerAsset(c, asset));
  for (const path of ['/view', '/view/fleet', ...files.map(({ name }) => `/view/${name}`)])
    routes.all(path, (c) => methodNotAllowed(c, 'GET, HEAD'));
  return routes;
}
