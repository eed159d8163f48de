/**
 * Requests that have no complete response yet, by connection.
 *
 * Node takes in all requests that have arrived, whether or not the responses are read. 64 kB of short requests are 1,500
 * of them, and one client could delay all others for seconds. A client that sends that many without waiting for
 * responses is disconnected.
 */
import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Requests of one connection that may wait for their responses. Browsers send one at a time. */
const MAX_PIPELINED = 64;

export class Unanswered {
  readonly #responses = new WeakMap<Duplex, Set<ServerResponse>>();

  count(socket: Socket): number {
    return this.#responses.get(socket)?.size ?? 0;
  }

  /** A response has begun and is not complete. */
  hasBegun(socket: Duplex): boolean {
    return [...(this.#responses.get(socket) ?? [])].some(({ headersSent }) => headersSent);
  }

  /** Calls `handle` unless the connection has too many unanswered requests, which ends it. */
  limit(handle: RequestListener): RequestListener {
    return (request, response) => {
      const { socket } = request;
      if (socket.destroyed) return;
      if (this.count(socket) >= MAX_PIPELINED) {
        socket.destroy();
        return;
      }
      this.#add(socket, response);
      handle(request, response);
    };
  }

  #add(socket: Socket, response: ServerResponse): void {
    const responses = this.#responses.get(socket) ?? this.#watch(socket);
    responses.add(response);
    response.once('close', () => responses.delete(response));
  }

  /** Node reports the end of a connection only to the response that is being sent, not to those that wait behind it. */
  #watch(socket: Socket): Set<ServerResponse> {
    const responses = new Set<ServerResponse>();
    this.#responses.set(socket, responses);
    socket.once('close', () => {
      for (const response of responses) {
        if (response.socket !== null) continue;
        response.destroy();
        // Node 24 and later emit it a tick after `destroy`, Node 20 never does.
        process.nextTick(() => {
          if (responses.has(response)) response.emit('close');
        });
      }
    });
    return responses;
  }
}
