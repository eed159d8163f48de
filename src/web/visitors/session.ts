/**
 * From the first request to the address of the stream: a place in line, a server, and a session on it.
 *
 * The place in line is asked for on the WebSocket `/session`. Where that does not answer, it is polled for, with a ticket,
 * so that a site which forwards no WebSockets of the session server has a queue, too. While neither works, both are tried
 * again, and the place is found again by its token: a restart of the session server ends no page.
 */
import type { Cause } from '../../core/gateway/server-words.ts';
import { readClientLine, readSessionMessage, type SessionMessage } from '../viewer/words.ts';
import { giveUpTicket, pollTicket, requestTicket } from './tickets.ts';

export type SessionEnd =
  /** By the session server. */
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string }
  /** By the simulation server, with the code with which it closed the connection. Without `cause`, it follows from the code. */
  | { readonly kind: 'failed'; readonly code?: number; readonly reason: string; readonly cause?: Cause }
  /** The connection to the simulation server could not be opened. */
  | { readonly kind: 'unreachable' }
  /** The connection to the simulation server broke. */
  | { readonly kind: 'machine-lost' }
  /** The simulation server closed it. */
  | { readonly kind: 'over' }
  /** The visitor left the simulation, or the line. */
  | { readonly kind: 'left' | 'left-line' }
  | { readonly kind: 'no-websocket' };

export interface SessionOptions {
  /** Of the session server, as `ws:` or `wss:`, with the path `/session`. */
  readonly url: string;
  /** Of the tickets of the session server. */
  readonly tickets: string;
  /** What to run; absent: what the server shows by itself. */
  readonly project: string | undefined;
  /** Of a class; absent: none. */
  readonly code: string | undefined;
  /** A place in line from before the page was loaded again. */
  readonly token: string | undefined;
  readonly waiting: (place: Extract<SessionMessage, { kind: 'waiting' }>) => void;
  readonly reconnecting: (hasPlace: boolean) => void;
  readonly connecting: () => void;
  readonly progress: (text: string) => void;
  /** The simulation server reports something that may be a failure, and continues. */
  readonly complaint: (text: string) => void;
  readonly streaming: (url: string) => void;
  /** The last event, unless `leave` is called. */
  readonly ended: (end: SessionEnd) => void;
}

/** The project that a simulation server with the demo shows. */
const DEMO = 'demo:rover';
const PROTOCOL = 'session-server.v1';
/** RFC 6455 § 7.4.1: the simulation server stops. */
const STOPPED = 1012;
/** Seconds in which a page is loaded again, also over a slow network. */
const RELOADING = 15;
/** Pauses before the tries to get back to the place in line, milliseconds. The last one is used again and again. */
const RETRIES = [500, 1000, 2000, 4000];
/** Milliseconds. Some reverse proxies that do not forward WebSockets leave them without an answer. */
const OPENING = 10_000;

export class Session {
  readonly #options: SessionOptions;
  /** The same at each request, so that a lost answer costs no second place. */
  readonly #clientId = Array.from({ length: 4 }, () => Math.random().toString(36).slice(2)).join('');
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Of the place in line. */
  #token: string | undefined;
  #tries = 0;
  #ended = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#token = options.token;
    // Without it, a place in line would be taken from others for nothing.
    if (typeof WebSocket === 'undefined') setTimeout(() => this.#end({ kind: 'no-websocket' }));
    else this.#ask();
  }

  /** Leaves at once: the place in line or the server is free for the next one. */
  leave(): void {
    this.#close();
    if (this.#token !== undefined) giveUpTicket(this.#options.tickets, this.#token);
  }

  /** The page is left, and may be loaded again. Returns the token of the place in line, which is kept for so long. */
  suspend(): string | undefined {
    this.#close();
    if (this.#token !== undefined) giveUpTicket(this.#options.tickets, this.#token, RELOADING);
    return this.#token;
  }

  #close(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#forget();
    this.#socket?.close();
  }

  /** The session server routes projects, not worlds of the demo. */
  get #routed(): string | undefined {
    const { project } = this.#options;
    return project?.startsWith('demo:') === true ? undefined : project;
  }

  #ask(): void {
    const query = new URLSearchParams();
    if (this.#routed !== undefined) query.set('url', this.#routed);
    if (this.#token !== undefined) query.set('resume', this.#token);
    let answered = false;
    const socket = this.#open(`${this.#options.url}?${query.toString().replaceAll('+', '%20')}`, PROTOCOL);
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      answered = true;
      this.#received(readSessionMessage(String(data)));
    };
    const silent = setTimeout(() => {
      socket.close();
    }, OPENING);
    socket.onopen = () => {
      clearTimeout(silent);
    };
    socket.onclose = () => {
      clearTimeout(silent);
      if (answered) this.#retry();
      else void this.#poll();
    };
  }

  async #poll(): Promise<void> {
    const { tickets } = this.#options;
    const answer =
      this.#token === undefined
        ? await requestTicket(tickets, { project: this.#routed, code: this.#options.code, clientId: this.#clientId })
        : await pollTicket(tickets, this.#token);
    if (this.#ended) return;
    if (answer.kind === 'nothing') this.#retry();
    else if (answer.kind === 'unknown') {
      this.#token = undefined;
      void this.#poll();
    } else {
      this.#received(answer.message);
      if (answer.message.kind === 'waiting') this.#timer = setTimeout(() => void this.#poll(), answer.again * 1000);
    }
  }

  #received(message: SessionMessage | undefined): void {
    if (message === undefined) return;
    this.#tries = 0;
    if (message.kind === 'refused') this.#end(message);
    else if (message.kind === 'allocated') this.#start(message.url);
    else {
      this.#token = message.token;
      this.#options.waiting(message);
    }
  }

  #retry(): void {
    const pause = RETRIES[Math.min(this.#tries, RETRIES.length - 1)];
    this.#tries += 1;
    this.#options.reconnecting(this.#token !== undefined);
    this.#timer = setTimeout(() => this.#ask(), pause);
  }

  #start(server: string): void {
    const { project, connecting, progress, complaint, streaming } = this.#options;
    // The session server closes the first socket, and the place in line is used up.
    this.#forget();
    this.#token = undefined;
    connecting();
    let opened = false;
    let reason: string | undefined;
    const socket = this.#open(`${server.replace(/\/$/, '')}/client`);
    socket.onopen = () => {
      opened = true;
      socket.send(JSON.stringify({ start: { url: project ?? DEMO, mode: 'w3d' } }));
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      const line = readClientLine(String(data));
      if (line?.kind === 'stream') streaming(line.url);
      else if (line?.kind === 'progress') progress(line.text);
      else if (line?.kind === 'complaint') complaint(line.text);
      else if (line?.kind === 'farewell') reason = line.reason;
      else if (line?.kind === 'failure') {
        // The original would leave the connection open.
        this.#end({ ...line, kind: 'failed' });
        socket.close();
      }
    };
    socket.onclose = ({ code }) => {
      if (reason !== undefined || code === STOPPED) this.#end({ kind: 'failed', code, reason: reason ?? '' });
      else if (!opened) this.#end({ kind: 'unreachable' });
      else this.#end({ kind: code === 1006 ? 'machine-lost' : 'over' });
    };
  }

  #open(url: string, protocol?: string): WebSocket {
    const socket = new WebSocket(url, protocol ?? []);
    this.#socket = socket;
    return socket;
  }

  /** The end of the current connection means nothing any more. */
  #forget(): void {
    if (this.#socket !== undefined) this.#socket.onclose = null;
  }

  #end(end: SessionEnd): void {
    this.#forget();
    this.#token = undefined;
    if (this.#ended) return;
    this.#ended = true;
    this.#options.ended(end);
  }
}
