/**
 * Bytes of requests that have not arrived completely. Node keeps headers until they are complete, up to `limits.headerBytes` for each connection, and routes keep
 * bodies: thousands of connections that stop in the middle would hold more than a gigabyte. All of them together get a budget.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { excessOf } from '../../core/limits/excess.ts';

/** Bytes of all connections together. A request takes milliseconds to arrive, so clients that mean well stay far below it. */
export const MAX_INCOMPLETE = 33_554_432;

export class IncompleteRequests {
  /** Bytes that were read of a connection when its last request was complete; `Infinity`: what it sends is forwarded, and not held here. */
  readonly #complete = new WeakMap<Socket, number>();
  readonly #max: number;

  constructor(max = MAX_INCOMPLETE) {
    this.#max = max;
  }

  /** The headers have arrived. A body that is not read is over with its response. `forwarded`: the body is forwarded as it arrives. */
  begun(
    request: Pick<IncomingMessage, 'socket' | 'headers' | 'once'>,
    response: { once(event: 'close', done: () => void): unknown },
    forwarded = false,
  ): void {
    const { socket, headers } = request;
    const completed = () => this.#complete.set(socket, socket.bytesRead);
    if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') {
      completed();
      return;
    }
    if (forwarded) this.#complete.set(socket, Infinity);
    request.once('end', completed);
    response.once('close', completed);
  }

  upgraded(socket: Socket): void {
    this.#complete.set(socket, Infinity);
  }

  /** The connections to end. */
  excess(sockets: Iterable<Socket>): Socket[] {
    const incomplete = (socket: Socket) => Math.max(0, socket.bytesRead - (this.#complete.get(socket) ?? 0));
    return excessOf(sockets, incomplete, this.#max);
  }
}
