/**
 * The keep-alive connections to simulation servers, one for each. None outlives for long what was checked when it was opened: the address of its name
 * (`recheckNames`) and its certificate (`MAX_AGE`).
 */
import type { LookupFunction, Socket } from 'node:net';
import { buildConnector, Client } from 'undici';
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { NameLookup } from '../ports.ts';
import { retireOutdated } from './outdated-connections.ts';

export interface ServerConnectionsOptions {
  /** Seconds for opening a connection. */
  readonly timeout: number;
  /** Seconds an idle connection is kept. */
  readonly keepAlive: number;
  readonly names: NameLookup;
  /** Seconds of a monotonic clock. */
  readonly now: () => number;
  /** How the names of registered servers are resolved. `undefined`: a listed server. */
  readonly guard?: (id: ServerId) => LookupFunction | undefined;
}

export interface Connection {
  readonly origin: string;
  readonly client: Client;
  /** Host name, or IP address without brackets. */
  readonly host: string;
  readonly lookup: LookupFunction;
  /** Seconds. */
  readonly createdAt: number;
  /** The one opened last, which may be closed by now. */
  socket: Socket | undefined;
}

/** Seconds after which a connection is replaced, so that the certificate is checked again. */
const MAX_AGE = 600;

export class ServerConnections {
  readonly #options: ServerConnectionsOptions;
  readonly #connections = new Map<ServerId, Connection>();
  /** One for all listed servers: it keeps TLS sessions by host. A resumed session checks no certificate, so they are forgotten with it. */
  #connector: ReturnType<typeof buildConnector>;
  #connectorCreatedAt: number;

  constructor(options: ServerConnectionsOptions) {
    this.#options = options;
    this.#connector = this.#connectorFor(options.names.lookup);
    this.#connectorCreatedAt = options.now();
  }

  /** The kept connection to this origin, or a new one. */
  open(id: ServerId, origin: string): Connection {
    const known = this.#connections.get(id);
    if (known?.origin === origin && this.#isUsable(known)) return known;
    this.close(id);
    const connection = this.#connect(id, origin);
    this.#connections.set(id, connection);
    return connection;
  }

  /** Resolves the names again. Connections to addresses that a name no longer has are closed, at the end of a running request. Never throws. */
  async recheckNames(): Promise<void> {
    await retireOutdated(
      Array.from(this.#connections.values(), ({ host, lookup, socket, client }) => ({
        ...{ host, lookup, address: socket?.remoteAddress },
        retire: () => void client.close().catch(ignore),
      })),
    );
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

  #isUsable({ client, createdAt }: Connection): boolean {
    return !client.closed && !client.destroyed && this.#options.now() - createdAt < MAX_AGE;
  }

  #connect(id: ServerId, origin: string): Connection {
    const { guard, names, now } = this.#options;
    const keepAlive = milliseconds(this.#options.keepAlive);
    const lookup = guard?.(id) ?? names.lookup;
    const connect = lookup === names.lookup ? this.#sharedConnector() : this.#connectorFor(lookup);
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
    const host = new URL(origin).hostname.replace(/^\[|\]$/g, '');
    const connection: Connection = { origin, client, host, lookup, createdAt: now(), socket: undefined };
    return connection;
  }

  #sharedConnector(): ReturnType<typeof buildConnector> {
    const now = this.#options.now();
    if (now - this.#connectorCreatedAt >= MAX_AGE) {
      this.#connector = this.#connectorFor(this.#options.names.lookup);
      this.#connectorCreatedAt = now;
    }
    return this.#connector;
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
