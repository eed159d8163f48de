/** `/api/v1/replicas`: who leads, who follows, and how the store is. Followers answer it as well. */
import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import type { ReplicasView } from '../../core/views/replicas-view.ts';
import { replicas } from '../server/api-schemas.ts';
import { jsonResponse, readingRefusals, readingSecurity, refusal, refusalResponse } from '../server/refusal.ts';
import type { Env } from '../server/routes.ts';

const showReplicas = createRoute({
  method: 'get',
  path: '/api/v1/replicas',
  operationId: 'showReplicas',
  tags: ['servers'],
  summary: 'The replicas of the session server, which of them leads, and their shared store',
  security: readingSecurity,
  responses: {
    200: jsonResponse('The replicas, as the one that answers knows them.', replicas),
    404: refusalResponse('It is the only session server of its fleet.'),
    ...readingRefusals,
  },
});

export interface ReplicaRoutesOptions {
  /** `undefined`: there are no replicas. */
  readonly view: () => ReplicasView | undefined;
  readonly mayRead: MiddlewareHandler<Env>;
}

export function createReplicaRoutes({ view, mayRead }: ReplicaRoutesOptions): OpenAPIHono<Env> {
  const routes = new OpenAPIHono<Env>();
  routes.use(showReplicas.path, mayRead);
  routes.openapi(showReplicas, (c) => {
    const shown = view();
    if (shown === undefined) return refusal(c, 404, 'not-found', 'This session server has no replicas; see "replicas.store".');
    return c.json(shown, 200, { 'Cache-Control': 'no-store' });
  });
  return routes;
}
