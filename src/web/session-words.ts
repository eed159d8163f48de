/** Sessions in words. Pure. */
import type { ServerView } from '../core/views/monitor-view.ts';
import type { SessionBasis, SessionCountView } from '../core/views/session-views.ts';
import { plural } from './format.ts';

const SOURCES: Readonly<Record<SessionBasis, string>> = {
  counted: 'counted by the gateway',
  reported: 'reported by the server',
  estimated: 'estimated from the load',
};

/** `about 4, estimated from the load`. */
export function sessionsInWords({ basis, count }: SessionCountView): string {
  return `${basis === 'estimated' ? 'about ' : ''}${count}, ${SOURCES[basis]}`;
}

/** Of a drained server; `undefined` of any other, and of one that does not answer. */
export function sessionsLeft({ drain, state, sessions: { basis, count } }: ServerView): string | undefined {
  if (drain === null || state === 'down') return undefined;
  if (basis === 'estimated') return count === 0 ? 'its load shows no session' : `about ${plural(count, 'session')} left`;
  return count === 0 ? '0 sessions left, safe to switch off' : `${plural(count, 'session')} left`;
}

/** The sessions of all servers, and how they are known. */
export function allSessionsInWords(servers: readonly ServerView[]): string {
  const counts = new Map<SessionBasis, number>();
  for (const { sessions } of servers) counts.set(sessions.basis, (counts.get(sessions.basis) ?? 0) + sessions.count);
  const parts = [...counts].filter(([, count]) => count > 0).map(([basis, count]) => sessionsInWords({ basis, count }));
  return parts.length === 0 ? '' : `${parts.join('; ')}.`;
}
