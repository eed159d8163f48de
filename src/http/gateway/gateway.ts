/**
 * The reverse proxy in one program: TLS on one port, where `/PORT/…` goes to simulation servers and all other paths to
 * the session server itself; a redirect from plain HTTP; and, if configured, waiting inside the client. It is loaded
 * only when it is switched on.
 */
import type { Registry } from 'prom-client';
import type { Settings } from '../../config/settings.ts';
import type { ServerId } from '../../core/fleet/endpoint.ts';
import type { ServerFacts, ServerState } from '../../core/fleet/fleet.ts';
import { WaitingBytes } from '../../core/gateway/waiting-bytes.ts';
import { PerClientCounts } from '../../core/limits/per-client-counts.ts';
import type { QueueService } from '../../engine/queue-service.ts';
import type { RelayedSessions } from '../../engine/session-list.ts';
import type { NewId } from '../../ports.ts';
import type { ClientsAtGateway } from '../clients/legacy-routes.ts';
import type { AddressOf, ClientAddress } from '../server/client-address.ts';
import type { SocketHandler } from '../server/sockets.ts';
import { ClientArrivals, clientUrlOf, nameOfPort, type FleetAddresses } from './client-arrivals.ts';
import { createClientRelay } from './client-relay.ts';
import { createDispatch, type Listeners } from './dispatch.ts';
import { GatewayListeners, type GatewayListenersOptions, type SharedListening } from './gateway-listeners.ts';
import { createGatewayMetrics } from './gateway-metrics.ts';
import { isForOperators } from './operators-port.ts';
import { MAX_WAITING } from './relay-memory.ts';
import { RelaysInFlight } from './relays-in-flight.ts';

export interface GatewayOptions extends Omit<FleetAddresses, 'settings'>, Omit<GatewayListenersOptions, 'settings'> {
  readonly newId: NewId;
  readonly settings: () => Settings;
  readonly queue: Pick<QueueService, 'wait' | 'requeue' | 'release' | 'connected'>;
  readonly addressOf: AddressOf;
  readonly ready: Promise<unknown>;
  /** Whether a class still needs the seat of this booking at the announced end of its session. */
  readonly isEndDue: (bookingId: string) => boolean;
  readonly registry: Registry;
  /** Maximum number of relayed sessions and requests that this machine allows. */
  readonly maxRelays: () => number;
}

/** What the gateway shares with the rest of the edge. */
export type GatewayListening = Omit<SharedListening, 'addressOf'> & Listeners;

export interface Gateway extends ClientsAtGateway {
  readonly sessions: RelayedSessions;
  /** Serves `/relay/…/client`, and `/PORT/client` for servers of the fleet. */
  readonly socketHandlerOf: (/** As the client spelled it. */ path: string) => SocketHandler | undefined;
  readonly serverChanged: (facts: ServerFacts, state: ServerState) => void;
  readonly connections: () => number;
  readonly port: () => number | undefined;
  readonly redirectPort: () => number | undefined;
  /** Throws the `listen` error of a port. */
  start(listening: GatewayListening): Promise<void>;
  /** Accepts nothing new and ends what is in flight within `grace` seconds. */
  close(grace: number): Promise<void>;
}

export function createGateway(options: GatewayOptions): Gateway {
  const { settings, addressOf } = options;
  const listeners = new GatewayListeners(options);
  const { relays, clients } = createRelays(options, listeners);
  const arrivals = new ClientArrivals({ ...options, clients });
  const waits = () => settings().waiting.relay;
  createGatewayMetrics(options.registry, {
    relays: () => ({ ...relays.counts(), ...clients.count() }),
    outcomes: () => [...relays.outcomes, ...clients.outcomes],
    expiresAt: () => listeners.expiresAt,
  });
  return {
    waits,
    sessions: clients,
    waitingUrl: (code) => `${settings().handOutSsl ? 'wss' : 'ws'}://${listeners.publicAuthority()}${arrivals.waitingPath(code)}`,
    sent(allocated, address) {
      if (waits()) arrivals.sent(allocated, address);
    },
    socketHandlerOf: (path) => (waits() ? arrivals.socketHandlerOf(path) : undefined),
    serverChanged({ endpoint: { id }, drain }, state) {
      clients.drained(id, drain?.until);
      if (state === 'down') clients.down(id);
    },
    connections: () => listeners.connections(),
    port: () => listeners.port,
    redirectPort: () => listeners.redirectPort,
    start({ handle, upgrade, ...shared }) {
      const dispatch = createDispatch({
        routes: () => settings().gateway.routes,
        relays,
        own: { handle, upgrade },
        isForOperators: (request) => isForOperators(request, settings().monitor.origin),
        isRelayedClient: ({ url = '' }) => waits() && arrivals.serverAt(url) !== undefined,
      });
      return listeners.start({ ...shared, addressOf }, dispatch, { handle, upgrade });
    },
    async close(grace) {
      const closing = listeners.close(grace);
      relays.close();
      await closing;
    },
  };
}

/** Both relays, which share one limit. */
function createRelays(options: GatewayOptions, listeners: GatewayListeners) {
  const { settings, newId, addressOf, log, maxRelays } = options;
  const relaysByClient = new PerClientCounts();
  /** No address gets more than half: a whole class may come from one address, but it must not take the whole site. */
  const isFull = ({ limitKey }: ClientAddress) => {
    const max = maxRelays();
    return relays.size + clients.size() >= max || (limitKey !== undefined && relaysByClient.of(limitKey) >= max / 2);
  };
  const memory = new WaitingBytes(MAX_WAITING, (bytes) => {
    const why = `${bytes} bytes were waiting in it, and ${MAX_WAITING} in all relays together`;
    log.limited('warn', 'relay memory', `a relay was ended because one side does not read: ${why}`);
  });
  const common = {
    memory,
    ...{ relaysByClient, ssl: listeners.ssl, limits: () => ({ ...settings().gateway.limits, isFull }) },
    via: `session-server-${newId().replace(/[^a-zA-Z0-9]/g, '')}`,
  };
  const relays = new RelaysInFlight({
    ...{ ...common, addressOf, log },
    host: () => listeners.publicAuthority(),
    nameOf: ({ port }) => nameOfPort(options, port),
  });
  const nameOf = (id: ServerId) => options.endpoint(id)?.address ?? id;
  const clients = createClientRelay({ ...options, ...common, clientUrl: (id: ServerId) => clientUrlOf(options, id), nameOf });
  return { relays, clients };
}
