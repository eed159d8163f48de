/**
 * Rejects, with a sentence, bodies that the library would answer with bare text, treat as empty, or drop in part. A
 * request without a body passes; a route that needs one says so itself.
 */
import type { MiddlewareHandler } from 'hono';
import { refusal } from './refusal.ts';
import type { Env } from './routes.ts';

export const refuseOddJson: MiddlewareHandler<Env> = async (c, next) => {
  const text = await c.req.text();
  const type = c.req.header('Content-Type');
  if (text === '' && type === undefined) return next();
  // The content types that the library reads as JSON.
  if (!/^application\/json(?:;\s*[a-z-]+=[^;]+)*$/i.test(type ?? ''))
    return refusal(c, 415, 'unsupported-media-type', 'Send the body with "Content-Type: application/json".');
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return refusal(c, 400, 'bad-request', 'The body is not JSON; write at least {}.');
  }
  if (isObject(body) && [body, ...Object.values(body)].some((part) => isObject(part) && Object.hasOwn(part, '__proto__')))
    return refusal(c, 400, 'bad-request', 'A field must not be called __proto__.');
  return next();
};

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
