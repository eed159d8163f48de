/**
 * The keep-alive connections to simulation servers, one for each. None outlives for long what was checked when it was opened: the address of its name
 * (`recheckNames`) and its certificate (`MAX_AGE`).
 */
import type { LookupFunction, Socket } from 'node:net';
import { buildConnector, Client, EnvHttpProxyAgent } from 'undici';
import type { ServerId } from '../core/fleet/endpoint.ts';
import type { NameLookup, OutgoingProxies } from '../ports.ts';
import { retireOutdated } from './outdated-connections.ts';

export interface ServerConnectionsOptions {
  /** Seconds for opening a connection. */
  readonly timeout: number;
  /** Seconds an idle connection is kept. */
  readonly keepAlive: number;
  readonly names: NameLookup;
  /** Seconds of a monotonic clock. */
  readonly now: () => number;
  /** Proxies to listed servers. Behind a proxy, the addresses of registered servers could not be checked, so connections to those are direct. */
  readonly proxies?: OutgoingProxies | undefined;
  /** How the names of registered servers are resolved. `undefined`: a listed server. */
  readonly guard?: (id: ServerId) => LookupFunction | undefined;
}

export interface Connection {
  readonly origin: string;
  readonly client: Client | EnvHttpProxyAgent;
  /** Host name, or IP address without brackets. */
  readonly host: string;
  readonly lookup: LookupFunction;
  /** Seconds. */
  readonly createdAt: number;
  /** The one opened last, which may be closed by now. Through a proxy there is none to see. */
  socket: Socket | undefined;
  /** A request was answered on it. */
  answered: boolean;
  /** It is closed at the end of its last request. */
  retired: boolean;
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
      Array.from(this.#connections.values(), (connection) => ({
        ...{ host: connection.host, lookup: connection.lookup, address: connection.socket?.remoteAddress },
        retire: () => retire(connection),
      })),
    );
  }

  /** Bytes received on the present connection. */
  bytesRead(id: ServerId): number {
    return this.#connections.get(id)?.socket?.bytesRead ?? 0;
  }

  /** The present connection goes through a proxy, or was not opened yet and may. */
  isProxied(id: ServerId): boolean {
    const { client, socket } = this.#connections.get(id) ?? {};
    return client instanceof EnvHttpProxyAgent && socket === undefined;
  }

  close(id: ServerId): void {
    this.#connections.get(id)?.client.destroy().catch(ignore);
    this.#connections.delete(id);
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#connections.values()].map(({ client }) => client.destroy()));
    this.#connections.clear();
  }

  #isUsable({ retired, createdAt }: Connection): boolean {
    return !retired && this.#options.now() - createdAt < MAX_AGE;
  }

  #connect(id: ServerId, origin: string): Connection {
    const { guard, names, now, proxies } = this.#options;
    const keepAlive = milliseconds(this.#options.keepAlive);
    const lookup = guard?.(id) ?? names.lookup;
    const connect = lookup === names.lookup ? this.#sharedConnector() : this.#connectorFor(lookup);
    const options = {
      pipelining: 1,
      keepAliveTimeout: keepAlive,
      keepAliveMaxTimeout: keepAlive,
      connect: ((target, opened) => {
        connect(target, (...outcome) => {
          if (outcome[1] !== null) connection.socket = outcome[1];
          opened(...outcome);
        });
      }) satisfies buildConnector.connector,
      // The probe has one deadline for everything; a timer for each part would cost as much again.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: 16_384,
    };
    const viaProxy = proxies !== undefined && lookup === names.lookup;
    const client = viaProxy ? throughProxies(proxies, options, this.#connectOptions(lookup)) : new Client(origin, options);
    const host = new URL(origin).hostname.replace(/^\[|\]$/g, '');
    const connection: Connection = {
      origin,
      client,
      host,
      lookup,
      createdAt: now(),
      socket: undefined,
      answered: false,
      retired: false,
    };
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
    return buildConnector(this.#connectOptions(lookup));
  }

  #connectOptions(lookup: LookupFunction): { readonly timeout: number; readonly lookup: LookupFunction } {
    return { timeout: milliseconds(this.#options.timeout), lookup };
  }
}

/** It decides by `proxies.except` whether it connects directly, and then by `options.connect`. */
function throughProxies(
  { http = '', https = '', except }: OutgoingProxies,
  options: Client.Options,
  proxyTls: { readonly timeout: number; readonly lookup: LookupFunction },
): EnvHttpProxyAgent {
  return new EnvHttpProxyAgent({ ...options, connections: 1, httpProxy: http, httpsProxy: https, noProxy: except, proxyTls });
}

function retire(connection: Connection): void {
  connection.retired = true;
  void connection.client.close().catch(ignore);
}

/** Whole numbers: Node and undici refuse others, and 1.1 s are 1100.0000000000002 ms. */
function milliseconds(seconds: number): number {
  return Math.ceil(seconds * 1000);
}

function ignore(): void {
  // How a closed connection ended does not matter.
}
