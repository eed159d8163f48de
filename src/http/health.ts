/**
 * Health checks for supervisors and load balancers: `/livez` (the process is alive) and `/readyz` (it can answer). Replicas ask each other with
 * `/readyz?of=store` whether they reach the shared store.
 */
import { Hono } from 'hono';
import { methodNotAllowed } from './server/cors.ts';
import type { Env } from './server/routes.ts';

export interface HealthOptions {
  readonly isReady: () => boolean;
  readonly isStopping: () => boolean;
  /** Absent: there is no shared store. */
  readonly reachesStore?: (() => boolean) | undefined;
}

/** Of a replica that does not reach the shared store. */
export const UNREACHABLE = 'the shared store does not answer\n';
const HEADERS = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' } as const;

export function createHealthRoutes({ isReady, isStopping, reachesStore }: HealthOptions): Hono<Env> {
  const routes = new Hono<Env>();
  routes.get('/livez', (c) => c.body('ok\n', 200, HEADERS));
  routes.get('/readyz', (c) => {
    if (reachesStore !== undefined && c.req.query('of') === 'store')
      return reachesStore() ? c.body('ok\n', 200, HEADERS) : c.body(UNREACHABLE, 503, HEADERS);
    if (isStopping()) return c.body('stopping\n', 503, HEADERS);
    return isReady() ? c.body('ok\n', 200, HEADERS) : c.body('the first round of probes is not finished\n', 503, HEADERS);
  });
  for (const path of ['/livez', '/readyz']) routes.all(path, (c) => methodNotAllowed(c, 'GET, HEAD'));
  return routes;
}
