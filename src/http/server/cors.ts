/** What pages of other origins may read (docs/design/protocol.md, "HTTP"): the headers of the original, also on refusals, so that a page can see the reason. */
import type { Context } from 'hono';

export const CORS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Headers': 'x-requested-with',
  'Access-Control-Allow-Methods': 'POST, GET, OPTIONS',
} as const;

/** `allow`: the methods of the path, such as `GET, HEAD`. */
export function methodNotAllowed(c: Context, allow: string): Response {
  return c.text('Method not allowed.\n', 405, { ...CORS, Allow: allow });
}
