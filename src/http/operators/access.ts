/**
 * Who may read the monitor and its API, and who may act.
 *
 * Reading is open unless the configuration closes it; acting always needs a token. A program sends the token as a bearer token. A person enters it once
 * on the page and gets a cookie that scripts cannot read and other sites cannot send; every act must then also carry a word that only this page was told,
 * so that no other site can act through the cookie. Cookies are forgotten at a restart, and with the token they were got for.
 *
 * Guessing is limited by address, before anything is compared; comparing takes as long for a wrong token as for a right one. A token in an address is
 * refused even when it is right, because addresses end up in logs and histories: the holder learns it now rather than later.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { Hono, type Context, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { TokenBuckets } from '../../core/limits/token-bucket.ts';
import type { RefusalView, ViewerView } from '../../core/views/monitor-view.ts';
import type { Clock, Log, NewId } from '../../ports.ts';
import type { AddressOf } from '../server/client-address.ts';
import { monitorCookie } from '../server/monitor-cookie.ts';
import type { Env } from '../server/routes.ts';

export interface AccessToken {
  readonly name: string;
  /** `sha256:` and the hash in hex. */
  readonly hash: string;
  /** Its holder may read what is closed, and not act. */
  readonly readOnly: boolean;
}

export interface AccessOptions {
  /** As configured now. */
  readonly tokens: () => readonly AccessToken[];
  readonly reading: () => 'open' | 'token';
  /** Port that is listened on. */
  readonly port: () => number;
  readonly addressOf: AddressOf;
  readonly clock: Pick<Clock, 'now'>;
  readonly newId: NewId;
  readonly log: Log;
}

declare module 'hono' {
  interface ContextVariableMap {
    /** Name of the holder of the token, where `mayAct` stands before the route. */
    actor: string;
  }
}

export interface Access {
  /** Lets readers through, refuses others as the API does. */
  readonly mayRead: MiddlewareHandler<Env>;
  /** Lets holders of a token through; their name is then the variable `actor`. */
  readonly mayAct: MiddlewareHandler<Env>;
  /** For what answers a refused reader in its own way. */
  readonly isReader: (c: Context<Env>) => boolean;
  /** Whether who was let through may read on: reading may be closed meanwhile, and sessions and tokens end. */
  readonly readsOn: (c: Context<Env>) => boolean;
  /** `/monitor/viewer`, `/monitor/enter` and `/monitor/leave`. */
  readonly routes: Hono<Env>;
}

type Status = 400 | 401 | 403 | 413 | 429;

export const CSRF_HEADER = 'X-Session-Server-CSRF';
/** Seconds. */
const COOKIE_LIFE = 12 * 3600;
const MAX_COOKIES = 10_000;
const MAX_TOKEN = 500;
const WRONG_TRIES = { burst: 10, rate: 10 / 60, maxKeys: 100_000 };
const ENTER_BYTES = 4096;
const QUERY_WORDS = ['token', 'access_token', 'api_key', 'key'];

interface BrowserSession {
  readonly token: AccessToken;
  readonly csrf: string;
  /** Seconds of the engine's clock. */
  readonly until: number;
}

type Credentials =
  | { readonly kind: 'holder'; readonly token: AccessToken; readonly session?: BrowserSession }
  | { readonly kind: 'refused'; readonly status: Status; readonly refusal: RefusalView; readonly retryAfter?: number };

export function createAccess(options: AccessOptions): Access {
  const { tokens, reading } = options;
  const sessions = new BrowserSessions(options);
  const wrongTries = new WrongTries(options);

  /** A token that was sent, right or wrong. */
  const judge = (c: Context<Env>, token: string): Credentials => {
    const wait = wrongTries.wait(c);
    if (wait > 0) return tooManyTries(wait);
    const holder = matching(token, tokens());
    if (holder !== undefined) return { kind: 'holder', token: holder };
    wrongTries.count(c);
    return refused(401, 'token-wrong', 'This token is not one of those in "admin.tokens".');
  };

  const credentials = (c: Context<Env>): Credentials => {
    if (hasTokenInQuery(c)) return refused(400, 'token-in-query', TOKEN_IN_QUERY);
    const bearer = bearerOf(c);
    if (bearer !== undefined) return judge(c, bearer);
    const session = sessions.of(c);
    if (session !== undefined) return { kind: 'holder', token: session.token, session };
    if (tokens().length === 0) return refused(403, 'no-tokens', NO_TOKENS);
    return refused(401, 'token-missing', 'Send a token as "Authorization: Bearer TOKEN", or enter it on the monitor page.');
  };

  const isReader = (c: Context<Env>) => reading() === 'open' || credentials(c).kind === 'holder';

  const readsOn = (c: Context<Env>): boolean => {
    if (reading() === 'open') return true;
    // Asked again and again of a token that was right once: it is no try.
    const bearer = bearerOf(c);
    return bearer === undefined ? sessions.of(c) !== undefined : matching(bearer, tokens()) !== undefined;
  };

  const mayRead: MiddlewareHandler<Env> = async (c, next) => {
    if (hasTokenInQuery(c)) return refuse(c, refused(400, 'token-in-query', TOKEN_IN_QUERY));
    if (reading() === 'open') return next();
    const given = credentials(c);
    return given.kind === 'holder' ? next() : refuse(c, given);
  };

  const mayAct: MiddlewareHandler<Env> = async (c, next) => {
    const given = credentials(c);
    if (given.kind === 'refused') return refuse(c, given);
    if (given.session !== undefined && !isOfPage(c, given.session)) return refuse(c, CSRF);
    if (given.token.readOnly) return refuse(c, mayOnlyRead(given.token));
    c.set('actor', given.token.name);
    return next();
  };

  const mayLeave: MiddlewareHandler<Env> = async (c, next) => {
    const session = sessions.of(c);
    return session === undefined || isOfPage(c, session) ? next() : refuse(c, CSRF);
  };

  const routes = new Hono<Env>();
  for (const path of ['/monitor/viewer', '/monitor/enter', '/monitor/leave']) routes.use(path, noTokenInAddress);
  routes.get('/monitor/viewer', (c) => {
    const session = sessions.of(c);
    return c.json(viewerView(session, tokens()), 200, NO_STORE);
  });
  routes.post(
    '/monitor/enter',
    bodyLimit({ maxSize: ENTER_BYTES, onError: (c) => c.json(TOO_LARGE, 413, NO_STORE) }),
    async (c) => {
      const wantsPage = !(c.req.header('Content-Type') ?? '').startsWith('application/json');
      if (isForeign(c)) return refuse(c, refused(403, 'csrf', 'A token can only be entered on the monitor page itself.'));
      if (tokens().length === 0) return refuse(c, refused(403, 'no-tokens', NO_TOKENS));
      const given = judge(c, await enteredToken(c, wantsPage));
      if (given.kind === 'refused')
        return wantsPage ? c.redirect(`../monitor?refused=${given.refusal.code}`, 303) : refuse(c, given);
      const { token } = given;
      const session = sessions.open(c, token);
      options.log.info(`${token.name} entered a token on the monitor page`, { by: token.name, address: addressOf(options, c) });
      return wantsPage ? c.redirect('../monitor', 303) : c.json(viewerView(session, tokens()), 200, NO_STORE);
    },
  );
  // Who has no session any more has left already.
  routes.post('/monitor/leave', mayLeave, (c) => {
    sessions.close(c);
    return c.json(viewerView(undefined, tokens()), 200, NO_STORE);
  });
  return { mayRead, mayAct, isReader, readsOn, routes };
}

/** For what is open to everybody, or answers a refused reader in its own way. */
export const noTokenInAddress: MiddlewareHandler<Env> = async (c, next) =>
  hasTokenInQuery(c) ? refuse(c, refused(400, 'token-in-query', TOKEN_IN_QUERY)) : next();

/** A refusal in the form all of `/api/v1` has. */
export function refuse(c: Context, given: Extract<Credentials, { kind: 'refused' }>): Response {
  const headers: Record<string, string> = { ...NO_STORE };
  if (given.status === 401) headers['WWW-Authenticate'] = 'Bearer realm="session server"';
  if (given.retryAfter !== undefined) headers['Retry-After'] = String(Math.ceil(given.retryAfter));
  return c.json(given.refusal, given.status, headers);
}

const NO_STORE = { 'Cache-Control': 'no-store' } as const;
const TOO_LARGE: RefusalView = { code: 'too-large', reason: 'The request is too large.' };
const TOKEN_IN_QUERY =
  'A token must not stand in an address, where logs and histories keep it. Send it as "Authorization: Bearer TOKEN", and make a new one if this was a real one.';
const CSRF = refused(403, 'csrf', `An act of a session in the browser needs the header ${CSRF_HEADER} from /monitor/viewer.`);
const NO_TOKENS =
  'No tokens are configured, so nobody may do this. Make one with "session-server token NAME" and put what it prints into "admin.tokens".';

/** What browsers hold instead of the token. */
class BrowserSessions {
  readonly #options: AccessOptions;
  readonly #sessions = new Map<string, BrowserSession>();

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  get #name(): string {
    return monitorCookie(this.#options.port());
  }

  of(c: Context<Env>): BrowserSession | undefined {
    const id = getCookie(c, this.#name);
    const session = id === undefined ? undefined : this.#sessions.get(digest(id));
    if (session === undefined) return undefined;
    if (this.#options.clock.now() >= session.until) return undefined;
    // What it may do is configured anew at times.
    const token = this.#options.tokens().find(({ hash, name }) => hash === session.token.hash && name === session.token.name);
    return token && { ...session, token };
  }

  open(c: Context<Env>, token: AccessToken): BrowserSession {
    const { clock, newId } = this.#options;
    const id = newId();
    const session = { token, csrf: newId(), until: clock.now() + COOKIE_LIFE };
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= MAX_COOKIES && oldest !== undefined) this.#sessions.delete(oldest);
    this.#sessions.set(digest(id), session);
    setCookie(c, this.#name, id, { path: '/', httpOnly: true, sameSite: 'Strict', secure: isSecure(c), maxAge: COOKIE_LIFE });
    return session;
  }

  close(c: Context<Env>): void {
    const id = getCookie(c, this.#name);
    if (id !== undefined) this.#sessions.delete(digest(id));
    deleteCookie(c, this.#name, { path: '/', httpOnly: true, sameSite: 'Strict', secure: isSecure(c) });
  }
}

class WrongTries {
  readonly #buckets = new TokenBuckets(WRONG_TRIES);
  readonly #options: AccessOptions;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** Seconds until this address may try again. */
  wait(c: Context<Env>): number {
    return this.#buckets.wait(this.#key(c), this.#options.clock.now());
  }

  count(c: Context<Env>): void {
    this.#buckets.take(this.#key(c), this.#options.clock.now());
    const address = addressOf(this.#options, c);
    this.#options.log.limited('warn', 'wrong-token', `${address} sent a wrong token`, { address });
  }

  #key(c: Context<Env>): string {
    const { address, limitKey } = this.#options.addressOf(c.env.incoming);
    return limitKey ?? address;
  }
}

function viewerView(session: BrowserSession | undefined, tokens: readonly AccessToken[]): ViewerView {
  const mayAct = session?.token.readOnly === false;
  const levers = mayAct ? 'ready' : tokens.every(({ readOnly }) => readOnly) ? 'none' : 'locked';
  return { name: session?.token.name ?? null, levers, csrf: session?.csrf ?? null };
}

/** All are compared, so that the time tells nothing of which or whether one matched. */
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

async function enteredToken(c: Context<Env>, form: boolean): Promise<string> {
  try {
    const body: unknown = form ? await c.req.parseBody() : await c.req.json();
    const token = typeof body === 'object' && body !== null && 'token' in body ? body.token : undefined;
    return typeof token === 'string' ? token.trim() : '';
  } catch {
    return '';
  }
}

/** Sent by a page of another site, as browsers say. A program that says nothing is none. */
function isForeign(c: Context<Env>): boolean {
  const site = c.req.header('Sec-Fetch-Site');
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

/** Believed from anybody: who lies gets a cookie that is kept too carefully. */
function isSecure(c: Context<Env>): boolean {
  return 'encrypted' in c.env.incoming.socket || c.req.header('X-Forwarded-Proto') === 'https';
}

function bearerOf(c: Context<Env>): string | undefined {
  return /^Bearer +(.+)$/i.exec(c.req.header('Authorization') ?? '')?.[1]?.trim();
}

function hasTokenInQuery(c: Context<Env>): boolean {
  return c.req.url.includes('?') && QUERY_WORDS.some((word) => c.req.query(word) !== undefined);
}

function refused(status: Status, code: string, reason: string): Extract<Credentials, { kind: 'refused' }> {
  return { kind: 'refused', status, refusal: { code, reason } };
}

/** Such an act came from the page itself and not from that of another site. */
function isOfPage(c: Context<Env>, { csrf }: BrowserSession): boolean {
  return sameText(c.req.header(CSRF_HEADER) ?? '', csrf);
}

function mayOnlyRead({ name }: AccessToken): Extract<Credentials, { kind: 'refused' }> {
  const reason = `The token of ${name} may only read ("readOnly" in "admin.tokens"); acting needs another one.`;
  return refused(403, 'token-read-only', reason);
}

function tooManyTries(wait: number): Extract<Credentials, { kind: 'refused' }> {
  const reason = `Too many wrong tokens from this address; try again in ${Math.ceil(wait)} seconds.`;
  return { ...refused(429, 'too-many-tries', reason), retryAfter: wait };
}

function addressOf(options: AccessOptions, c: Context<Env>): string {
  return options.addressOf(c.env.incoming).address;
}

function sameText(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(digest(a)), Buffer.from(digest(b)));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
