/**
 * Which requests the gateway forwards, and to which server (docs/design/protocol.md, "URLs in gateway mode").
 *
 * `/PORT/…` goes to the host of the route that covers PORT, and nowhere else: the rewrite rule this replaces forwarded to any local port, which is an
 * open proxy. So a path is forwarded only in the one spelling that clients use. Any other path that begins with a digit is rejected; no path of the
 * session server begins with a digit.
 */
import { canonicalHost, parseEndpoint, type Endpoint } from '../fleet/endpoint.ts';
import { parseHostAndPort } from '../fleet/host-and-port.ts';

/** Ports from `first` to `last` are those of one host. */
export interface GatewayRoute {
  readonly first: number;
  readonly last: number;
  /** Host name or IP address; IPv6 without brackets. */
  readonly host: string;
}

/** In the order of their ports; no two overlap. */
export type GatewayRoutes = readonly GatewayRoute[];

export type RoutesResult =
  | { readonly kind: 'routes'; readonly routes: GatewayRoutes }
  | { readonly kind: 'invalid'; readonly problems: readonly [RouteProblem, ...RouteProblem[]] };

/** `range` is the entry with the error, `reason` a sentence that says how to fix it. */
export interface RouteProblem {
  readonly range: string;
  readonly reason: string;
}

export interface Upstream {
  readonly host: string;
  readonly port: number;
  /** A Unix socket of this machine, used instead of host and port. */
  readonly socketPath?: string;
}

export type Destination =
  /** To a simulation server; `path` is the path it gets, as the client wrote it. */
  | { readonly kind: 'relay'; readonly upstream: Upstream; readonly path: string }
  /** The session server's own pages. */
  | { readonly kind: 'own' }
  | { readonly kind: 'refused'; readonly status: 400 | 404; readonly reason: string };

/** Ports below belong to the machine's own services; no simulation server listens there. */
const LOWEST_PORT = 1024;
const HIGHEST_PORT = 65_535;

/** Reads ranges such as `"2000-2999": "localhost"`. Reports every entry with an error, in the order of the file. Never throws. */
export function parseRoutes(entries: Readonly<Record<string, string>>): RoutesResult {
  const read = Object.entries(entries).map(([range, text]) => readRoute(range, text));
  const routes = read.flatMap((result) => ('host' in result ? result : [])).sort((a, b) => a.first - b.first);
  const [problem, ...others] = [...read.flatMap((result) => ('host' in result ? [] : result)), ...overlaps(routes)];
  return problem === undefined ? { kind: 'routes', routes } : { kind: 'invalid', problems: [problem, ...others] };
}

function readRoute(range: string, text: string): GatewayRoute | RouteProblem {
  const [first = 0, last = first] = (/^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(range)?.slice(1) ?? [])
    .filter((port) => (port as string | undefined) !== undefined)
    .map(Number);
  if (first < LOWEST_PORT || last > HIGHEST_PORT || last < first)
    return { range, reason: `write a range of ports from ${LOWEST_PORT} to ${HIGHEST_PORT}, such as "2000-2999"` };
  const host = hostOf(text);
  if (host === undefined) return { range, reason: 'write a host name or an IP address, without a port, such as "localhost"' };
  return { first, last, host };
}

/** `routes` in the order of their ports. */
function overlaps(routes: GatewayRoutes): RouteProblem[] {
  return routes.flatMap(({ first, last }, i) => {
    const next = routes[i + 1];
    if (next === undefined || next.first > last) return [];
    return { range: `${first}-${last}`, reason: `each port may be in one range only; ${next.first} is in two` };
  });
}

export function upstreamOfPort(routes: GatewayRoutes, port: number): Upstream | undefined {
  const route = routes.find(({ first, last }) => first <= port && port <= last);
  return route && { host: route.host, port };
}

/** The suggested range for the machine with this port: the thousand around it, within the ports that routes may have. `undefined`: none. */
export function thousandAround(port: number): { readonly first: number; readonly last: number } | undefined {
  if (port < LOWEST_PORT || port > HIGHEST_PORT) return undefined;
  const thousand = Math.floor(port / 1000) * 1000;
  return { first: Math.max(LOWEST_PORT, thousand), last: Math.min(HIGHEST_PORT, thousand + 999) };
}

/** Where a request goes. `target` is the request target of its first line. */
export function destinationOf(routes: GatewayRoutes, target: string): Destination {
  if (!target.startsWith('/'))
    return target === '*'
      ? { kind: 'own' }
      : { kind: 'refused', status: 400, reason: 'Not a forward proxy: request a path, not a full URL.' };
  if (!/^\/[0-9]/.test(target)) return { kind: 'own' };
  const { port, rest = '' } = /^\/(?<port>[1-9][0-9]{0,4})(?<rest>[/?][\x21\x22\x24-\xff]*)?$/.exec(target)?.groups ?? {};
  const upstream = port === undefined ? undefined : upstreamOfPort(routes, Number(port));
  if (upstream === undefined) return { kind: 'refused', status: 404, reason: 'There is no simulation server at this path.' };
  return { kind: 'relay', upstream, path: rest.startsWith('/') ? rest : `/${rest}` };
}

/** Where the gateway itself reaches a simulation server, or `undefined` when the server is not behind this gateway: it has another name or no route. */
export function upstreamOf(routes: GatewayRoutes, endpoint: Endpoint, server: string): Upstream | undefined {
  const port = portBehind(endpoint, server);
  return port === undefined ? undefined : upstreamOfPort(routes, port);
}

/** The port of a simulation server that clients reach through this gateway because its name is `server`, whether or not there is a route for it. */
export function portBehind(endpoint: Endpoint, server: string): number | undefined {
  if (!endpoint.rewritten) return undefined;
  const own = parseEndpoint(server);
  const same =
    own.kind === 'endpoint' &&
    own.endpoint.path === undefined &&
    canonicalHost(own.endpoint.host) === canonicalHost(endpoint.host);
  return same ? endpoint.port : undefined;
}

/** The same server, with the address at which the gateway reaches it; `undefined` when it is not behind the gateway. */
export function insideEndpoint(routes: GatewayRoutes, endpoint: Endpoint, server: string): Endpoint | undefined {
  const upstream = upstreamOf(routes, endpoint, server);
  return upstream && { ...endpoint, ...upstream, address: authorityOf(upstream), rewritten: false };
}

/** `host:port` as it is written in a URL. */
export function authorityOf({ host, port }: Upstream): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function hostOf(text: string): string | undefined {
  const read = parseHostAndPort(text);
  return read.kind === 'host' && read.port === undefined && !read.zone ? read.host : undefined;
}
