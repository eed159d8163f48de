/** All HTTP routes, and what they have in common. */
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import { routePath } from 'hono/route';
import type { IncomingMessage, RequestListener } from 'node:http';
import { belowClass } from '../../core/views/through-class.ts';
import { meantByMonitor } from '../../core/views/through-monitor.ts';
import { meantBySession } from '../../core/views/through-session.ts';
import type { Log } from '../../ports.ts';
import { CORS } from './cors.ts';
import { withLingering } from './lingering.ts';

/** Half a year. Browsers ignore it where the connection is not encrypted (RFC 6797 § 8.1), so a false claim has no effect. */
const HSTS = 'max-age=15552000';

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
      return c.json({ code: 'internal', reason: 'Internal error; see the log of the session server.' }, 500);
    // Clients of the original stop responding after any other status (docs/design/protocol.md, "HTTP").
    if (c.req.path === '/session') return c.text('Error: internal error of the session server.', 200, CORS);
    return c.text('Internal error of the session server.\n', 500);
  });
  return routes;
}

/** Requests that were sent to the path of the monitor page, and meant another one. */
const byMonitor = new WeakSet<IncomingMessage>();

/** Whether relative URLs in the answer begin at the page, and not at the path of the route. */
export function cameByMonitor(c: Context<Env>): boolean {
  // Tests of single routes have no connection.
  const { incoming } = c.env as Partial<HttpBindings>;
  return incoming !== undefined && byMonitor.has(incoming);
}

/**
 * The routes as Node's HTTP server calls them. This replaces the global `Response` by one that creates a stream of its
 * body only on demand, which reduces the cost of a response to a fourth.
 */
export function toListener(routes: Hono<Env>): RequestListener {
  const listener = getRequestListener((request, env) => routes.fetch(request, env), { autoCleanupIncoming: false });
  return withLingering((incoming, outgoing) => {
    if (isEncrypted(incoming)) outgoing.setHeader('Strict-Transport-Security', HSTS);
    // No route depends on the host, and the framework would reject some valid hosts, such as `[0:0:0:0:0:0:0:1]`.
    incoming.headers.host = 'localhost';
    // RFC 9110 § 9.3.7: `*` means the server as a whole.
    if (incoming.method === 'OPTIONS' && incoming.url === '*') incoming.url = '/';
    incoming.url = belowClass(incoming.url ?? '') ?? incoming.url ?? '';
    const meant = meantByMonitor(incoming.url);
    if (meant !== undefined) {
      byMonitor.add(incoming);
      incoming.url = meant;
    } else incoming.url = meantBySession(incoming.url ?? '') ?? incoming.url;
    void listener(incoming, outgoing);
  });
}

/** By us, or by a reverse proxy. */
function isEncrypted({ socket, headers }: IncomingMessage): boolean {
  return 'encrypted' in socket || headers['x-forwarded-proto'] === 'https';
}
