/** `GET /client/v1.js` and `/client/v1-button.js`: the client package, for pages of all origins (docs/reference/client.md). */
import { Hono } from 'hono';
import { methodNotAllowed } from '../server/cors.ts';
import { answerAsset, type ClientAssets } from '../server/page-assets.ts';
import type { Env } from '../server/routes.ts';

/** Modules are fetched with CORS. Every file of version 1 works with every other one, so a browser may have an hour-old one. */
const HEADERS = {
  'Access-Control-Allow-Origin': '*',
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Cache-Control': 'public, max-age=3600, stale-while-revalidate=86400',
} as const;

export function createClientRoutes({ client, button }: ClientAssets): Hono<Env> {
  const routes = new Hono<Env>();
  for (const asset of [client, button]) {
    const path = `/client/${asset.name}`;
    routes.get(path, (c) => answerAsset(c, asset, HEADERS));
    routes.all(path, (c) => methodNotAllowed(c, 'GET, HEAD'));
  }
  return routes;
}
