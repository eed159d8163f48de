/** The page's requests about the queue, sessions, several servers at once, and planned maintenance. */
import { throughMonitor } from '../core/views/through-monitor.ts';
import type { SessionListView, WaitingListView } from '../core/views/session-views.ts';
import type { ViewerView } from '../core/views/monitor-view.ts';
import { act, ask, type Answer, type Drain } from './api.ts';

export function askWaiting(limit: number, signal: AbortSignal): Promise<Answer<WaitingListView>> {
  return ask(throughMonitor(`api/v1/waiting-requests?limit=${limit}`), { signal });
}

/** `server`: only its sessions. */
export function askSessions(limit: number, server: string | undefined, signal: AbortSignal): Promise<Answer<SessionListView>> {
  const query = new URLSearchParams({ limit: String(limit), ...(server !== undefined && { server }) });
  return ask(throughMonitor(`api/v1/running-sessions?${query.toString()}`), { signal });
}

export function removeWaiting(id: string, viewer: ViewerView): Promise<Answer<unknown>> {
  return act(throughMonitor(`api/v1/waiting-requests/${encodeURIComponent(id)}`), {}, viewer, 'DELETE');
}

export function endSession(id: string, viewer: ViewerView): Promise<Answer<{ readonly done: 'closed' | 'released' }>> {
  return act(throughMonitor(`api/v1/running-sessions/${encodeURIComponent(id)}/end`), {}, viewer);
}

export function moveSession(id: string, viewer: ViewerView): Promise<Answer<{ readonly done: 'at-once' | 'closed' }>> {
  return act(throughMonitor(`api/v1/running-sessions/${encodeURIComponent(id)}/move`), {}, viewer);
}

export interface OnServers {
  readonly done: readonly string[];
}

export function drainSeveral(
  servers: readonly string[],
  { reason, ...end }: Drain,
  viewer: ViewerView,
): Promise<Answer<OnServers>> {
  return act(throughMonitor('api/v1/drain'), { servers, ...(reason !== '' && { reason }), ...end }, viewer);
}

export function resumeSeveral(servers: readonly string[], viewer: ViewerView): Promise<Answer<OnServers>> {
  return act(throughMonitor('api/v1/resume'), { servers }, viewer);
}

/** `from` and `until`: seconds since the epoch. */
export interface Plan {
  readonly from: number;
  readonly until: number;
  readonly reason: string;
}

export function planMaintenance(
  servers: readonly string[],
  { from, until, reason }: Plan,
  viewer: ViewerView,
): Promise<Answer<unknown>> {
  const wish = { servers, from, until, ...(reason !== '' && { reason }) };
  return act(throughMonitor('api/v1/maintenance'), wish, viewer);
}

export function cancelMaintenance(id: string, viewer: ViewerView): Promise<Answer<unknown>> {
  return act(throughMonitor(`api/v1/maintenance/${encodeURIComponent(id)}`), {}, viewer, 'DELETE');
}
