/**
 * All of `/api/v1` under one roof: what every route of it has in common, and the one document that describes them all.
 *
 * Pages of any origin may read, and may ask for sessions: clients are pages of other sites. Nobody's authority travels with such a request, because the
 * cookie of the monitor page is not sent from elsewhere (SameSite) and a token is sent by whoever holds it.
 */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { REFUSAL_CODES } from './api-codes.ts';
import { refusal } from './refusal.ts';
import type { Env } from './routes.ts';

export interface ApiOptions {
  /** Of the session server. */
  readonly version: string;
  /** Route groups in the order in which they are tried. */
  readonly groups: readonly OpenAPIHono<Env>[];
}

const ALL = '/api/v1/*';
/** Seconds for which a browser need not ask again whether it may. */
const PREFLIGHT_KEPT = 86_400;

const describe = createRoute({
  method: 'get',
  path: '/api/v1/openapi.json',
  summary: 'This document',
  responses: {
    200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: z.looseObject({ openapi: z.string() }) } } },
  },
});

export function createApi({ version, groups }: ApiOptions): OpenAPIHono<Env> {
  const api = new OpenAPIHono<Env>();
  api.use(
    ALL,
    cors({
      origin: '*',
      allowMethods: (_origin, c) =>
        c.req.path.startsWith('/api/v1/sessions') ? ['GET', 'HEAD', 'POST', 'DELETE'] : ['GET', 'HEAD'],
      allowHeaders: ['Authorization', 'Content-Type'],
      exposeHeaders: ['Allow', 'Location', 'Retry-After'],
      maxAge: PREFLIGHT_KEPT,
    }),
    notStored,
    refuseMalformedPath,
    methodNotAllowed({
      app: api,
      onMethodNotAllowed(c, methods) {
        c.header('Allow', [...methods, 'OPTIONS'].join(', '));
        return refusal(c, 405, 'method-not-allowed', `This path answers ${methods.join(', ')}.`);
      },
    }),
  );
  for (const group of groups) api.route('/', group);
  let text: string | undefined;
  api.openAPIRegistry.registerPath(describe);
  api.get(describe.path, (c) => {
    text ??= JSON.stringify(documentOf(api, version));
    return c.body(text, 200, { 'Content-Type': 'application/json' });
  });
  api.all(ALL, (c) => refusal(c, 404, 'not-found', 'There is nothing at this path; see /api/v1/openapi.json.'));
  return api;
}

function documentOf(api: OpenAPIHono<Env>, version: string) {
  const document = api.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Session server',
      version,
      description:
        'Hands each client the simulation server that suits it best. Times are seconds since the epoch, durations seconds, loads percent, unless a name says otherwise. Every refusal has a machine-readable `code` and a sentence.',
    },
    // Relative to the document, because a front may have put something before the path.
    servers: [{ url: '../..' }],
  });
  const { Refusal } = document.components?.schemas ?? {};
  const code = Refusal !== undefined && 'properties' in Refusal ? Refusal.properties['code'] : undefined;
  // New codes may come, so this is no closed list.
  if (code !== undefined) Object.assign(code, { 'x-extensible-enum': Object.keys(REFUSAL_CODES) });
  return document;
}

const notStored: MiddlewareHandler<Env> = async (c, next) => {
  await next();
  c.header('Cache-Control', 'no-store');
};

/** The router takes what it cannot decode as it is, and a wrong path would look like an unknown server. */
const refuseMalformedPath: MiddlewareHandler<Env> = (c, next) => {
  try {
    decodeURIComponent(new URL(c.req.url).pathname);
  } catch {
    return Promise.resolve(refusal(c, 400, 'bad-request', 'The path is not percent-encoded correctly.'));
  }
  return next();
};
