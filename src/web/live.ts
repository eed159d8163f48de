/**
 * Keeps the page's snapshot up to date by server-sent events.
 *
 * The browser reconnects by itself after a broken connection and reports what it received last. When it gives up
 * because it was answered with an error (for example by a reverse proxy), the page reconnects. The session server
 * sends something every few seconds, so silence means that the page is stale. When the silence lasts, a new connection
 * is opened. A hidden tab closes its connection and costs nothing.
 */
import { applied } from '../core/views/monitor-delta.ts';
import type { MonitorDelta, MonitorSnapshot } from '../core/views/monitor-view.ts';

export interface LiveState {
  readonly snapshot: MonitorSnapshot;
  /** By the browser's monotonic clock, milliseconds. */
  readonly receivedAt: number;
  /** When something was last received, milliseconds since the epoch by the browser's clock; `undefined`: not stale. */
  readonly staleSince: number | undefined;
}

export interface LiveOptions {
  readonly url: string;
  readonly show: (state: LiveState) => void;
  /** Nothing has been received at all, and should have been by now. Milliseconds since the epoch. */
  readonly onNothingReceived: (since: number) => void;
  /** The browser gave up because it was answered with an error. The page tries again all the same. */
  readonly onError: () => void;
}

/**
 * Milliseconds of silence after which the page is stale. The session server sends something at least every 5 seconds.
 */
const SILENCE_MS = 8000;
/**
 * Milliseconds of silence after which a new connection is opened. The session server waits as long for a viewer that
 * reads nothing.
 */
const DEAD_MS = 30_000;
/** Milliseconds before the page reconnects when the browser has given up. */
const RETRY_MS = 4000;

/** Returns a function that ends it. */
export function startLive(options: LiveOptions): () => void {
  const connection = new LiveConnection(options);
  const followVisibility = (): void => {
    if (document.hidden) connection.close();
    else connection.open();
  };
  document.addEventListener('visibilitychange', followVisibility);
  connection.open();
  return () => {
    document.removeEventListener('visibilitychange', followVisibility);
    connection.close();
  };
}

type Timer = ReturnType<typeof setTimeout>;

class LiveConnection {
  readonly #options: LiveOptions;
  #state: LiveState | undefined;
  #source: EventSource | undefined;
  #lastId = '';
  #silence: Timer | undefined;
  #retry: Timer | undefined;
  #receivedAt = Date.now();

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  open(): void {
    if (this.#source !== undefined || document.hidden) return;
    this.#expectEvents();
    const { url } = this.#options;
    const source = new EventSource(this.#lastId === '' ? url : `${url}?lastEventId=${encodeURIComponent(this.#lastId)}`);
    this.#source = source;
    source.addEventListener('snapshot', ({ data, lastEventId }: MessageEvent<string>) => {
      this.#received(JSON.parse(data) as MonitorSnapshot, lastEventId);
    });
    source.addEventListener('delta', ({ data, lastEventId }: MessageEvent<string>) => {
      if (this.#state !== undefined) this.#received(applied(this.#state.snapshot, JSON.parse(data) as MonitorDelta), lastEventId);
    });
    source.addEventListener('error', () => this.#failed());
  }

  close(): void {
    this.#source?.close();
    this.#source = undefined;
    clearTimeout(this.#silence);
    clearTimeout(this.#retry);
  }

  #received(snapshot: MonitorSnapshot, id: string): void {
    if (id !== '') this.#lastId = id;
    this.#receivedAt = Date.now();
    this.#expectEvents();
    this.#show({ snapshot, receivedAt: performance.now(), staleSince: undefined });
  }

  #expectEvents(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.#becomeStale();
      this.#silence = setTimeout(() => this.#reconnect(), DEAD_MS - SILENCE_MS);
    }, SILENCE_MS);
  }

  /** The browser does not notice when the other end disappears without closing the connection. */
  #reconnect(): void {
    this.close();
    this.open();
  }

  #failed(): void {
    this.#becomeStale();
    if (this.#source?.readyState !== EventSource.CLOSED) return;
    this.#source = undefined;
    this.#retry = setTimeout(() => this.open(), RETRY_MS);
    this.#options.onError();
  }

  #becomeStale(): void {
    if (this.#state === undefined) this.#options.onNothingReceived(this.#receivedAt);
    else if (this.#state.staleSince === undefined) this.#show({ ...this.#state, staleSince: this.#receivedAt });
  }

  #show(state: LiveState): void {
    this.#state = state;
    this.#options.show(state);
  }
}
