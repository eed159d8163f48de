/**
 * `GET /monitor`, `GET /monitor?board` for a screen on a wall, and the files of the page.
 *
 * The HTML states all facts before any script has run. It is rendered at most once a second, however many clients request
 * it. The page loads nothing from other hosts, and the Content-Security-Policy enforces that: only its own scripts and
 * styles, and no frame around it, in which a page of a simulation server could use it.
 */
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { Hono } from 'hono';
import type { MonitorSnapshot } from '../../core/views/monitor-view.ts';
import type { Clock } from '../../ports.ts';
import type { Access } from './access.ts';
import { noTokenInUrl } from './credentials.ts';
import { methodNotAllowed } from '../server/cors.ts';
import { answerAsset, assetUrl, encodingFor, type Encoding, type PageAssets } from '../server/page-assets.ts';
import type { MonitorSource } from './monitor-source.ts';
import type { Env } from '../server/routes.ts';

export interface MonitorPages {
  readonly monitor: (snapshot: MonitorSnapshot, options: PageFiles & { readonly board: boolean }) => string | Promise<string>;
  /** For visitors who may not read. */
  readonly entrance: (title: string, files: PageFiles, visitor: Visitor) => string | Promise<string>;
}

/** Someone who may not read. */
export interface Visitor {
  /** The code with which the last token was refused. */
  readonly refused?: string | undefined;
  /** Tokens are configured. */
  readonly tokens: boolean;
  /** URL of the page on which operators sign in, if it is not this one. */
  readonly signInAt?: string | undefined;
}

/** URLs of the page's files, relative to the page. */
export interface PageFiles {
  readonly script: string;
  readonly styles: string;
}

export interface MonitorRoutesOptions {
  readonly source: Pick<MonitorSource, 'snapshot'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly assets: PageAssets;
  /** The page's own renderer (`web/render.ts`), passed in because the edge does not know the page. */
  readonly pages: MonitorPages;
  readonly access: Pick<Access, 'isReader' | 'signInAt'>;
  readonly title: () => string;
  readonly hasTokens: () => boolean;
}

/** Seconds for which a rendered page is served. */
const PAGE_LIFE = 1;
/** Fast rather than small: the page is compressed at most once a second, but session requests wait meanwhile. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  // Not `no-referrer`, with which the form of the page that asks for a token would be sent with `Origin: null`.
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  Vary: 'Accept-Encoding, Cookie',
} as const;

export function createMonitorRoutes(options: MonitorRoutesOptions): Hono<Env> {
  const { source, clock, assets, pages, access } = options;
  const files: PageFiles = {
    script: assetUrl('monitor', assets.script),
    styles: assetUrl('monitor', assets.styles),
  };
  const page = (board: boolean) => new RenderedPage(() => pages.monitor(source.snapshot(), { ...files, board }), clock);
  const [rendered, board] = [page(false), page(true)];
  const routes = new Hono<Env>();

  routes.get('/monitor', noTokenInUrl, async (c) => {
    if (!access.isReader(c)) {
      const visitor = { refused: c.req.query('refused'), tokens: options.hasTokens(), signInAt: access.signInAt(c) };
      const html = await pages.entrance(options.title(), files, visitor);
      return c.body(html, 401, PAGE_HEADERS);
    }
    const encoding = encodingFor(c);
    const body = await (c.req.query('board') === undefined ? rendered : board).get(encoding);
    return c.body(body, 200, encoding === 'identity' ? PAGE_HEADERS : { ...PAGE_HEADERS, 'Content-Encoding': encoding });
  });
  for (const asset of [assets.script, assets.styles]) routes.get(`/monitor/${asset.name}`, (c) => answerAsset(c, asset));
  for (const path of ['/monitor', `/monitor/${assets.script.name}`, `/monitor/${assets.styles.name}`]) {
    routes.all(path, (c) => methodNotAllowed(c, 'GET, HEAD'));
  }
  return routes;
}

/** The latest HTML in each encoding that was requested. */
class RenderedPage {
  readonly #render: () => string | Promise<string>;
  readonly #clock: Pick<Clock, 'now'>;
  #at = -Infinity;
  #bodies = new Map<Encoding, Promise<Uint8Array<ArrayBuffer>>>();

  constructor(render: () => string | Promise<string>, clock: Pick<Clock, 'now'>) {
    this.#render = render;
    this.#clock = clock;
  }

  get(encoding: Encoding): Promise<Uint8Array<ArrayBuffer>> {
    const now = this.#clock.now();
    if (now - this.#at >= PAGE_LIFE) {
      const html = Promise.resolve(this.#render());
      this.#bodies = new Map([['identity', html.then((text) => new Uint8Array(Buffer.from(text)))]]);
      this.#at = now;
    }
    const body = this.#bodies.get(encoding) ?? this.#compressed(encoding);
    this.#bodies.set(encoding, body);
    return body;
  }

  async #compressed(encoding: Encoding): Promise<Uint8Array<ArrayBuffer>> {
    const plain = await this.get('identity');
    return new Uint8Array(encoding === 'br' ? await promisify(brotliCompress)(plain, BROTLI) : await promisify(gzip)(plain));
  }
}
