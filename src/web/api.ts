/**
 * The page's requests to the session server. All URLs are relative to the page and have its path, so that they also work
 * behind a reverse proxy that puts the port into the path, or that forwards only the path of the page. A refusal is a value with its sentence, not an exception.
 */
import { MAX_PROJECT_URL } from '../core/fleet/project.ts';
import { CSRF_HEADER } from '../core/views/csrf-header.ts';
import { throughMonitor } from '../core/views/through-monitor.ts';
import type {
  ChannelTestView,
  ExplainView,
  HistoryView,
  RefusalView,
  SparklinesView,
  ViewerView,
} from '../core/views/monitor-view.ts';
import { askForToken } from './confirm-token.ts';

export type Answer<T> =
  { readonly kind: 'answer'; readonly value: T } | { readonly kind: 'refused'; readonly refusal: RefusalView };

export interface HistoryRange {
  /** Seconds since the epoch. */
  readonly from: number;
  readonly to: number;
}

export interface Drain {
  readonly reason: string;
  /** Seconds from now (`lasts`) or since the epoch (`until`). Without either, the server drains until resumed. */
  readonly lasts?: number;
  readonly until?: number;
}

export const eventsUrl = throughMonitor('monitor/events');
export const signInUrl = throughMonitor('monitor/enter');
/**
 * Milliseconds. Without a limit, a connection that died silently would never be given up. A test notification may take
 * 10 s.
 */
const TIMEOUT_MS = 30_000;

export function askHistory(server: string | null, { from, to }: HistoryRange, signal: AbortSignal): Promise<Answer<HistoryView>> {
  return ask(historyUrl(server, { from, to }), { signal });
}

export function historyUrl(server: string | null, { from, to }: HistoryRange, format?: 'csv'): string {
  const query = new URLSearchParams({ from: from.toFixed(0), to: to.toFixed(0) });
  if (server !== null) query.set('server', server);
  if (format !== undefined) query.set('format', format);
  return throughMonitor(`api/v1/history?${query.toString()}`);
}

export function askSparklines(): Promise<Answer<SparklinesView>> {
  return ask(throughMonitor('monitor/sparklines'));
}

export function explain(project: string): Promise<Answer<ExplainView>> {
  // Some URLs of this length do not fit into an HTTP request at all, and would be refused for the wrong reason.
  if (project.length > MAX_PROJECT_URL) {
    const reason = `A project URL has at most ${MAX_PROJECT_URL} characters; this one has ${project.length}.`;
    return Promise.resolve({ kind: 'refused', refusal: { code: 'project-too-long', reason } });
  }
  const query = project === '' ? '' : `?${new URLSearchParams({ url: project }).toString()}`;
  return ask(throughMonitor(`api/v1/explain${query}`));
}

/** Reading needs a token, and this browser is not signed in (any more). */
export async function needsSignIn(): Promise<boolean> {
  try {
    return (await fetch('monitor', { method: 'HEAD', credentials: 'same-origin' })).status === 401;
  } catch {
    return false;
  }
}

export function askViewer(): Promise<Answer<ViewerView>> {
  return ask(throughMonitor('monitor/viewer'));
}

/** What an operator may know of a reservation. */
export interface ReservationName {
  /** May be empty. */
  readonly title: string;
  readonly code: string;
  readonly owner: string;
}

export function askReservation(id: string, csrf: string): Promise<Answer<ReservationName>> {
  return ask(throughMonitor(`api/v1/reservations/${encodeURIComponent(id)}`), { headers: { [CSRF_HEADER]: csrf } });
}

export function signIn(token: string): Promise<Answer<ViewerView>> {
  return ask(signInUrl, post({ token }, null));
}

export function signOut(viewer: ViewerView): Promise<Answer<ViewerView>> {
  return ask(throughMonitor('monitor/leave'), post({}, viewer));
}

export function drain(id: string, request: Drain, viewer: ViewerView): Promise<Answer<unknown>> {
  const { reason, ...end } = request;
  return act(serverUrl(id, '/drain'), { ...(reason !== '' && { reason }), ...end }, viewer);
}

export function resume(id: string, viewer: ViewerView): Promise<Answer<unknown>> {
  return act(serverUrl(id, '/resume'), {}, viewer);
}

export function addServer(
  entry: { readonly address: string; readonly weight?: number },
  viewer: ViewerView,
): Promise<Answer<unknown>> {
  return act(throughMonitor('api/v1/servers'), entry, viewer);
}

export function removeServer(id: string, viewer: ViewerView): Promise<Answer<unknown>> {
  return act(serverUrl(id, ''), {}, viewer, 'DELETE');
}

/** `server`: only what was learned there. */
export function forgetCosts(server: string | undefined, viewer: ViewerView): Promise<Answer<unknown>> {
  return act(throughMonitor('api/v1/costs/forget'), { server }, viewer);
}

export function testNotification(viewer: ViewerView): Promise<Answer<{ readonly channels: readonly ChannelTestView[] }>> {
  return act(throughMonitor('api/v1/notifications/test'), {}, viewer);
}

function serverUrl(id: string, verb: string): string {
  return throughMonitor(`api/v1/servers/${encodeURIComponent(id)}${verb}`);
}

/** An operator action. Asks for the token where the browser session is not enough. */
export async function act<T>(url: string, body: object, viewer: ViewerView, method = 'POST'): Promise<Answer<T>> {
  const init = { ...post(body, viewer), method };
  if (!viewer.confirms) return ask(url, init);
  const token = await askForToken();
  if (token === undefined) return { kind: 'refused', refusal: { code: 'cancelled', reason: 'Cancelled: nothing was changed.' } };
  return ask(url, { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } });
}

export interface AskInit extends Omit<RequestInit, 'signal'> {
  readonly signal?: AbortSignal;
}

function post(body: object, viewer: ViewerView | null) {
  const headers = { 'Content-Type': 'application/json', ...(typeof viewer?.csrf === 'string' && { [CSRF_HEADER]: viewer.csrf }) };
  return { method: 'POST', headers, body: JSON.stringify(body) };
}

export async function ask<T>(url: string, { signal, ...init }: AskInit = {}): Promise<Answer<T>> {
  const asking = new AbortController();
  const giveUp = (): void => asking.abort();
  const timer = setTimeout(giveUp, TIMEOUT_MS);
  signal?.addEventListener('abort', giveUp);
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(url, { credentials: 'same-origin', ...init, signal: asking.signal });
    // A reverse proxy may answer in its own format, and a request that is too large for HTTP gets an empty answer.
    body = await response.json().catch(() => undefined);
    asking.signal.throwIfAborted();
  } catch {
    return { kind: 'refused', refusal: { code: 'no-answer', reason: 'The session server does not answer.' } };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
  if (response.ok && body !== undefined) return { kind: 'answer', value: body as T };
  if (isRefusal(body)) return { kind: 'refused', refusal: body };
  const { status } = response;
  return {
    kind: 'refused',
    refusal: { code: String(status), reason: `The server answered with HTTP status ${status} and no reason.` },
  };
}

function isRefusal(body: unknown): body is RefusalView {
  return typeof body === 'object' && body !== null && 'code' in body && 'reason' in body && typeof body.reason === 'string';
}
