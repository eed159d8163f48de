/**
 * Keeps the snapshot of the page alive by server-sent events.
 *
 * The browser comes again by itself after a broken connection and says what it saw last; when it gives up (a front answered with an error) the page
 * does it, after who may no longer read was told so. The session server says something every few seconds, so silence means that the page is stale, and it says so; when the silence lasts, it asks
 * over a new connection. A hidden tab closes its connection and costs nobody anything.
 */
import { applied } from '../core/views/monitor-delta.ts';
import type { MonitorDelta, MonitorSnapshot } from '../core/views/monitor-view.ts';

export interface LiveState {
  readonly snapshot: MonitorSnapshot;
  /** By the browser's monotonic clock, milliseconds. */
  readonly receivedAt: number;
  /** Since when nothing has been heard, milliseconds since the epoch by the browser's clock; `undefined`: live. */
  readonly staleSince: number | undefined;
}

export interface LiveOptions {
  readonly url: string;
  readonly show: (state: LiveState) => void;
  /** Nothing has come at all, and should have by now; since when, milliseconds since the epoch. */
  readonly missing: (since: number) => void;
  /** The browser gave up because it was answered with an error; it is tried again all the same. */
  readonly refused: () => void;
}

/** Milliseconds without a word after which the page is stale; the session server says something at least every five seconds. */
const SILENCE_MS = 8000;
/** Milliseconds without a word after which the connection is given up for a new one. So long the session server waits, too, for a viewer that takes nothing. */
const DEAD_MS = 30_000;
/** Milliseconds before the page comes again when the browser gave up. */
const RETRY_MS = 4000;

export function startLive({ url, show, missing, refused }: LiveOptions): () => void {
  let state: LiveState | undefined;
  let source: EventSource | undefined;
  let lastId = '';
  let silence: ReturnType<typeof setTimeout> | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let heardAt = Date.now();

  const heard = (snapshot: MonitorSnapshot, id: string): void => {
    if (id !== '') lastId = id;
    heardAt = Date.now();
    listen();
    state = { snapshot, receivedAt: performance.now(), staleSince: undefined };
    show(state);
  };
  /** From now on silence tells something. */
  const listen = (): void => {
    clearTimeout(silence);
    silence = setTimeout(() => {
      becomeStale();
      silence = setTimeout(startAnew, DEAD_MS - SILENCE_MS);
    }, SILENCE_MS);
  };
  const becomeStale = (): void => {
    if (state === undefined) missing(heardAt);
    if (state === undefined || state.staleSince !== undefined) return;
    state = { ...state, staleSince: heardAt };
    show(state);
  };

  const open = (): void => {
    if (source !== undefined || document.hidden) return;
    listen();
    source = new EventSource(lastId === '' ? url : `${url}?lastEventId=${encodeURIComponent(lastId)}`);
    source.addEventListener('snapshot', ({ data, lastEventId }: MessageEvent<string>) => {
      heard(JSON.parse(data) as MonitorSnapshot, lastEventId);
    });
    source.addEventListener('delta', ({ data, lastEventId }: MessageEvent<string>) => {
      if (state !== undefined) heard(applied(state.snapshot, JSON.parse(data) as MonitorDelta), lastEventId);
    });
    source.addEventListener('error', () => {
      becomeStale();
      if (source?.readyState !== EventSource.CLOSED) return;
      source = undefined;
      retry = setTimeout(open, RETRY_MS);
      refused();
    });
  };
  const close = (): void => {
    source?.close();
    source = undefined;
    clearTimeout(silence);
    clearTimeout(retry);
  };
  /** A connection whose other end has gone without a word never breaks for the browser. */
  const startAnew = (): void => {
    close();
    open();
  };
  const followVisibility = (): void => {
    if (document.hidden) close();
    else open();
  };

  document.addEventListener('visibilitychange', followVisibility);
  open();
  return () => {
    document.removeEventListener('visibilitychange', followVisibility);
    close();
  };
}
