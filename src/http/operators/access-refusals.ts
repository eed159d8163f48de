/** Why someone may not read the monitor or change something, as the API answers it. */
import type { Context } from 'hono';
import { CSRF_HEADER } from '../../core/views/csrf-header.ts';
import type { RefusalView } from '../../core/views/monitor-view.ts';

export interface Refused {
  readonly kind: 'refused';
  readonly status: 400 | 401 | 403 | 413 | 429;
  readonly refusal: RefusalView;
  /** Seconds. */
  readonly retryAfter?: number;
}

export const TOKEN_IN_QUERY = refused(
  400,
  'token-in-query',
  'Do not put a token into a URL, because logs and histories keep URLs. Send it as "Authorization: Bearer TOKEN". If this was a real token, replace it.',
);
export const NO_TOKENS = refused(
  403,
  'no-tokens',
  'No tokens are configured. Run "session-server token NAME" and add the line with "admin" that it prints to the configuration.',
);
export const TOKEN_MISSING = refused(
  401,
  'token-missing',
  'Send a token as "Authorization: Bearer TOKEN", or enter it on the monitor page.',
);
export const TOKEN_WRONG = refused(401, 'token-wrong', 'This token is not in "admin.tokens".');

export const CSRF = refused(403, 'csrf', `Requests from a browser session need the header ${CSRF_HEADER} from /monitor/viewer.`);

/** Its sentence is for programs: the page asks for the token without being refused. */
export const TOKEN_AGAIN = refused(
  401,
  'token-again',
  'Send the token with each action, because pages of simulation servers share this origin; or set "monitor.origin".',
);

/** A refusal in the form that all of `/api/v1` has. */
export function refuse(c: Context, given: Refused): Response {
  const headers: Record<string, string> = { 'Cache-Control': 'no-store' };
  if (given.status === 401) headers['WWW-Authenticate'] = 'Bearer realm="session server"';
  if (given.retryAfter !== undefined) headers['Retry-After'] = String(Math.ceil(given.retryAfter));
  return c.json(given.refusal, given.status, headers);
}

export function refused(status: Refused['status'], code: string, reason: string): Refused {
  return { kind: 'refused', status, refusal: { code, reason } };
}

export function readOnlyRefusal(name: string): Refused {
  const reason = `The token of ${name} is read-only ("role" in "admin.tokens"); use another token for changes.`;
  return refused(403, 'token-read-only', reason);
}

export function teacherRefusal(name: string): Refused {
  const reason = `The token of ${name} is for reservations only ("role" in "admin.tokens"). Use it on the page "classes".`;
  return refused(403, 'token-teacher', reason);
}

export function signInElsewhere(origin: string): Refused {
  return refused(403, 'other-origin', `Operators sign in at ${origin}/monitor ("monitor.origin").`);
}

export function tooManyTries(wait: number): Refused {
  const reason = `This token is not in "admin.tokens", and too many wrong ones came from this address; wait ${Math.ceil(wait)} seconds before the next guess.`;
  return { ...refused(429, 'too-many-tries', reason), retryAfter: wait };
}
