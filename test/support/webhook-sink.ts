/** A real receiver of webhooks on a port of its own that keeps what it is given, and misbehaves when a test wants it. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedHook {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export class WebhookSink {
  readonly hooks: ReceivedHook[] = [];
  readonly #server: Server;
  /** What the next requests get instead of consent: a status, or no answer. */
  readonly mischief: (number | 'silence')[] = [];
  #arrived: (() => void) | undefined;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const mischief = this.mischief.shift();
        if (mischief === 'silence') return;
        response.writeHead(mischief ?? 204).end();
        if (mischief !== undefined) return;
        this.hooks.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
        this.#arrived?.();
      });
    });
  }

  static async start(): Promise<WebhookSink> {
    const sink = new WebhookSink();
    sink.#server.listen(0, '127.0.0.1');
    await once(sink.#server, 'listening');
    return sink;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  /** Resolves when so many were accepted. */
  async received(count: number): Promise<readonly ReceivedHook[]> {
    while (this.hooks.length < count) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    return this.hooks;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
