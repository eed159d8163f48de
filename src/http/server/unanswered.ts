/**
 * Requests that have no complete response yet, by connection.
 *
 * Node takes in all requests that have arrived, whether or not the responses are read. 64 kB of short requests are 1,500
 * of them, and one client could delay all others for seconds. A client that sends that many without waiting for
 * responses is disconnected.
 *
 * The requests of one connection are handled one after the other. Otherwise a client that does not read could make the
 * responses to all of them wait in memory, on each of thousands of connections.
 */
import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Requests of one connection that may wait for their responses. Browsers send one at a time. */
const MAX_PIPELINED = 64;

export class Unanswered {
  /** The responses of a connection in their order, and what begins each. Only the first has begun. */
  readonly #responses = new WeakMap<Duplex, Map<ServerResponse, () => void>>();

  count(socket: Socket): number {
    return this.#responses.get(socket)?.size ?? 0;
  }

  /** A response has begun and is not complete. */
  hasBegun(socket: Duplex): boolean {
    const [first] = this.#responses.get(socket)?.keys() ?? [];
    return first?.headersSent === true;
  }

  /** Calls `handle` when it is the turn of the request. Too many unanswered requests end their connection. */
  limit(handle: RequestListener): RequestListener {
    return (request, response) => {
      const { socket } = request;
      if (socket.destroyed) return;
      if (this.count(socket) >= MAX_PIPELINED) {
        socket.destroy();
        return;
      }
      this.#add(socket, response, () => handle(request, response));
    };
  }

  #add(socket: Socket, response: ServerResponse, begin: () => void): void {
    const responses = this.#responses.get(socket) ?? new Map<ServerResponse, () => void>();
    this.#responses.set(socket, responses);
    responses.set(response, begin);
    response.once('close', () => {
      responses.delete(response);
      const [next] = responses.values();
      if (socket.writable) next?.();
    });
    if (responses.size === 1) begin();
  }
}
