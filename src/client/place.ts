/** One request: its place in line, and what is reported about it. */
import type { Message } from './message.ts';
import { SessionError, type SessionEvent, type SessionOptions } from './session-events.ts';

/** Close code of a client that gives its place up (docs/reference/websocket.md). */
const GIVEN_UP = 4000;

export class Place {
  readonly options: SessionOptions;
  /** URL of the session server, with a slash at the end. */
  readonly base: string;
  /** Resume token, and ticket of the API. */
  token: string | undefined;
  socket: WebSocket | undefined;
  /** Number of the transport in use. */
  transport = 0;
  /** The server has answered over it. */
  heard = false;
  /** Tries since the last answer. */
  attempts = 0;
  /** It was given up; an answer may be on its way. */
  isAbandoned = false;
  #isSettled = false;
  readonly #events: SessionEvent[] = [];
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(options: SessionOptions) {
    this.options = options;
    this.base = baseOf(options.server);
    this.token = stored(options) ?? undefined;
  }

  /** `/session` with its project, as the original reads it, too. */
  get sessionUrl(): string {
    const { code, project } = this.options;
    const url = new URL(code === undefined ? 'session' : `c/${encodeURIComponent(code)}/session`, this.base);
    if (project !== undefined) url.search = `url=${project.replaceAll('&', '%26').replaceAll('#', '%23')}`;
    if (this.token !== undefined) url.searchParams.append('resume', this.token);
    return url.href;
  }

  /** Reports a message. `true`: it was the last one. Throws the refusal. */
  receive(message: Message): boolean {
    this.answered();
    const { type, code, reason, url, server, expiresAt, until, retryAfter } = message;
    if (type === 'waiting') {
      this.#keep(String(message['resumeToken'] ?? message['ticket']));
      this.report(waitingEvent(message));
      return false;
    }
    if (type === 'allocated') {
      if (!/^wss?:/.test(String(url)))
        throw new SessionError('protocol', 'The session server sent an address that is not a WebSocket.');
      this.#settle();
      this.report({
        ...{ type, url: String(url) },
        ...(typeof server === 'string' && { server }),
        ...(typeof expiresAt === 'string' && { expiresAt: new Date(expiresAt) }),
        ...(typeof until === 'string' && { until: new Date(until) }),
      });
      return true;
    }
    // A type of a later version.
    if (code === undefined) return false;
    this.#settle();
    throw new SessionError(textOf(code), textOf(reason), typeof retryAfter === 'number' ? { retryAfter } : {});
  }

  answered(): void {
    this.heard = true;
    this.attempts = 0;
  }

  report(event: SessionEvent): void {
    this.#events.push(event);
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake?.();
  }

  /** The next event. Throws the reason why the request failed. */
  async next(): Promise<SessionEvent> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      const event = this.#events.shift();
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** The place is free at once. Does nothing when the request has its outcome. */
  giveUp(leavesPage = false): void {
    if (this.#isSettled) return;
    const { socket, token } = this;
    const isOpen = socket?.readyState === 1;
    this.forget();
    this.isAbandoned = true;
    if (isOpen) socket.close(GIVEN_UP);
    // The server may have given it a place already.
    else if (socket?.readyState === 0) socket.onopen = () => socket.close(GIVEN_UP);
    if (token === undefined || (isOpen && !leavesPage)) return;
    // A browser that leaves the page may drop the connection before the code is sent.
    const url = `${this.base}api/v1/sessions/${encodeURIComponent(token)}`;
    fetch(url, { method: 'DELETE', keepalive: true }).catch(() => undefined);
  }

  forget(): void {
    this.token = undefined;
    useStorage(() => this.options.resume?.removeItem(keyOf(this.options)));
  }

  #settle(): void {
    this.#isSettled = true;
    this.forget();
  }

  #keep(token: string): void {
    this.token = token;
    useStorage(() => this.options.resume?.setItem(keyOf(this.options), token));
  }
}

/** Whether the storage has a place from before the page was loaded again. */
export function hasPlace(options: SessionOptions): boolean {
  return stored(options) !== null;
}

function waitingEvent({ position, ofClass, estimateSeconds, reason }: Message): SessionEvent {
  const estimate = estimateSeconds as { readonly from: number; readonly to: number } | null | undefined;
  return {
    ...{ type: 'waiting', position: Number(position) },
    ...(ofClass === true && { ofClass }),
    ...(estimate && { estimate }),
    ...(typeof reason === 'string' && { reason }),
  };
}

function stored(options: SessionOptions): string | null {
  return useStorage(() => options.resume?.getItem(keyOf(options))) ?? null;
}

/** A storage may be full or forbidden. Then a page that is loaded again has lost its place. */
function useStorage<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}

function keyOf({ server, project, code }: SessionOptions): string {
  return `session-server ${JSON.stringify([baseOf(server), project, code])}`;
}

function baseOf(server: string | URL): string {
  const url = new URL(server, (globalThis as { readonly document?: Document }).document?.baseURI);
  return url.origin + url.pathname.replace(/\/*$/, '/');
}

/** A value of a message, which should be text. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
