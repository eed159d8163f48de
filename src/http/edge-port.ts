/** The port of a replica, as its edge uses it while the replica leads. It stays open when another one leads. Types only. */
import type { RequestListener } from 'node:http';
import type { PerClientCounts } from '../core/limits/per-client-counts.ts';
import type { SentToServer } from './clients/legacy-routes.ts';
import type { ClientAddresses } from './server/client-address.ts';
import type { TurnedAway } from './server/server.ts';
import type { SocketHandler, Sockets } from './server/sockets.ts';

export interface EdgePort {
  readonly port: number;
  readonly addresses: ClientAddresses;
  /** Connections by peer. */
  readonly shares: PerClientCounts;
  /** Those of clients, also from before this replica led. */
  readonly sockets: Sockets;
  readonly connections: () => number;
  /** From now on, and until the returned function is called, requests are answered by these. */
  serve(serving: Serving): () => void;
}

export interface Serving {
  readonly handle: RequestListener;
  readonly relayOf: (path: string) => SocketHandler | undefined;
  readonly sent: SentToServer;
  readonly maxClients: () => number;
  readonly turnedAway: (why: TurnedAway, address: string) => void;
  /** Connections on other ports. */
  readonly otherConnections: () => number;
}
