/**
 * `GET /calendar/SECRET.ics`: the reservations of the holder of a token, for programs that subscribe to calendars. These send no headers, and a token
 * does not belong into a URL. So the URL has a secret of its own, which is derived from the hash of the token: it opens nothing else, and ends with the token.
 */
import { createHash, createHmac } from 'node:crypto';
import { Hono } from 'hono';
import { writeCalendar } from '../../core/reservations/calendar.ts';
import type { Reservations } from '../../engine/reservations.ts';
import type { Clock } from '../../ports.ts';
import { methodNotAllowed } from '../server/cors.ts';
import type { Env } from '../server/routes.ts';
import { sameText } from './credentials.ts';
import { personOf } from './person.ts';
import { roleOf, type AccessToken } from './roles.ts';

export interface CalendarRoutesOptions {
  readonly reservations: Pick<Reservations, 'views'>;
  /** As configured now. */
  readonly tokens: () => readonly AccessToken[];
  readonly clock: Pick<Clock, 'wallTime'>;
}

const MAX_NAME = 100;

export function createCalendarRoutes({ reservations, tokens, clock }: CalendarRoutesOptions): Hono<Env> {
  const routes = new Hono<Env>();
  routes.get('/calendar/:name', (c) => {
    const secret = c.req
      .param('name')
      .slice(0, MAX_NAME)
      .replace(/\.ics$/, '');
    // All are compared, so that the time does not show which one matched.
    const [token] = tokens().filter((one) => sameText(calendarSecret(one), secret));
    if (token === undefined || roleOf(token) === 'reader') return c.text('There is no calendar at this address.\n', 404);
    const own = reservations.views(personOf(token)).map(({ reservation }) => reservation);
    const etag = `"${createHash('sha256').update(writeCalendar(own, 0)).digest('hex').slice(0, 32)}"`;
    const headers = { ETag: etag, 'Cache-Control': 'private, no-cache', 'X-Content-Type-Options': 'nosniff' };
    if (c.req.header('If-None-Match') === etag) return c.body(null, 304, headers);
    return c.body(writeCalendar(own, clock.wallTime()), 200, { ...headers, 'Content-Type': 'text/calendar; charset=utf-8' });
  });
  routes.all('/calendar/:name', (c) => methodNotAllowed(c, 'GET, HEAD'));
  return routes;
}

export function calendarSecret({ hash }: Pick<AccessToken, 'hash'>): string {
  return createHmac('sha256', hash).update('calendar').digest('base64url');
}
