/** Refusals under `/api/v1`: a status, a machine-readable code, and a sentence that says how to fix it. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { RefusalView } from '../../core/views/monitor-view.ts';
import { shown } from '../../core/fleet/project.ts';

export const refusalSchema = z
  .object({
    code: z.string().describe('Stable name of the reason.').openapi({ example: 'unknown-server' }),
    reason: z.string().describe('The reason in a sentence.'),
  })
  .openapi('Refusal');

/** An entry of `responses` in a route's description. */
export function refusalResponse(description: string) {
  return { description, content: { 'application/json': { schema: refusalSchema } } } as const;
}

/** What `mayRead` may answer, for the `responses` of a route behind it. */
export const readingRefusals = {
  400: refusalResponse('The request cannot be understood.'),
  401: refusalResponse('`monitor.access` asks for a token, and it is missing or wrong.'),
  403: refusalResponse('`monitor.access` asks for a token, and none are configured.'),
  429: refusalResponse('Too many wrong tokens from this address, or too many explanations.'),
};
/** For `security` of such a route: a token is needed only when the configuration says so. */
export const readingSecurity = [{}, { token: [] }];

interface Invalid {
  readonly success: boolean;
  readonly error?: z.core.$ZodError;
}

/** For `defaultHook`: a request that does not fit its description is refused with the first problem, named by its place, which may be a name from outside. */
export function refuseInvalid(result: Invalid, c: Context): Response | undefined {
  if (result.success) return undefined;
  const [issue] = result.error?.issues ?? [];
  const place = issue === undefined || issue.path.length === 0 ? 'The request' : `"${shown(issue.path.join('.'))}"`;
  return refusal(c, 400, 'bad-request', `${place}: ${issue?.message ?? 'is not as described'}.`);
}

export function refusal<S extends ContentfulStatusCode>(c: Context, status: S, code: string, reason: string) {
  const body: RefusalView = { code, reason };
  return c.json(body, status, { 'Cache-Control': 'no-store' });
}
