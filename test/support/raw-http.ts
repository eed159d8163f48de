/** HTTP by hand, byte for byte: for what no decent client sends, and to see exactly what comes back. */
import { connect, type Socket } from 'node:net';
import { inTime } from './eventually.ts';
import type { Scope } from './start-program.ts';

export interface RawResponse {
  readonly status: number;
  /** `HTTP/1.1 200 OK` and the header lines. */
  readonly head: string;
  /** By name in lower case; several values are joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RawOptions {
  readonly host?: string;
  /** Where the connection seems to come from, such as `127.0.0.3`. */
  readonly localAddress?: string;
}

export class RawConnection {
  readonly socket: Socket;
  /** Resolves when both sides are done, in whatever way. */
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  #ended = false;
  #arrived: (() => void) | undefined;

  constructor(scope: Scope, port: number, { host = '127.0.0.1', localAddress }: RawOptions = {}) {
    this.socket = connect({ port, host, ...(localAddress !== undefined && { localAddress }) });
    this.socket.setNoDelay();
    this.socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#arrived?.();
    });
    const end = () => {
      this.#ended = true;
      this.#arrived?.();
    };
    this.socket.on('end', end);
    // How a connection ends follows from what was received before.
    this.socket.on('error', end);
    this.closed = new Promise((resolve) => {
      this.socket.once('close', () => {
        end();
        resolve();
      });
    });
    scope.after(() => {
      this.socket.destroy();
      return this.closed;
    });
  }

  send(bytes: string | Buffer): this {
    this.socket.write(bytes);
    return this;
  }

  /** All that was received and not yet read as a response. */
  get received(): string {
    return this.#received.toString('latin1');
  }

  /** The next response. `to` is the method that was asked with: the answer to HEAD has no body. */
  async response(to = 'GET'): Promise<RawResponse> {
    return inTime('a response', this.#response(to));
  }

  async #response(to: string): Promise<RawResponse> {
    const end = await this.#until(() => {
      const at = this.#received.indexOf('\r\n\r\n');
      return at < 0 ? undefined : at;
    });
    if (end === undefined) throw new Error(`the connection ended before a response, after ${JSON.stringify(this.received)}`);
    const head = this.#take(end + 4)
      .toString('latin1')
      .slice(0, -4);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
    if (Number.isNaN(status)) throw new Error(`not the beginning of a response: ${head}`);
    const headers = readHeaders(head);
    const bodiless = to === 'HEAD' || status === 204 || status === 304 || status < 200;
    return { status, head, headers, body: bodiless ? '' : await this.#body(headers) };
  }

  async #body(headers: Readonly<Record<string, string>>): Promise<string> {
    if (headers['transfer-encoding'] === 'chunked') return this.#chunks();
    const length = headers['content-length'];
    const size = length === undefined ? undefined : Number(length);
    await this.#until(() => (size !== undefined && this.#received.length >= size ? true : undefined));
    if (size !== undefined && this.#received.length < size) throw new Error('the connection ended in the middle of a body');
    return this.#take(size ?? this.#received.length).toString('utf8');
  }

  async #chunks(): Promise<string> {
    const chunks: Buffer[] = [];
    for (;;) {
      const end = await this.#until(() => {
        const at = this.#received.indexOf('\r\n');
        return at < 0 ? undefined : at;
      });
      if (end === undefined) throw new Error('the connection ended in the middle of a body');
      const size = Number.parseInt(this.#take(end + 2).toString('latin1'), 16);
      await this.#until(() => (this.#received.length >= size + 2 ? true : undefined));
      chunks.push(this.#take(size + 2).subarray(0, size));
      if (size === 0) return Buffer.concat(chunks).toString('utf8');
    }
  }

  /** What `look` finds, or `undefined` when the connection ended before. */
  async #until<T>(look: () => T | undefined): Promise<T | undefined> {
    for (;;) {
      const found = look();
      if (found !== undefined || this.#ended) return found;
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }

  #take(size: number): Buffer {
    const taken = this.#received.subarray(0, size);
    this.#received = this.#received.subarray(size);
    return taken;
  }
}

/** One request on a connection of its own. */
export async function rawRequest(
  scope: Scope,
  port: number,
  request: string | Buffer,
  options: RawOptions = {},
): Promise<RawResponse> {
  const connection = new RawConnection(scope, port, options).send(request);
  const method = /^[A-Z]+/.exec(request.toString('latin1'))?.[0] ?? 'GET';
  try {
    return await connection.response(method);
  } finally {
    connection.socket.destroy();
  }
}

/** The text of a request: its first line, then header lines, without a body. */
export function requestText(line: string, ...headers: string[]): string {
  return `${line} HTTP/1.1\r\nHost: localhost\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n`;
}

function readHeaders(head: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of head.split('\r\n').slice(1)) {
    const at = line.indexOf(':');
    const name = line.slice(0, at).toLowerCase();
    const value = line.slice(at + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return headers;
}
