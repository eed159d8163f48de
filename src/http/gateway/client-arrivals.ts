/** How clients reach the relay: with a pass to wait, or at the `/client` of a server they were sent to. */
import type { GatewaySettings } from '../../config/settings.ts';
import { parseEndpoint, webSocketUrl, type Endpoint, type ServerId } from '../../core/fleet/endpoint.ts';
import { ExpectedClients } from '../../core/gateway/expected-clients.ts';
import { authorityOf, upstreamOf } from '../../core/gateway/gateway-routes.ts';
import type { Allocated } from '../../engine/request-types.ts';
import type { AddressGuard, Clock, NewId } from '../../ports.ts';
import type { AddressOf } from '../server/client-address.ts';
import type { SocketHandler } from '../server/sockets.ts';
import type { ClientRelay } from './client-relay.ts';
import { publicHost } from './public-address.ts';
import type { Arrival } from './relayed-client.ts';
import type { ClientUrl } from './server-connection.ts';

/** The settings that decide where servers of the fleet are. */
export interface RoutingSettings {
  readonly server: string;
  readonly handOutSsl: boolean;
  readonly gateway: Pick<GatewaySettings, 'routes'>;
}

export interface FleetAddresses {
  readonly settings: () => RoutingSettings;
  /** Of a server of the fleet. */
  readonly endpoint: (id: ServerId) => Endpoint | undefined;
  /** The addresses that a server which registered itself may have; `undefined` for all others. */
  readonly addressGuard: (id: ServerId) => AddressGuard | undefined;
}

export interface ClientArrivalsOptions extends FleetAddresses {
  readonly clock: Pick<Clock, 'now'>;
  readonly newId: NewId;
  readonly addressOf: AddressOf;
  readonly clients: Pick<ClientRelay, 'handler'>;
}

const WAITING_PATH = /^\/relay(?:\/(?<pass>[a-zA-Z]{1,100}))?\/client$/;
const SERVER_PATH = /^\/(?<port>[1-9][0-9]{0,4})\/client$/;

/** Where the `/client` of a server is: at the gateway's own route if it has one, otherwise where clients are sent. */
export function clientUrlOf({ settings, endpoint, addressGuard }: FleetAddresses, id: ServerId): ClientUrl | undefined {
  const found = endpoint(id);
  if (found === undefined) return undefined;
  const { server, handOutSsl, gateway } = settings();
  const upstream = upstreamOf(gateway.routes, found, server);
  if (upstream !== undefined) return { url: `ws://${authorityOf(upstream)}/client`, inside: true };
  const guard = addressGuard(id);
  const url = `${webSocketUrl(found, handOutSsl)}/client`;
  return { url, inside: false, ...(guard !== undefined && { guard: { ...guard, host: found.host } }) };
}

/** The server of the fleet that clients reach at `/port/…`. */
function serverAtPort({ settings, endpoint }: FleetAddresses, port: string): Endpoint | undefined {
  const { server, gateway } = settings();
  const address = parseEndpoint(`${publicHost(server)}/${port}`);
  if (address.kind !== 'endpoint') return undefined;
  const found = endpoint(address.endpoint.id);
  return found && upstreamOf(gateway.routes, found, server) && found;
}

/** What is behind a port, in the words of the configuration: the entry of the server, or its streams in the same form. */
export function nameOfPort(addresses: FleetAddresses, port: number): string {
  const { server } = addresses.settings();
  return serverAtPort(addresses, String(port))?.address ?? `${publicHost(server)}/${port}`;
}

export class ClientArrivals {
  readonly #options: ClientArrivalsOptions;
  readonly #expected = new ExpectedClients();

  constructor(options: ClientArrivalsOptions) {
    this.#options = options;
  }

  /** A path at which one client may wait. */
  waitingPath(code?: string): string {
    const { clock, newId } = this.#options;
    return `/relay/${this.#expected.issue(newId(), clock.now(), code)}`;
  }

  /** A client from this address was sent to a server, and will arrive there through the gateway. */
  sent({ server, bookingId, endsAt }: Allocated, address: string): void {
    const end = endsAt !== undefined && { endsAt };
    this.#expected.sent({ server, bookingId, ...end }, address, this.#options.clock.now());
  }

  /** The server of the fleet whose `/client` has this path. */
  serverAt(path: string): ServerId | undefined {
    const port = SERVER_PATH.exec(path)?.groups?.['port'];
    return port === undefined ? undefined : serverAtPort(this.#options, port)?.id;
  }

  /** `path` as the client spelled it. */
  socketHandlerOf(path: string): SocketHandler | undefined {
    const match = WAITING_PATH.exec(path);
    if (match !== null) return this.#waitingHandler(match.groups?.['pass']);
    const id = this.serverAt(path);
    return id === undefined ? undefined : this.#serverHandler(id);
  }

  #waitingHandler(pass: string | undefined): SocketHandler {
    const { clients, clock, addressOf } = this.#options;
    return clients.handler((request): Arrival => {
      const known = pass === undefined ? undefined : this.#expected.redeem(pass, clock.now());
      const code = known?.code;
      return { address: addressOf(request), counted: known !== undefined, ...(code !== undefined && { code }) };
    });
  }

  #serverHandler(server: ServerId): SocketHandler {
    const { clients, clock, addressOf } = this.#options;
    return clients.handler((request): Arrival => {
      const address = addressOf(request);
      const expected = this.#expected.arrived(server, address.address, clock.now());
      return { address, counted: expected !== undefined, sentTo: { server, ...expected } };
    });
  }
}
