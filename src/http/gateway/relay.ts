/**
 * Relays requests and WebSockets to simulation servers (docs/design/protocol.md, "URLs in gateway mode").
 *
 * Why not a proxy library: the one that is maintained forwards headers that belong to one connection (RFC 9110 § 7.6.1),
 * has no maximum, no time limits for connections and headers, and opens any protocol to clients that do not read. What
 * remains of it is `http.request`, which is used here. Each side's messages are framed by Node's own HTTP: neither
 * `Transfer-Encoding` nor a second length ever passes.
 *
 * Each request has a connection of its own to the simulation server, as with the reverse proxy that this replaces: the
 * web server inside the simulator reads only the beginning of a connection, and serves one request on it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { relayRequest } from './relay-http.ts';
import type { RelayOutcome } from './relay-refusal.ts';
import { relayWebSocket } from './relay-websocket.ts';
import { RelaysInFlight, type RelayOptions, type RelayTarget } from './relays-in-flight.ts';

export interface Relay {
  request(request: IncomingMessage, response: ServerResponse, target: RelayTarget): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, target: RelayTarget): void;
  /** In flight: requests, and open WebSockets. */
  readonly count: () => { readonly requests: number; readonly webSockets: number };
  /** Both together. */
  readonly size: () => number;
  /** Since the start. */
  readonly outcomes: ReadonlyMap<RelayOutcome, number>;
  /** Ends what is in flight. */
  close(): void;
}

export function createRelay(options: RelayOptions): Relay {
  const relays = new RelaysInFlight(options);
  return {
    request: (request, response, target) => relayRequest(relays, request, response, target),
    upgrade: (request, socket, head, target) => relayWebSocket(relays, request, socket, head, target),
    count: () => relays.counts(),
    size: () => relays.size,
    outcomes: relays.outcomes,
    close: () => relays.close(),
  };
}
