/** All HTTP routes in one place, and what every one of them has in common. */
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { routePath } from 'hono/route';
import type { RequestListener } from 'node:http';
import type { Log } from '../ports.ts';

export type Env = { Bindings: HttpBindings };

export interface RoutesOptions {
  readonly log: Log;
  /** Route groups in the order in which they are tried. */
  readonly groups: readonly Hono<Env>[];
}

export function createRoutes({ log, groups }: RoutesOptions): Hono<Env> {
  const routes = new Hono<Env>();
  for (const group of groups) routes.route('/', group);
  routes.notFound((c) => {
    if (c.req.path.startsWith('/api/'))
      return c.json({ code: 'not-found', reason: 'There is nothing at this path; see /api/v1/openapi.json.' }, 404);
    return c.text('There is nothing at this path.\n', 404);
  });
  routes.onError((error, c) => {
    log.limited('warn', `request ${routePath(c)}`, `answering ${c.req.method} ${routePath(c)} failed`, { error });
    if (c.req.path.startsWith('/api/'))
      return c.json({ code: 'internal', reason: 'The session server failed to answer; its log says why.' }, 500);
    // Clients of the original hang on any other status (PROTOCOL § 3).
    if (c.req.path === '/session')
      return c.text('Error: the session server failed to answer.', 200, { 'Access-Control-Allow-Origin': '*' });
    return c.text('The session server failed to answer.\n', 500);
  });
  return routes;
}

/** The routes as Node's HTTP server calls them. Requests of HTTP/1.0 have no `Host`. */
export function toListener(routes: Hono<Env>, hostname: string): RequestListener {
  const listener = getRequestListener((request, env) => routes.fetch(request, env), { hostname, overrideGlobalObjects: false });
  return (incoming, outgoing) => {
    void listener(incoming, outgoing);
  };
}
