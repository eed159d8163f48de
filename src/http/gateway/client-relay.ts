/**
 * Waiting inside clients that will not be updated (docs/design/protocol.md, "URLs in gateway mode").
 *
 * A client for which there was no room gets the URL of this relay instead of a simulation server's, and connects to it
 * as to any other. The relay reads its `start` message and shows it its position in its own progress bar. Once a server
 * has room, the relay forwards the `start` message and then everything in both directions, unchanged. If the server
 * refuses, dies or gives up before the simulation has started, the client keeps its connection, moves to the head of the
 * line and gets another server.
 *
 * Clients that were sent to a simulation server directly also pass through here when they open its `/client`: they have
 * that second chance too, and the end of their session is known.
 */
import type { IncomingMessage } from 'node:http';
import type { ServerId } from '../../core/fleet/endpoint.ts';
import type { PerClientCounts } from '../../core/limits/per-client-counts.ts';
import type { RelayedSession, RelayedSessions } from '../../engine/session-list.ts';
import type { NewId } from '../../ports.ts';
import type { SocketHandler } from '../server/sockets.ts';
import { RelayedClient, type Arrival, type RelayedClientOptions, type SessionOutcome } from './relayed-client.ts';

export interface ClientRelayOptions extends RelayedClientOptions {
  readonly newId: NewId;
  /** Relays of each client, by the key of its limits. */
  readonly relaysByClient: PerClientCounts;
}

export interface ClientRelay extends RelayedSessions {
  /** Serves a client that arrives in this way. */
  readonly handler: (arrivalOf: (request: IncomingMessage) => Arrival) => SocketHandler;
  readonly count: () => { readonly waiting: number; readonly sessions: number };
  /** Both together, and clients that were disconnected and have not agreed to it yet. */
  readonly size: () => number;
  /** Sessions by outcome, since the start. */
  readonly outcomes: ReadonlyMap<SessionOutcome, number>;
  /** The server is drained, and its sessions may end at `until` (seconds since the epoch); `undefined`: they may not, or it is not drained. */
  drained(id: ServerId, until: number | undefined): void;
  /** The server is dead: a client without a simulation need not wait for its connection to fail. */
  down(id: ServerId): void;
}

export function createClientRelay(options: ClientRelayOptions): ClientRelay {
  /** By ids that operators see. */
  const clients = new Map<string, RelayedClient>();
  const outcomes = new Map<SessionOutcome, number>();
  const count = (outcome: SessionOutcome) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  const clientsOn = (id: ServerId) => [...clients.values()].filter(({ server }) => server === id);
  return {
    handler: (arrivalOf) => (socket, stream, request) => {
      const arrival = arrivalOf(request);
      const { limitKey } = arrival.address;
      const client = new RelayedClient(options, { socket, stream, request }, arrival, count);
      if (options.limits().isFull(arrival.address)) {
        client.refuse('Too many clients are waiting at the moment; try again later.');
        return;
      }
      const id = options.newId();
      clients.set(id, client);
      options.relaysByClient.take(limitKey);
      socket.once('close', () => {
        clients.delete(id);
        options.relaysByClient.giveBack(limitKey);
      });
      client.begin();
    },
    count() {
      const here = [...clients.values()].filter(({ gone }) => !gone.aborted);
      const waiting = here.filter(({ server }) => server === undefined).length;
      return { waiting, sessions: here.length - waiting };
    },
    size: () => clients.size,
    outcomes,
    sessions: () => Array.from(clients, ([id, client]) => client.session(id)).filter(isDefined),
    end(id, reason) {
      const client = clients.get(id);
      if (client?.session(id) === undefined) return undefined;
      client.end(reason);
      return true;
    },
    move(id) {
      const client = clients.get(id);
      return client?.session(id) === undefined ? undefined : client.moveByOperator();
    },
    drained(id, until) {
      for (const client of clientsOn(id)) client.drained(until);
    },
    down(id) {
      for (const client of clientsOn(id)) client.serverDied();
    },
  };
}

function isDefined(session: RelayedSession | undefined): session is RelayedSession {
  return session !== undefined;
}
