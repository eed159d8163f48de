/** One open monitor page. */
import type { Clock } from '../../ports.ts';
import type { MonitorFeed } from './monitor-feed.ts';

export interface ViewerConnection {
  readonly left: () => void;
  readonly disconnect: () => void;
  /** Whether it may still be shown anything. */
  readonly readsOn: () => boolean;
}

/** Milliseconds a browser waits before it reconnects. */
const RETRY_MS = 2000;
const RETRY = new TextEncoder().encode(`retry: ${RETRY_MS}\n\n`);

export class MonitorViewer {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #feed: MonitorFeed;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #connection: ViewerConnection;
  #position: number | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Set while the connection asks for more and there is nothing. */
  #pulled: (() => void) | undefined;
  #sentAt: number;

  constructor(feed: MonitorFeed, clock: Pick<Clock, 'now'>, lastSeen: string, connection: ViewerConnection) {
    this.#feed = feed;
    this.#clock = clock;
    this.#connection = connection;
    this.#position = feed.positionOf(lastSeen);
    this.#sentAt = clock.now();
    this.stream = this.#createStream();
  }

  /** When the connection last took something, in seconds of the engine's clock; Infinity while it asks for more. */
  get readAt(): number {
    return this.#pulled === undefined ? this.#sentAt : Infinity;
  }

  readsOn(): boolean {
    return this.#connection.readsOn();
  }

  /** Sends what this viewer has not seen, if its connection asked for it. */
  serve(): void {
    if (this.#pulled === undefined) return;
    const news = this.#feed.after(this.#position);
    if (news === undefined) return;
    const opening = this.#position === undefined ? [RETRY] : [];
    this.#position = news.position;
    this.#send([...opening, ...news.pieces]);
  }

  /** Sends a heartbeat to a viewer that has seen everything. */
  beat(bytes: Uint8Array): void {
    this.serve();
    if (this.#pulled !== undefined && bytes.length > 0) this.#send([bytes]);
  }

  /** Ends the stream; the browser will reconnect. */
  end(): void {
    this.#leave();
    this.#controller?.close();
  }

  /** Disconnects a viewer that has not read for too long. */
  drop(): void {
    this.end();
    this.#connection.disconnect();
  }

  /** Nothing is queued here: the stream asks when the connection can take more. */
  #createStream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () =>
          new Promise<void>((resolve) => {
            this.#pulled = resolve;
            this.serve();
          }),
        cancel: () => {
          this.#leave();
        },
      },
      { highWaterMark: 0 },
    );
  }

  #send(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.#controller?.enqueue(piece);
    this.#sentAt = this.#clock.now();
    this.#answerPull();
  }

  #leave(): void {
    this.#connection.left();
    this.#answerPull();
  }

  #answerPull(): void {
    const pulled = this.#pulled;
    this.#pulled = undefined;
    pulled?.();
  }
}
