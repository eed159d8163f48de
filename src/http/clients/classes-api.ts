/** `GET /api/v1/classes/{code}`: the class as its people see it. The code is all that it needs. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { RESERVATION_STATES } from '../../core/reservations/reservation.ts';
import type { Reservations } from '../../engine/reservations.ts';
import { tooManyCodes, UNKNOWN_CODE } from '../../engine/class-words.ts';
import type { AddressOf } from '../server/client-address.ts';
import { jsonResponse, refusal, refusalResponse, refuseInvalid } from '../server/refusal.ts';
import type { Env } from '../server/routes.ts';
import { classView } from './class-routes.ts';

export interface ClassesApiOptions {
  readonly reservations: Pick<Reservations, 'lookUp'>;
  readonly addressOf: AddressOf;
}

const view = z
  .object({
    code: z.string(),
    title: z.string(),
    project: z.string().nullable(),
    state: z.enum(RESERVATION_STATES),
    doors: z.string().describe('ISO 8601: from when seats can be taken.'),
    start: z.string(),
    end: z.string(),
    seats: z.int(),
    taken: z.int().describe('Seats that are taken now.'),
  })
  .openapi('Class');

const look = createRoute({
  method: 'get',
  path: '/api/v1/classes/{code}',
  operationId: 'getClass',
  tags: ['reservations'],
  summary: 'A class, for people who have its code',
  request: { params: z.object({ code: z.string().min(1).max(100).describe('Code of the class.') }) },
  responses: {
    200: jsonResponse('The class.', view),
    400: refusalResponse('The request cannot be understood.'),
    422: refusalResponse('There is no class with this code.'),
    429: refusalResponse('Too many wrong codes came from this address.'),
  },
});

export function createClassesApi({ reservations, addressOf }: ClassesApiOptions): OpenAPIHono<Env> {
  const routes = new OpenAPIHono<Env>({ defaultHook: refuseInvalid });
  routes.openapi(look, (c) => {
    const found = reservations.lookUp(c.req.valid('param').code, addressOf(c.env.incoming));
    if (found.kind === 'found') return c.json(classView(found), 200, { 'Cache-Control': 'no-store' });
    if (found.kind === 'unknown-code') return refusal(c, 422, found.kind, UNKNOWN_CODE);
    c.header('Retry-After', String(Math.ceil(found.retryAfter)));
    return refusal(c, 429, found.kind, tooManyCodes(found.retryAfter));
  });
  return routes;
}
