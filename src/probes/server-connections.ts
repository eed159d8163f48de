/** The keep-alive connections to simulation servers, one for each. */
import type { LookupFunction, Socket } from 'node:net';
import { buildConnector, Client } from 'undici';
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { NameLookup } from '../ports.ts';

export interface ServerConnectionsOptions {
  /** Seconds for opening a connection. */
  readonly timeout: number;
  /** Seconds an idle connection is kept. */
  readonly keepAlive: number;
  readonly names: NameLookup;
  /** How the names of registered servers are resolved. `undefined`: a listed server. */
  readonly guard?: (id: ServerId) => LookupFunction | undefined;
}

export interface Connection {
  readonly origin: string;
  readonly client: Client;
  /** The one opened last, which may be closed by now. */
  socket: Socket | undefined;
}

export class ServerConnections {
  readonly #options: ServerConnectionsOptions;
  readonly #connections = new Map<ServerId, Connection>();
  /** One for all listed servers: it keeps TLS sessions by host. */
  readonly #connector: ReturnType<typeof buildConnector>;

  constructor(options: ServerConnectionsOptions) {
    this.#options = options;
    this.#connector = this.#connectorFor(options.names.lookup);
  }

  /** The kept connection to this origin, or a new one. */
  open(id: ServerId, origin: string): Connection {
    const known = this.#connections.get(id);
    if (known?.origin === origin && !known.client.closed && !known.client.destroyed) return known;
    this.close(id);
    const connection = this.#connect(id, origin);
    this.#connections.set(id, connection);
    return connection;
  }

  /** Bytes received on the present connection. */
  bytesRead(id: ServerId): number {
    return this.#connections.get(id)?.socket?.bytesRead ?? 0;
  }

  close(id: ServerId): void {
    this.#connections.get(id)?.client.destroy().catch(ignore);
    this.#connections.delete(id);
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#connections.values()].map(({ client }) => client.destroy()));
    this.#connections.clear();
  }

  #connect(id: ServerId, origin: string): Connection {
    const keepAlive = milliseconds(this.#options.keepAlive);
    const lookup = this.#options.guard?.(id);
    const connect = lookup === undefined ? this.#connector : this.#connectorFor(lookup);
    const client = new Client(origin, {
      pipelining: 1,
      keepAliveTimeout: keepAlive,
      keepAliveMaxTimeout: keepAlive,
      connect: (target, opened) => {
        connect(target, (...outcome) => {
          if (outcome[1] !== null) connection.socket = outcome[1];
          opened(...outcome);
        });
      },
      // The probe has one deadline for everything; a timer for each part would cost as much again.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: 16_384,
    });
    const connection: Connection = { origin, client, socket: undefined };
    return connection;
  }

  #connectorFor(lookup: LookupFunction): ReturnType<typeof buildConnector> {
    return buildConnector({ timeout: milliseconds(this.#options.timeout), lookup });
  }
}

/** Whole numbers: Node and undici refuse others, and 1.1 s are 1100.0000000000002 ms. */
function milliseconds(seconds: number): number {
  return Math.ceil(seconds * 1000);
}

function ignore(): void {
  // How a closed connection ended does not matter.
}
