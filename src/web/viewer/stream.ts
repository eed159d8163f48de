/** The stream of a simulation. A connection that breaks is opened again while the session goes on. */
import { readStreamMessage, type StreamMessage } from './words.ts';

export interface StreamOptions {
  readonly url: string;
  readonly received: (message: StreamMessage) => void;
  /** It could not be opened again. */
  readonly lost: () => void;
}

/** Characters of a message. A longer one is not read. */
const MAX_MESSAGE = 16_000_000;
const MAX_TRIES = 5;
/** Milliseconds before another try. */
const RETRY = 1000;

export class Stream {
  readonly #options: StreamOptions;
  #socket: WebSocket | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;
  #closed = false;
  /** Characters received so far, which are bytes but for a few names. */
  received = 0;
  /** Messages with poses. */
  frames = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#open();
  }

  send(text: string): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#socket?.close();
  }

  #open(): void {
    const socket = new WebSocket(this.#options.url);
    this.#socket = socket;
    socket.onopen = () => socket.send('w3d');
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (typeof data !== 'string' || this.#closed) return;
      this.received += data.length;
      const message = data.length > MAX_MESSAGE ? undefined : readStreamMessage(data);
      if (message === undefined) return;
      this.#tries = 0;
      if (message.kind === 'poses') this.frames += 1;
      this.#options.received(message);
    };
    socket.onclose = () => {
      if (this.#closed) return;
      this.#tries += 1;
      if (this.#tries <= MAX_TRIES) this.#retry = setTimeout(() => this.#open(), RETRY);
      else this.#options.lost();
    };
  }
}
