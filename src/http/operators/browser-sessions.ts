/** What browsers hold instead of a token: a cookie, and the CSRF value that belongs to it. */
import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import { serialize } from 'hono/utils/cookie';
import type { SharedSignIns } from '../../engine/replicas/shared-sign-ins.ts';
import type { Clock, NewId } from '../../ports.ts';
import { monitorCookie } from '../server/monitor-cookie.ts';
import type { Env } from '../server/routes.ts';
import type { AccessToken } from './roles.ts';
import { OperatorsOrigin, type OperatorsOriginOptions } from './operators-origin.ts';

export interface BrowserSession {
  readonly token: AccessToken;
  readonly csrf: string;
  /** Seconds of the engine's clock. */
  readonly until: number;
}

export interface BrowserSessionsOptions extends OperatorsOriginOptions {
  /** As configured now. */
  readonly tokens: () => readonly AccessToken[];
  /** The configured port, which the cookie's name contains. */
  readonly port: () => number;
  readonly clock: Pick<Clock, 'now'>;
  readonly newId: NewId;
  /** Absent: sign-ins end with the process. */
  readonly shared?: Pick<SharedSignIns, 'all' | 'set' | 'remove'> | undefined;
}

/** Seconds. */
const COOKIE_LIFE = 12 * 3600;
const MAX_SESSIONS = 10_000;

export class BrowserSessions {
  readonly operators: OperatorsOrigin;
  readonly #options: BrowserSessionsOptions;
  /** By the hash of the cookie, the oldest first. */
  readonly #sessions = new Map<string, BrowserSession>();

  constructor(options: BrowserSessionsOptions) {
    this.#options = options;
    this.operators = new OperatorsOrigin(options);
    for (const [id, { name, token, csrf, until }] of options.shared?.all() ?? []) {
      const holder = options.tokens().find((one) => one.name === name && digest(one.hash) === token);
      if (holder !== undefined) this.#sessions.set(id, { token: holder, csrf, until });
    }
  }

  get #name(): string {
    return monitorCookie(this.#options.port());
  }

  /** The session of this browser, with its token as it is configured now. */
  of(c: Context<Env>): BrowserSession | undefined {
    const id = this.operators.elsewhere(c.env.incoming) === undefined ? getCookie(c, this.#name) : undefined;
    const session = id === undefined ? undefined : this.#sessions.get(digest(id));
    if (session === undefined || this.#options.clock.now() >= session.until) return undefined;
    const token = this.#options.tokens().find(({ hash, name }) => hash === session.token.hash && name === session.token.name);
    return token && { ...session, token };
  }

  open(c: Context<Env>, token: AccessToken): BrowserSession {
    const { clock, newId } = this.#options;
    const id = newId();
    const session = { token, csrf: newId(), until: clock.now() + COOKIE_LIFE };
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= MAX_SESSIONS && oldest !== undefined) this.#forget(oldest);
    this.#sessions.set(digest(id), session);
    const { csrf, until } = session;
    this.#options.shared?.set(digest(id), { name: token.name, token: digest(token.hash), csrf, until });
    this.#setCookie(c, id, COOKIE_LIFE);
    return session;
  }

  close(c: Context<Env>): void {
    const id = getCookie(c, this.#name);
    if (id !== undefined) this.#forget(digest(id));
    this.#setCookie(c, '', 0);
  }

  #forget(id: string): void {
    this.#sessions.delete(id);
    this.#options.shared?.remove(id);
  }

  #setCookie(c: Context<Env>, id: string, maxAge: number): void {
    const path = pathOfPage(c.req.header('Referer'));
    const attributes = { httpOnly: true, sameSite: 'Strict', secure: isSecure(c), maxAge, path } as const;
    c.header('Set-Cookie', serialize(this.#name, id, attributes), { append: true });
  }
}

const PAGE = /^(?:\/[\w.~-]{1,64}){0,8}\/monitor$/;

/**
 * The path of the monitor page, with what a reverse proxy has put before it. The browser sends the cookie only there, and so not to simulation servers at
 * `/PORT/…`. The page makes all its requests by its own path.
 */
function pathOfPage(referer = ''): string {
  const path = URL.canParse(referer) ? new URL(referer).pathname : '';
  return PAGE.test(path) ? path : '/monitor';
}

/** The header is accepted from any client: a false one only makes the client's own cookie stricter. */
function isSecure(c: Context<Env>): boolean {
  return 'encrypted' in c.env.incoming.socket || c.req.header('X-Forwarded-Proto') === 'https';
}

/** SHA-256 in hex. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
