/** How the fleet is, for the first glance. Pure. */
import type { FleetView, ServerView } from '../core/views/monitor-view.ts';

/**
 * `working`: sessions can start, and no server has a problem. `degraded`: sessions can start, but a server is down or suspect. `closed`: no session can
 * start. `lost`: the page has no contact with the session server, so nothing of this is known.
 */
export type Health = 'working' | 'degraded' | 'closed' | 'lost';

export function healthOf({ open }: Pick<FleetView, 'open'>, servers: readonly ServerView[], stale: boolean): Health {
  if (stale) return 'lost';
  if (!open) return 'closed';
  return servers.some(hasProblem) ? 'degraded' : 'working';
}

/** What an operator should look at. A full or drained server is not a problem. */
export function hasProblem({ state, suspectSince }: ServerView): boolean {
  return state === 'down' || suspectSince !== null;
}

/** A server that is `available` in the fleet, but would get no average session now. */
export function isWithoutRoom({ state, places }: ServerView): boolean {
  return state === 'available' && places === 0;
}
