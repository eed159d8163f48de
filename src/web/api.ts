/**
 * What the page asks of the session server. All addresses are relative to the page, so that they also work behind a front that puts the port into the
 * path. A refusal is a value with its sentence, not an exception.
 */
import { MAX_PROJECT_URL } from '../core/fleet/project.ts';
import { CSRF_HEADER } from '../core/views/csrf-header.ts';
import type {
  ChannelTestView,
  ExplainView,
  HistoryView,
  RefusalView,
  SparklinesView,
  ViewerView,
} from '../core/views/monitor-view.ts';

export type Answer<T> =
  { readonly kind: 'answer'; readonly value: T } | { readonly kind: 'refused'; readonly refusal: RefusalView };

export interface HistoryRange {
  /** Seconds since the epoch. */
  readonly from: number;
  readonly to: number;
}

export interface Drain {
  readonly reason: string;
  /** Seconds from now, or since the epoch; without either it drains until resumed. */
  readonly lasts?: number;
  readonly until?: number;
}

export const eventsUrl = 'monitor/events';
/** Milliseconds: a connection whose other end has gone without a word would be waited for without end. Testing the notifications may take ten seconds. */
const PATIENCE_MS = 30_000;

export function askHistory(server: string | null, { from, to }: HistoryRange, signal: AbortSignal): Promise<Answer<HistoryView>> {
  return ask(historyUrl(server, { from, to }), { signal });
}

export function historyUrl(server: string | null, { from, to }: HistoryRange, format?: 'csv'): string {
  const query = new URLSearchParams({ from: from.toFixed(0), to: to.toFixed(0) });
  if (server !== null) query.set('server', server);
  if (format !== undefined) query.set('format', format);
  return `api/v1/history?${query.toString()}`;
}

export function askSparklines(): Promise<Answer<SparklinesView>> {
  return ask('monitor/sparklines');
}

export function explain(project: string): Promise<Answer<ExplainView>> {
  // It would be refused for its length; asked all the same, with an address that HTTP can carry, it would be refused for something else.
  if (project.length > MAX_PROJECT_URL) {
    const reason = `A project's address has at most ${MAX_PROJECT_URL} characters; this one has ${project.length}.`;
    return Promise.resolve({ kind: 'refused', refusal: { code: 'project-too-long', reason } });
  }
  const query = project === '' ? '' : `?${new URLSearchParams({ url: project }).toString()}`;
  return ask(`api/v1/explain${query}`);
}

/** Reading is closed, and this browser has no session (any more). */
export async function isShutOut(): Promise<boolean> {
  try {
    return (await fetch('monitor', { method: 'HEAD', credentials: 'same-origin' })).status === 401;
  } catch {
    return false;
  }
}

export function askViewer(): Promise<Answer<ViewerView>> {
  return ask('monitor/viewer');
}

export function enterToken(token: string): Promise<Answer<ViewerView>> {
  return ask('monitor/enter', post({ token }, null));
}

export function leave(viewer: ViewerView): Promise<Answer<ViewerView>> {
  return ask('monitor/leave', post({}, viewer));
}

export function drain(id: string, request: Drain, viewer: ViewerView): Promise<Answer<unknown>> {
  const { reason, ...end } = request;
  return ask(serverUrl(id, '/drain'), post({ ...(reason !== '' && { reason }), ...end }, viewer));
}

export function resume(id: string, viewer: ViewerView): Promise<Answer<unknown>> {
  return ask(serverUrl(id, '/resume'), post({}, viewer));
}

export function addServer(
  entry: { readonly address: string; readonly weight?: number },
  viewer: ViewerView,
): Promise<Answer<unknown>> {
  return ask('api/v1/servers', post(entry, viewer));
}

export function removeServer(id: string, viewer: ViewerView): Promise<Answer<unknown>> {
  return ask(serverUrl(id, ''), { ...post({}, viewer), method: 'DELETE' });
}

export function testNotification(viewer: ViewerView): Promise<Answer<{ readonly channels: readonly ChannelTestView[] }>> {
  return ask('api/v1/notifications/test', post({}, viewer));
}

function serverUrl(id: string, verb: string): string {
  return `api/v1/servers/${encodeURIComponent(id)}${verb}`;
}

interface AskInit extends Omit<RequestInit, 'signal'> {
  readonly signal?: AbortSignal;
}

function post(body: object, viewer: ViewerView | null): AskInit {
  const headers = { 'Content-Type': 'application/json', ...(typeof viewer?.csrf === 'string' && { [CSRF_HEADER]: viewer.csrf }) };
  return { method: 'POST', headers, body: JSON.stringify(body) };
}

async function ask<T>(url: string, { signal, ...init }: AskInit = {}): Promise<Answer<T>> {
  const asking = new AbortController();
  const giveUp = (): void => asking.abort();
  const timer = setTimeout(giveUp, PATIENCE_MS);
  signal?.addEventListener('abort', giveUp);
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(url, { credentials: 'same-origin', ...init, signal: asking.signal });
    // A front before it answers in its own words, and what is too large for HTTP is answered with none.
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
    refusal: { code: String(status), reason: `The answer was the HTTP status ${status}, without a reason.` },
  };
}

function isRefusal(body: unknown): body is RefusalView {
  return typeof body === 'object' && body !== null && 'code' in body && 'reason' in body && typeof body.reason === 'string';
}
