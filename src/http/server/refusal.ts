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
export function jsonResponse<T extends z.ZodType>(description: string, schema: T) {
  return { description, content: { 'application/json': { schema } } } as const;
}

export function refusalResponse(description: string) {
  return jsonResponse(description, refusalSchema);
}

/** The `body` of a route's description. */
export function jsonBody<T extends z.ZodType>(schema: T, required = false) {
  return { ...(required && { required }), content: { 'application/json': { schema } } } as const;
}

/** The refusals of `mayRead`, for the `responses` of a route behind it. */
export const readingRefusals = {
  400: refusalResponse('The request is not valid.'),
  401: refusalResponse('`monitor.access` requires a token, and it is missing or wrong.'),
  403: refusalResponse('`monitor.access` requires a token, and none are configured.'),
  429: refusalResponse('Too many wrong tokens from this address, or too many explain requests.'),
};
/** For the `security` of such a route: a token is needed only if the configuration requires it. */
export const readingSecurity = [{}, { token: [] }];

interface Invalid {
  readonly success: boolean;
  readonly error?: z.core.$ZodError;
}

/** For `defaultHook`: rejects a request that does not match its description with the first problem and its path, which may contain text from outside. */
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
