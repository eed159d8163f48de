/**
 * Permission to read the monitor and its API, and to change something.
 *
 * Reading is open unless the configuration closes it; changes always need a token. A program sends the token as a bearer
 * token. A person enters it once on the page and gets a cookie that scripts cannot read and other sites cannot send.
 * Every change must then also carry a value that only this page knows, so that no other site can use the cookie. Where
 * pages of simulation servers could find out that value, every change needs the token (`OperatorsOrigin`). Cookies end at
 * a restart, and with the token for which they were given.
 */
import type { Context, Hono, MiddlewareHandler } from 'hono';
import { CSRF_HEADER } from '../../core/views/csrf-header.ts';
import type { Env } from '../server/routes.ts';
import { CSRF, readOnlyRefusal, refuse, teacherRefusal, TOKEN_AGAIN, TOKEN_IN_QUERY, type Refused } from './access-refusals.ts';
import { accessRoutes } from './access-routes.ts';
import type { BrowserSession } from './browser-sessions.ts';
import { Credentials, hasTokenInQuery, sameText, type CredentialsOptions } from './credentials.ts';
import { roleOf, type AccessToken, type Role } from './roles.ts';

declare module 'hono' {
  interface ContextVariableMap {
    /** Name of the token's holder, on routes behind `mayAct` and `mayReserve`. */
    actor: string;
    /** The token, on the same routes. */
    token: AccessToken;
  }
}

export interface Access {
  /** Lets readers through, refuses others as the API does. */
  readonly mayRead: MiddlewareHandler<Env>;
  /** Lets operators through; their name is then the variable `actor`. */
  readonly mayAct: MiddlewareHandler<Env>;
  /** The same for teachers and operators; what a teacher may reach is up to the route. */
  readonly mayReserve: MiddlewareHandler<Env>;
  /** The same, but nothing is changed, so a browser session is enough everywhere. */
  readonly maySeeReservations: MiddlewareHandler<Env>;
  /** For routes that answer a refused reader in their own way. */
  readonly isReader: (c: Context<Env>) => boolean;
  /** Whether a reader that was let through may continue: reading may be closed meanwhile, and sessions and tokens end. */
  readonly readsOn: (c: Context<Env>) => boolean;
  /** URL of the page on which operators sign in, if it is not on the origin that this request was sent to. */
  readonly signInAt: (c: Context<Env>) => string | undefined;
  /** `/monitor/viewer`, `/monitor/enter` and `/monitor/leave`. */
  readonly routes: Hono<Env>;
}

export function createAccess(options: CredentialsOptions): Access {
  const credentials = new Credentials(options);
  const { operators } = credentials.sessions;
  const isOpen = () => credentials.reading === 'open';
  /** Whether the request was sent by the monitor page itself, and not by a page of another site. */
  const isOfPage = (c: Context<Env>, { csrf }: BrowserSession) =>
    operators.isOfPage(c.env.incoming) && sameText(c.req.header(CSRF_HEADER) ?? '', csrf);
  const mayRead: MiddlewareHandler<Env> = async (c, next) => {
    if (hasTokenInQuery(c)) return refuse(c, TOKEN_IN_QUERY);
    if (isOpen()) return next();
    const given = credentials.of(c);
    if (given.kind === 'refused') return refuse(c, given);
    const { name } = given.token;
    return roleOf(given.token) === 'teacher' ? refuse(c, teacherRefusal(name)) : next();
  };
  const mayDo =
    (refusalOf: Readonly<Partial<Record<Role, (name: string) => Refused>>>, changes = true): MiddlewareHandler<Env> =>
    async (c, next) => {
      const given = credentials.of(c);
      if (given.kind === 'refused') return refuse(c, given);
      const { token, session } = given;
      if (session !== undefined && !isOfPage(c, session)) return refuse(c, CSRF);
      const refusalOfRole = refusalOf[roleOf(token)];
      if (refusalOfRole !== undefined) return refuse(c, refusalOfRole(token.name));
      if (session !== undefined && changes && operators.isShared()) return refuse(c, TOKEN_AGAIN);
      c.set('actor', token.name);
      c.set('token', token);
      return next();
    };
  const mayAct = mayDo({ reader: readOnlyRefusal, teacher: teacherRefusal });
  const mayReserve = mayDo({ reader: readOnlyRefusal });
  const maySeeReservations = mayDo({ reader: readOnlyRefusal }, false);
  const isOfReader = (token: AccessToken | undefined) => token !== undefined && roleOf(token) !== 'teacher';
  const mayLeave: MiddlewareHandler<Env> = async (c, next) => {
    const session = credentials.sessions.of(c);
    return session === undefined || isOfPage(c, session) ? next() : refuse(c, CSRF);
  };
  return {
    ...{ mayRead, mayAct, mayReserve, maySeeReservations },
    isReader(c) {
      const given = isOpen() ? undefined : credentials.of(c);
      return given === undefined || (given.kind === 'holder' && isOfReader(given.token));
    },
    signInAt(c) {
      const elsewhere = operators.elsewhere(c.env.incoming);
      return elsewhere && `${elsewhere}/monitor`;
    },
    readsOn: (c) => isOpen() || isOfReader(credentials.stillValid(c)),
    routes: accessRoutes({ ...options, credentials, mayLeave }),
  };
}
