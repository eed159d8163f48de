/** Whether a session can start now, as the session server says on the WebSocket `/`. */

/** Milliseconds before the next try after a connection was lost. */
const RETRY = 5000;

export class Availability {
  readonly #url: string;
  readonly #changed: (available: boolean | undefined) => void;
  #socket: WebSocket | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  /** `undefined`: not known at the moment. */
  constructor(url: string, changed: (available: boolean | undefined) => void) {
    this.#url = url;
    this.#changed = changed;
  }

  start(): void {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onmessage = ({ data }: MessageEvent<unknown>) => this.#changed(data === '1');
    socket.onclose = () => {
      this.#changed(undefined);
      this.#retry = setTimeout(() => this.start(), RETRY);
    };
  }

  stop(): void {
    clearTimeout(this.#retry);
    if (this.#socket !== undefined) this.#socket.onclose = null;
    this.#socket?.close();
    this.#changed(undefined);
  }
}
