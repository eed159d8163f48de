/** From the first request to the address of the stream: a place in line, a server, and a session on it. */
import { readClientLine, readSessionMessage } from './words.ts';

export type SessionEnd =
  | { readonly kind: 'refused' | 'error'; readonly code?: string; readonly reason: string }
  /** The connection broke or could not be opened. */
  | { readonly kind: 'lost' }
  /** The simulation server closed it. */
  | { readonly kind: 'over' };

export interface SessionOptions {
  /** Of the session server, as `ws:` or `wss:`, with the path `/session`. */
  readonly url: string;
  /** What to run; absent: what the server shows by itself. */
  readonly project: string | undefined;
  readonly waiting: (position: number, seconds: number | undefined) => void;
  readonly reconnecting: () => void;
  readonly connecting: () => void;
  readonly progress: (text: string) => void;
  readonly streaming: (url: string) => void;
  /** The last event. */
  readonly ended: (end: SessionEnd) => void;
}

/** The project that a simulation server with the demo shows. */
const DEMO = 'demo:rover';
const PROTOCOL = 'session-server.v1';
/** Pauses before the tries to get back to the place in line, milliseconds. */
const RETRIES = [500, 1000, 2000, 4000, 8000, 8000];

export class Session {
  readonly #options: SessionOptions;
  #socket: WebSocket | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** Of the place in line. */
  #token: string | undefined;
  #tries = 0;
  #ended = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#ask();
  }

  /** Leaves at once: the place in line or the server is free for the next one. */
  leave(): void {
    this.#ended = true;
    clearTimeout(this.#retry);
    this.#forget();
    this.#socket?.close();
    if (this.#token === undefined) return;
    // Closing the socket alone would keep the place for a while.
    void fetch(`api/v1/sessions/${encodeURIComponent(this.#token)}`, { method: 'DELETE', keepalive: true }).catch(
      () => undefined,
    );
  }

  #ask(): void {
    const { url, project, waiting } = this.#options;
    const query = new URLSearchParams();
    // The session server routes projects, not worlds of the demo.
    if (project !== undefined && !project.startsWith('demo:')) query.set('url', project);
    if (this.#token !== undefined) query.set('resume', this.#token);
    const socket = this.#open(`${url}?${query.toString().replaceAll('+', '%20')}`, PROTOCOL);
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      const message = readSessionMessage(String(data));
      if (message === undefined) return;
      this.#tries = 0;
      if (message.kind === 'refused') this.#end(message);
      else if (message.kind === 'allocated') this.#start(message.url);
      else {
        this.#token = message.token;
        waiting(message.position, message.seconds);
      }
    };
    socket.onclose = () => this.#askAgain();
  }

  #askAgain(): void {
    const pause = RETRIES[this.#tries];
    this.#tries += 1;
    // Without a place in line there is nothing to get back to.
    if (this.#token === undefined || pause === undefined) {
      this.#end({ kind: 'lost' });
      return;
    }
    this.#options.reconnecting();
    this.#retry = setTimeout(() => this.#ask(), pause);
  }

  #start(server: string): void {
    const { project, connecting, progress, streaming } = this.#options;
    // The session server closes the first socket, and the place in line is used up.
    this.#forget();
    this.#token = undefined;
    connecting();
    let reason: string | undefined;
    const socket = this.#open(`${server.replace(/\/$/, '')}/client`);
    socket.onopen = () => socket.send(JSON.stringify({ start: { url: project ?? DEMO, mode: 'w3d' } }));
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      const line = readClientLine(String(data));
      if (line?.kind === 'stream') streaming(line.url);
      else if (line?.kind === 'progress') progress(line.text);
      else if (line?.kind === 'error') reason = line.text;
    };
    socket.onclose = ({ code }) => {
      if (reason !== undefined) this.#end({ kind: 'error', reason });
      else this.#end({ kind: code === 1006 ? 'lost' : 'over' });
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
