/** Whether a session can start now, as the session server says on the WebSocket `/`. */

/** Milliseconds before the next try after a connection was lost. */
const RETRY = 5000;

export class Availability {
  readonly #url: string;
  readonly #changed: () => void;

  constructor(url: string, changed: () => void) {
    this.#url = url;
    this.#changed = changed;
  }

  start(): void {
    if (typeof WebSocket === 'undefined') return;
    const socket = new WebSocket(this.#url);
    socket.onmessage = () => this.#changed();
    socket.onclose = () => {
      this.#changed();
      setTimeout(() => this.start(), RETRY);
    };
  }
}
