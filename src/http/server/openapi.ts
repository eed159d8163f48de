/**
 * All of `/api/v1`: what its routes have in common, and the document that describes them.
 *
 * Pages of any origin may read and request sessions, because clients are pages of other sites. Such requests carry no
 * authority of the person at the browser: the cookie of the monitor page is not sent from other sites (SameSite), and a
 * token is sent only by a program that has it.
 */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { methodNotAllowed } from 'hono/method-not-allowed';
import type { ApiDocument } from '../../core/views/api-document.ts';
import { REFUSAL_CODES } from './api-codes.ts';
import { withExamples } from './openapi-examples.ts';
import { createReferencePage, type ReferencePage } from './reference-page.ts';
import { refusal } from './refusal.ts';
import type { Env } from './routes.ts';

export interface ApiOptions {
  /** Of the session server. */
  readonly version: string;
  /** Route groups in the order in which they are tried. */
  readonly groups: readonly OpenAPIHono<Env>[];
  /** The page at `/api`. */
  readonly reference?: ReferencePage;
}

const ALL = '/api/v1/*';
/** Seconds for which a browser may cache a preflight response. */
const PREFLIGHT_AGE = 86_400;

/** Groups of operations, in the order of the reference. */
const TAGS = {
  sessions: 'Request a session, wait in line, and ask whether one can start now.',
  servers: 'The simulation servers and their history, and the replicas of the session server.',
  decisions: 'Why requests got their servers, or none, and incidents.',
  reservations: 'Seats for classes.',
  'operator actions': 'Changes of the running fleet.',
  registration: 'For simulation servers that register themselves.',
  description: 'This description.',
} as const;

const describe = createRoute({
  method: 'get',
  path: '/api/v1/openapi.json',
  operationId: 'getDescription',
  tags: ['description'],
  summary: 'This document',
  responses: {
    200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: z.looseObject({ openapi: z.string() }) } } },
  },
});

export function createApi({ version, groups, reference }: ApiOptions): OpenAPIHono<Env> {
  const api = new OpenAPIHono<Env>();
  api.use(
    ALL,
    cors({
      origin: '*',
      allowMethods: (_origin, c) =>
        c.req.path.startsWith('/api/v1/sessions') ? ['GET', 'HEAD', 'POST', 'DELETE'] : ['GET', 'HEAD'],
      allowHeaders: ['Authorization', 'Content-Type'],
      exposeHeaders: ['Allow', 'Location', 'Retry-After'],
      maxAge: PREFLIGHT_AGE,
    }),
    notStored,
    refuseMalformedPath,
    methodNotAllowed({
      app: api,
      onMethodNotAllowed(c, methods) {
        c.header('Allow', [...methods, 'OPTIONS'].join(', '));
        return refusal(c, 405, 'method-not-allowed', `This path supports ${methods.join(', ')}.`);
      },
    }),
  );
  for (const group of groups) api.route('/', group);
  let document: ApiDocument | undefined;
  let text: Uint8Array<ArrayBuffer> | undefined;
  api.openAPIRegistry.registerPath(describe);
  const described = () => (document ??= documentOf(api, version));
  api.get(describe.path, (c) => {
    text ??= new TextEncoder().encode(JSON.stringify(described()));
    return c.body(text, 200, { 'Content-Type': 'application/json' });
  });
  api.all(ALL, (c) => refusal(c, 404, 'not-found', 'There is nothing at this path; see /api/v1/openapi.json.'));
  if (reference !== undefined) api.route('/', createReferencePage(reference, described));
  return api;
}

function documentOf(api: OpenAPIHono<Env>, version: string): ApiDocument {
  const document = api.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Session server',
      version,
      license: { name: 'Apache-2.0' },
      description:
        'Allocates to each client the simulation server that suits it best. Unless a name says otherwise, times are seconds since the epoch, durations are seconds and loads are percent. Every refusal has a machine-readable `code` and a sentence.',
    },
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    // Relative to the document, because a reverse proxy may have put something before the path.
    servers: [{ url: '../..' }],
  });
  const { Refusal } = document.components?.schemas ?? {};
  const code = Refusal !== undefined && 'properties' in Refusal ? Refusal.properties['code'] : undefined;
  // New codes may be added, so this is not a closed list.
  if (code !== undefined) Object.assign(code, { 'x-extensible-enum': Object.keys(REFUSAL_CODES) });
  return withExamples(document as unknown as ApiDocument);
}

const notStored: MiddlewareHandler<Env> = async (c, next) => {
  await next();
  c.header('Cache-Control', 'no-store');
};

/** The router keeps what it cannot decode, so a malformed path would look like an unknown server. */
const refuseMalformedPath: MiddlewareHandler<Env> = (c, next) => {
  try {
    decodeURIComponent(new URL(c.req.url).pathname);
  } catch {
    return Promise.resolve(refusal(c, 400, 'bad-request', 'The path is not percent-encoded correctly.'));
  }
  return next();
};
