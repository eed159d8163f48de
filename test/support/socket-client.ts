/** A WebSocket client that remembers what it received. */
import { WebSocket } from 'ws';
import { eventually, inTime } from './eventually.ts';
import type { Scope } from './start-program.ts';

export interface SocketClientOptions {
  readonly subprotocol?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly localAddress?: string;
  /** Take any certificate. */
  readonly insecure?: boolean;
  /** Answers pings by itself; otherwise the test does. */
  readonly autoPong?: boolean;
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

export class SocketClient {
  readonly socket: WebSocket;
  readonly messages: string[] = [];
  /** How it ended; 1006 without a close frame. */
  readonly closed: Promise<Closed>;
  readonly #opened: Promise<void>;

  constructor(
    scope: Scope,
    url: string,
    { subprotocol, headers = {}, localAddress, insecure = false, autoPong = true }: SocketClientOptions = {},
  ) {
    this.socket = new WebSocket(url, subprotocol === undefined ? [] : [subprotocol], {
      headers: { ...headers },
      rejectUnauthorized: !insecure,
      autoPong,
      ...(localAddress !== undefined && { localAddress }),
    });
    this.#opened = new Promise((resolve, reject) => {
      this.socket.once('open', resolve);
      this.socket.once('error', reject);
    });
    // Those who do not await it see the close.
    this.#opened.catch(() => undefined);
    this.socket.on('error', () => undefined);
    this.socket.on('message', (data: Buffer) => this.messages.push(data.toString('utf8')));
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => resolve({ code, reason: reason.toString('utf8') }));
    });
    scope.after(async () => {
      this.socket.terminate();
      await this.closed;
    });
  }

  /** Opened; throws the refusal, such as *Unexpected server response: 404*. */
  async open(): Promise<this> {
    await inTime('a WebSocket to open', this.#opened);
    return this;
  }

  /** The message with this number; 1 is the first. */
  async message(number: number): Promise<string> {
    const has = () => this.messages.length >= number;
    await eventually(`message ${number}, after ${JSON.stringify(this.messages)}`, has);
    return this.messages[number - 1] ?? '';
  }

  async ends(): Promise<Closed> {
    return inTime('a WebSocket to close', this.closed);
  }

  /** Ends it without a word, as a lost connection does. */
  lose(): void {
    this.socket.terminate();
  }
}
