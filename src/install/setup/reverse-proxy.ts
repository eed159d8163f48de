/**
 * What a reverse proxy for the session server has to do: forward `/PORT/…` to the machine that has this port, and everything else to the session server.
 *
 * The rule of the original's documentation (`^/(\d*)/(.*)$ → localhost:$1/$2`) forwards to any port of the machine, including those of its own services,
 * and to one machine only. Here only ports of the fleet are forwarded, each to its own machine (docs/design/protocol.md, "URLs in gateway mode").
 */
import type { Settings } from '../../config/settings.ts';
import { canonicalHost } from '../../core/fleet/endpoint.ts';
import { parseRoutes, portBehind, thousandAround, upstreamOf, type GatewayRoutes } from '../../core/gateway/gateway-routes.ts';

export interface ReverseProxy {
  /** Fully qualified name of the site. */
  readonly server: string;
  /** Port of the session server on this machine. */
  readonly port: number;
  /** `host:port` of each replica, none of which is on this machine by its port alone. Absent: one session server. */
  readonly replicas?: readonly string[];
  readonly routes: GatewayRoutes;
  /** Absent: plain HTTP, for a closed network. */
  readonly tls?: {
    readonly cert: string;
    readonly key: string;
    /** Named by the operator; else they are where certbot puts them. */
    readonly own: boolean;
  };
  /** `monitor.origin`. */
  readonly operators?: URL;
  /** Ports of the reverse proxy. */
  readonly listen: { readonly http: number; readonly https: number };
}

/** Idle timeout, seconds: paused simulations are silent for long periods. */
export const IDLE_TIMEOUT = 3600;
/** Seconds a machine has to accept a connection. */
export const CONNECT_TIMEOUT = 5;

export type ReverseProxyResult =
  { readonly kind: 'reverse-proxy'; readonly reverseProxy: ReverseProxy } | { readonly kind: 'refused'; readonly reason: string };

/** The reverse proxy of a fleet. `routes` are ranges of ports by host, as in `gateway.routes`, which they replace. */
export function reverseProxyOf(settings: Settings, routes: Readonly<Record<string, string>>): ReverseProxyResult {
  const read = Object.keys(routes).length > 0 ? parseRoutes(routes) : routesOf(settings);
  if (read.kind === 'invalid') return { kind: 'refused', reason: `${read.problems[0].range}: ${read.problems[0].reason}` };
  const { server, port, ssl, monitor } = settings;
  const unreachable = outOfReach(settings);
  if (unreachable !== undefined) return { kind: 'refused', reason: unreachable };
  const missing = settings.simulationServers.find(
    ({ endpoint }) => portBehind(endpoint, server) !== undefined && upstreamOf(read.routes, endpoint, server) === undefined,
  );
  if (missing !== undefined)
    return {
      kind: 'refused',
      reason: `${missing.endpoint.address} is in no range of ports; give its machine, as in --route 3000-3999=10.0.0.3`,
    };
  // As certbot names it.
  const letsEncrypt = `/etc/letsencrypt/live/${canonicalHost(server)}`;
  const named = settings.gateway.tls;
  const tls = {
    ...(named ?? { cert: `${letsEncrypt}/fullchain.pem`, key: `${letsEncrypt}/privkey.pem` }),
    own: named !== undefined,
  };
  return {
    kind: 'reverse-proxy',
    reverseProxy: {
      ...{ server, port, routes: withOwnPort(read.routes, port), listen: { http: 80, https: 443 } },
      ...(ssl && { tls }),
      ...(monitor.origin !== undefined && { operators: new URL(monitor.origin) }),
    },
  };
}

/** Addresses with which a web server of the same machine reaches the session server at 127.0.0.1. */
const LOCAL_LISTEN: readonly string[] = ['::', '0.0.0.0', '127.0.0.1'];

/** Why no site can reach the session server, or `undefined`. */
function outOfReach({ listen, port }: Settings): string | undefined {
  if (!LOCAL_LISTEN.includes(listen))
    return `"listen" is ${listen}, and the web server forwards to 127.0.0.1; set "listen" to "127.0.0.1"`;
  return port === 0 ? '"port" is 0, which is a different port at each start; choose one, such as 1999' : undefined;
}

/** Links in e-mails name the session server by its own port, as those of the original do. */
function withOwnPort(routes: GatewayRoutes, port: number): GatewayRoutes {
  const covered = routes.some(({ first, last }) => first <= port && port <= last);
  return covered ? routes : [...routes, { first: port, last: port, host: '127.0.0.1' }];
}

/** From `gateway.routes`; else, when there is one simulation server behind the reverse proxy, the thousand ports around its own on this machine. */
function routesOf({ gateway, simulationServers, server }: Settings) {
  if (gateway.routes.length > 0) return { kind: 'routes', routes: gateway.routes } as const;
  const ports = simulationServers.flatMap(({ endpoint }) => portBehind(endpoint, server) ?? []);
  const [only] = ports;
  if (ports.length > 1)
    return {
      kind: 'invalid',
      problems: [
        {
          range: 'routes',
          reason:
            'several simulation servers are behind the reverse proxy; give the machine of each range of ports, in "gateway.routes" or as in --route 2000-2999=localhost --route 3000-3999=10.0.0.3',
        },
      ],
    } as const;
  const range = only === undefined ? undefined : thousandAround(only);
  return { kind: 'routes', routes: range === undefined ? [] : [{ ...range, host: 'localhost' }] } as const;
}

/** A host as it is written in a URL. */
export function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
