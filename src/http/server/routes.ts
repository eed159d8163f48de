/** All HTTP routes in one place, and what every one of them has in common. */
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { routePath } from 'hono/route';
import type { RequestListener } from 'node:http';
import type { Log } from '../../ports.ts';
import { CORS } from './cors.ts';

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
    // Clients of the original hang on any other status (docs/design/protocol.md, "HTTP").
    if (c.req.path === '/session') return c.text('Error: the session server failed to answer.', 200, CORS);
    return c.text('The session server failed to answer.\n', 500);
  });
  return routes;
}

/**
 * The routes as Node's HTTP server calls them. It replaces the global `Response` by one that makes a stream of its
 * body only when somebody asks for it: an answer costs a fourth.
 */
export function toListener(routes: Hono<Env>): RequestListener {
  const listener = getRequestListener((request, env) => routes.fetch(request, env));
  return (incoming, outgoing) => {
    // No route depends on how we are called, and the framework would refuse names that it does not like, such as `[0:0:0:0:0:0:0:1]`.
    incoming.headers.host = 'localhost';
    // RFC 9110 § 9.3.7: the server as a whole, which is its root.
    if (incoming.method === 'OPTIONS' && incoming.url === '*') incoming.url = '/';
    void listener(incoming, outgoing);
  };
}
