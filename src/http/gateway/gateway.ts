/**
 * The front in one program: TLS on one port, on which `/PORT/…` leads to simulation servers and all other paths to the session server itself; a redirect from
 * plain HTTP; and, when asked for, waiting inside the client. It is loaded only when it is switched on.
 */
import type { IncomingMessage, RequestListener } from 'node:http';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { GatewaySettings, Settings } from '../../config/settings.ts';
import { hostInUrl, parseEndpoint, webSocketUrl, type Endpoint, type ServerId } from '../../core/endpoint.ts';
import { ExpectedClients } from '../../core/expected-clients.ts';
import type { ServerFacts, ServerState } from '../../core/fleet.ts';
import { authorityOf, destinationOf, upstreamOf } from '../../core/gateway-routes.ts';
import { Shares } from '../../core/shares.ts';
import type { Admission } from '../../engine/admission.ts';
import type { AddressGuard, Clock, Log, NewId } from '../../ports.ts';
import type { AddressOf, ClientAddress } from '../client-address.ts';
import { answerPlainly, startHttpServer, type HttpServer, type UpgradeHandler } from '../server.ts';
import type { ClientsAtGateway } from '../session-routes.ts';
import type { SocketHandler } from '../sockets.ts';
import { startCertificates, type Certificates } from './certificates.ts';
import { createClientRelay, type Arrival, type ClientUrl } from './client-relay.ts';
import { createRedirect } from './redirect.ts';
import { createRelay } from './relay.ts';

export interface GatewayOptions {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  readonly settings: () => Settings;
  readonly admission: Pick<Admission, 'wait' | 'again' | 'release' | 'connected'>;
  /** Of a server of the fleet. */
  readonly endpoint: (id: ServerId) => Endpoint | undefined;
  /** Where a server that came by itself may lead; `undefined` for all others. */
  readonly addressGuard: (id: ServerId) => AddressGuard | undefined;
  readonly addressOf: AddressOf;
  readonly ready: Promise<unknown>;
  readonly registry: Registry;
  /** Most sessions and requests passed on, as far as the machine allows. */
  readonly mostRelays: () => number;
  /** The certificate needs a person; `reason` is a sentence. */
  readonly notify: (reason: string) => void;
}

/** What the gateway adds to the edge. */
export interface Listening {
  readonly mostClients: () => number;
  /** Connections elsewhere that count against the same limit. */
  readonly others: () => number;
  readonly handle: RequestListener;
  readonly upgrade: UpgradeHandler;
  readonly refused: (why: 'too-many-clients') => void;
}

export interface Gateway extends ClientsAtGateway {
  /** Serves `/relay/…/client`, and `/PORT/client` for servers of the fleet. */
  readonly socketHandlerOf: (/** As the client spelled it. */ path: string) => SocketHandler | undefined;
  readonly serverChanged: (facts: ServerFacts, state: ServerState) => void;
  readonly connections: () => number;
  readonly port: () => number | undefined;
  readonly redirectPort: () => number | undefined;
  /** Throws the `listen` error of a port. */
  start(listening: Listening): Promise<void>;
  /** Takes nothing new and ends what is in flight within `grace` seconds. */
  close(grace: number): Promise<void>;
}

const RELAY = /^\/relay(?:\/(?<pass>[a-zA-Z]{1,100}))?\/client$/;
const CLIENT = /^\/(?<port>[1-9][0-9]{0,4})\/client$/;
/** Seconds a body may take that is passed on; the limits of the simulation server are its own business. */
const REQUEST_TIMEOUT = 600;

export function createGateway(options: GatewayOptions): Gateway {
  const { clock, newId, log, settings, addressOf, endpoint } = options;
  const gateway = (): GatewaySettings => settings().gateway;
  const shares = new Shares();
  /** Whatever is passed on counts against the one limit, and nobody gets more than half of it: a whole class may come from one address, but not the whole site. */
  const limits = () => ({
    ...gateway().limits,
    isFull({ limitKey }: ClientAddress) {
      const most = options.mostRelays();
      return relay.size() + clients.size() >= most || (limitKey !== undefined && shares.of(limitKey) >= most / 2);
    },
  });
  const ssl = gateway().tls !== undefined;
  const via = `session-server-${newId().replace(/[^a-zA-Z0-9]/g, '')}`;
  const expected = new ExpectedClients();
  const relay = createRelay({
    ...{ limits, addressOf, shares, log, ssl, via },
    host: () => withPort(settings().server, publicPort(), ssl),
  });
  const clients = createClientRelay({ ...options, limits, shares, clientUrl, ssl, via });
  let server: HttpServer | undefined;
  let redirect: HttpServer | undefined;
  let certificates: Certificates | undefined;
  createGatewayMetrics(options.registry, {
    relays: () => ({ ...relay.count(), ...clients.count() }),
    outcomes: () => [...relay.outcomes, ...clients.outcomes],
    expiresAt: () => certificates?.expiresAt(),
  });

  /** Inside, if one of the routes leads there; else as clients are sent there. */
  function clientUrl(id: ServerId): ClientUrl | undefined {
    const found = endpoint(id);
    if (found === undefined) return undefined;
    const upstream = upstreamOf(gateway().routes, found, settings().server);
    if (upstream !== undefined) return { url: `ws://${authorityOf(upstream)}/client`, inside: true };
    const guard = options.addressGuard(id);
    const url = `${webSocketUrl(found, settings().handOutSsl)}/client`;
    return { url, inside: false, ...(guard !== undefined && { guard: { ...guard, host: found.host } }) };
  }

  const publicPort = () => gateway().publicPort ?? server?.port ?? gateway().port;
  const waits = () => settings().waiting.relay;

  /** The server of the fleet that is behind this path, while clients are looked after. */
  const serverBehind = (path: string): ServerId | undefined => {
    const port = CLIENT.exec(path)?.groups?.['port'];
    const address = port === undefined ? undefined : parseEndpoint(`${hostOf(settings().server)}/${port}`);
    if (address?.kind !== 'endpoint') return undefined;
    const found = endpoint(address.endpoint.id);
    return found && upstreamOf(gateway().routes, found, settings().server) && found.id;
  };

  const waitingHandler = (pass: string | undefined) =>
    clients.handler((request): Arrival => {
      const counted = pass !== undefined && expected.redeem(pass, clock.now());
      return { address: addressOf(request), counted };
    });
  const sentHandler = (id: ServerId) =>
    clients.handler((request): Arrival => {
      const address = addressOf(request);
      const bookingId = expected.arrived(id, address.address, clock.now());
      return { address, counted: true, sentTo: { server: id, ...(bookingId !== undefined && { bookingId }) } };
    });

  const socketHandlerOf = (path: string): SocketHandler | undefined => {
    if (!waits()) return undefined;
    const match = RELAY.exec(path);
    if (match !== null) return waitingHandler(match.groups?.['pass']);
    const id = serverBehind(path);
    return id === undefined ? undefined : sentHandler(id);
  };

  return {
    waits,
    waitingUrl() {
      const { handOutSsl, server: name } = settings();
      const pass = expected.issue(newId(), clock.now());
      return `${handOutSsl ? 'wss' : 'ws'}://${withPort(name, publicPort(), ssl)}/relay/${pass}`;
    },
    sent: (allocated, address) => expected.sent(allocated, address, clock.now()),
    socketHandlerOf,
    serverChanged({ endpoint: { id }, drain }, state) {
      clients.drained(id, drain?.until);
      if (state === 'down') clients.down(id);
    },
    connections: () => (server?.connections() ?? 0) + (redirect?.connections() ?? 0),
    port: () => server?.port,
    redirectPort: () => redirect?.port,

    async start({ mostClients, others, handle, upgrade, refused }) {
      const { listen: host, port, redirectFrom } = gateway();
      const common = { host, limits: settings().limits, mostClients, addressOf, refused };
      server = await startHttpServer({
        ...common,
        others: () => others() + (redirect?.connections() ?? 0),
        ...{ port, tls: ssl, requestTimeout: REQUEST_TIMEOUT },
        handle(request, response) {
          const destination = destinationOf(gateway().routes, request.url ?? '');
          if (destination.kind === 'own') handle(request, response);
          else if (destination.kind === 'relay') relay.request(request, response, destination.upstream, destination.path);
          else {
            response.writeHead(destination.status, { 'Content-Type': 'text/plain; charset=utf-8' });
            response.end(`${destination.reason}\n`);
          }
        },
        upgrade(request, socket, head) {
          const destination = destinationOf(gateway().routes, request.url ?? '');
          if (destination.kind === 'own' || isLookedAfter(request)) upgrade(request, socket, head);
          else if (destination.kind === 'relay') relay.upgrade(request, socket, head, destination.upstream, destination.path);
          else answerPlainly(socket, destination.status, `${destination.reason}\n`);
        },
      });
      if (redirectFrom !== undefined) {
        const answers = createRedirect({
          host: () => withPort(settings().server, publicPort(), true),
          acmeDir: () => gateway().acmeDir,
        });
        redirect = await startHttpServer({
          ...{ ...common, ...answers, port: redirectFrom },
          others: () => others() + (server?.connections() ?? 0),
        });
      }
      certificates = await startCertificates({
        ...{ clock, log, notify: options.notify },
        files: () => gateway().tls,
        use: (pair) => server?.setCertificate(pair),
      });
    },
    async close(grace) {
      const closing = [server, redirect].map((one) => one?.close(grace));
      relay.close();
      await Promise.all([...closing, certificates?.stop()]);
    },
  };

  function isLookedAfter({ url = '' }: IncomingMessage): boolean {
    return waits() && serverBehind(url) !== undefined;
  }
}

/** `server` without a port. */
function hostOf(server: string): string {
  const own = parseEndpoint(server);
  if (own.kind !== 'endpoint') return server;
  return hostInUrl(own.endpoint.host);
}

/** `server` as it stands in links, with the port unless it is the scheme's own or `server` has one of its own. */
function withPort(server: string, port: number, ssl: boolean): string {
  const host = hostInUrl(server);
  if (port === (ssl ? 443 : 80) || /[:/][0-9]+$/.test(host)) return host;
  return `${host}:${port}`;
}

interface GatewayCounts {
  readonly relays: () => Readonly<Record<'requests' | 'webSockets' | 'waiting' | 'sessions', number>>;
  readonly outcomes: () => readonly (readonly [outcome: string, count: number])[];
  /** Seconds since the epoch. */
  readonly expiresAt: () => number | undefined;
}

function createGatewayMetrics(registry: Registry, { relays, outcomes, expiresAt }: GatewayCounts): void {
  new Gauge({
    name: 'session_server_gateway_relays',
    help: 'What is passed on now: requests, WebSockets, clients that wait, sessions that are looked after.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      for (const [kind, count] of Object.entries(relays())) this.set({ kind }, count);
    },
  });
  new Counter({
    name: 'session_server_gateway_outcomes_total',
    help: 'What became of requests that were passed on, and of clients that were looked after.',
    labelNames: ['outcome'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [outcome, count] of outcomes()) this.inc({ outcome }, count);
    },
  });
  new Gauge({
    name: 'session_server_certificate_expiry_time_seconds',
    help: 'When the certificate of the gateway expires; absent while there is none.',
    registers: [registry],
    collect() {
      const at = expiresAt();
      if (at === undefined) this.reset();
      else this.set(at);
    },
  });
}
