/**
 * The sender of a request: a bearer token, the cookie of the monitor page, or nothing that counts.
 *
 * Wrong tokens are counted by address, right ones never. Comparing takes as long for a wrong token as for a right one. A
 * token in a URL is refused even when it is right, because URLs end up in logs and histories: its holder should learn
 * this now rather than later.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Context, MiddlewareHandler } from 'hono';
import type { Env } from '../server/routes.ts';
import { WrongTries, type WrongTriesOptions } from '../server/wrong-tries.ts';
import { NO_TOKENS, refuse, TOKEN_IN_QUERY, TOKEN_MISSING, TOKEN_WRONG, tooManyTries, type Refused } from './access-refusals.ts';
import { BrowserSessions, digest, type BrowserSession, type BrowserSessionsOptions } from './browser-sessions.ts';
import type { AccessToken } from './roles.ts';

export interface CredentialsOptions extends BrowserSessionsOptions, WrongTriesOptions {
  readonly reading: () => 'open' | 'token';
}

export type Verdict = { readonly kind: 'holder'; readonly token: AccessToken; readonly session?: BrowserSession } | Refused;

const MAX_TOKEN = 500;
const QUERY_WORDS = ['token', 'access_token', 'api_key', 'key'];

export class Credentials {
  readonly sessions: BrowserSessions;
  readonly #options: CredentialsOptions;
  readonly #wrongTries: WrongTries;

  constructor(options: CredentialsOptions) {
    this.#options = options;
    this.sessions = new BrowserSessions(options);
    this.#wrongTries = new WrongTries(options);
  }

  get reading(): 'open' | 'token' {
    return this.#options.reading();
  }

  get tokens(): readonly AccessToken[] {
    return this.#options.tokens();
  }

  of(c: Context<Env>): Verdict {
    if (hasTokenInQuery(c)) return TOKEN_IN_QUERY;
    const bearer = bearerOf(c);
    if (bearer !== undefined) return this.check(c, bearer);
    const session = this.sessions.of(c);
    if (session !== undefined) return { kind: 'holder', token: session.token, session };
    return this.tokens.length === 0 ? NO_TOKENS : TOKEN_MISSING;
  }

  /** Checks a token that was sent, and counts a wrong one against the address. */
  check(c: Context<Env>, token: string): Verdict {
    const holder = matching(token, this.tokens);
    if (holder !== undefined) return { kind: 'holder', token: holder };
    const wait = this.#wrongTries.count(c.env.incoming, { event: 'wrong-token', words: 'sent a wrong token' });
    if (wait > 0) return tooManyTries(wait);
    return TOKEN_WRONG;
  }

  /** The token of a request that was accepted once, if it still would be. It is asked repeatedly, so it does not count as a try. */
  stillValid(c: Context<Env>): AccessToken | undefined {
    const bearer = bearerOf(c);
    return bearer === undefined ? this.sessions.of(c)?.token : matching(bearer, this.tokens);
  }
}

/** For routes that are open to everyone, or answer a refused reader in their own way. */
export const noTokenInUrl: MiddlewareHandler<Env> = async (c, next) => (hasTokenInQuery(c) ? refuse(c, TOKEN_IN_QUERY) : next());

export function hasTokenInQuery(c: Context<Env>): boolean {
  return c.req.url.includes('?') && QUERY_WORDS.some((word) => c.req.query(word) !== undefined);
}

/** Compares in constant time. */
export function sameText(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(digest(a)), Buffer.from(digest(b)));
}

/** All tokens are compared, so that the time does not show which one matched, or whether one did. */
function matching(token: string, tokens: readonly AccessToken[]): AccessToken | undefined {
  if (token.length > MAX_TOKEN) return undefined;
  const hash = Buffer.from(`sha256:${digest(token)}`);
  let found: AccessToken | undefined;
  for (const candidate of tokens) {
    const expected = Buffer.from(candidate.hash);
    if (expected.length === hash.length && timingSafeEqual(expected, hash)) found = candidate;
  }
  return found;
}

/** Whether a request has the header of a token's holder. It does not count as a try: it only decides who is served in a flood. */
export function isOfHolder({ headers }: Pick<IncomingMessage, 'headers'>, tokens: readonly AccessToken[]): boolean {
  const token = bearerIn(headers.authorization);
  return token !== undefined && matching(token, tokens) !== undefined;
}

function bearerOf(c: Context<Env>): string | undefined {
  return bearerIn(c.req.header('Authorization'));
}

function bearerIn(header = ''): string | undefined {
  return /^Bearer +(.+)$/i.exec(header)?.[1]?.trim();
}
