/**
 * The address of a simulation server, as operators write it and as clients receive it.
 *
 * An entry is `host[:port][/path…]` (docs/design/protocol.md, "Configuration file"). Usual are `host/2000` behind a reverse proxy that rewrites ports, and
 * `host:2000` for a direct connection. Clients receive the address exactly as it was written, because they build further addresses from it. The id is one
 * canonical spelling, so that all spellings of one machine are one server.
 */
import { parseAuthority, readPort } from './host-and-port.ts';
import { asciiHostName } from './host-name.ts';
import { canonicalIpv6 } from './ip-address.ts';

/** Identity of a simulation server over reloads and restarts: `host:port`, the host as `canonicalHost` spells it, IPv6 in brackets. A path follows. */
export type ServerId = string;

export interface Endpoint {
  readonly id: ServerId;
  /** The entry as the operator wrote it, without surrounding white space. */
  readonly address: string;
  /** Host name in its ASCII form, or IP address; IPv6 without brackets. */
  readonly host: string;
  /** Absent when the entry names none: the default port of the scheme. */
  readonly port: number | undefined;
  /** `true` for `host/2000`: a reverse proxy maps the path to the port. */
  readonly rewritten: boolean;
  /** What follows the host and the port, with its first slash, unless it is the port itself as in `host/2000`. */
  readonly path?: string;
}

/** `invisible`: a character without width, which copying text from web pages brings along. */
export type EndpointProblem = 'empty' | 'too-long' | 'scheme' | 'white-space' | 'invisible' | 'host' | 'zone' | 'port' | 'path';

export type EndpointResult =
  { readonly kind: 'endpoint'; readonly endpoint: Endpoint } | { readonly kind: 'invalid'; readonly problem: EndpointProblem };

/** RFC 1035 § 2.3.4 allows 253 characters for the name; the rest is the port, brackets and a path. */
const MAX_ADDRESS = 500;
/** No segment is `.` or `..`: clients would resolve them, and reach another path than the one that is written. */
const PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+)+$/;

/** Reads one entry of `simulationServers`: `host[:port][/path…]`. Never throws. */
export function parseEndpoint(text: string): EndpointResult {
  const address = text.trim();
  if (address === '') return invalid('empty');
  if (address.length > MAX_ADDRESS) return invalid('too-long');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(address)) return invalid('scheme');
  if (/[\s\u0000-\u001f\u007f]/.test(address)) return invalid('white-space');
  if (/\p{Cf}/u.test(address)) return invalid('invisible');

  const [, authority = '', path = ''] = /^([^/]*)(.*)$/s.exec(address) ?? [];
  const read = parseAuthority(authority);
  if (read.kind === 'invalid') return read;
  const { host, port, zone } = read;
  // Clients could not reach it.
  if (zone) return invalid('zone');
  if (path !== '' && !PATH.test(path)) return invalid('path');
  const portOfPath = port === undefined ? readPort(path.slice(1)) : undefined;
  if (portOfPath !== undefined) return endpoint({ address, host, port: portOfPath, rewritten: true });
  return endpoint({ address, host, port, rewritten: false, ...(path !== '' && { path }) });
}

/** The URL of `/load` or `/monitor` of a simulation server. */
export function httpUrl(endpoint: Endpoint, path: '/load' | '/monitor', ssl: boolean): string {
  return `${ssl ? 'https' : 'http'}://${endpoint.address}${path}`;
}

/**
 * What a client receives: exactly the scheme and the entry (docs/design/protocol.md, "HTTP"). No trailing slash, ever:
 * clients append `/client`.
 */
export function webSocketUrl(endpoint: Endpoint, ssl: boolean): string {
  return `${ssl ? 'wss' : 'ws'}://${endpoint.address}`;
}

/** One spelling for a host: ASCII, lower case, without the final dot of the root (RFC 1034 § 3.1), IPv6 (without brackets) as in RFC 5952. */
export function canonicalHost(host: string): string {
  return canonicalIpv6(host) ?? (asciiHostName(host) ?? host).toLowerCase().replace(/\.$/, '');
}

/** A host as it is written in a URL: IPv6 in brackets, anything else unchanged. */
export function hostInUrl(host: string): string {
  return canonicalIpv6(host) !== undefined ? `[${host}]` : host;
}

function endpoint({ path, ...rest }: Omit<Endpoint, 'id'>): EndpointResult {
  const name = hostInUrl(canonicalHost(rest.host));
  const id = `${name}${rest.port === undefined ? '' : `:${rest.port}`}${path ?? ''}`;
  return { kind: 'endpoint', endpoint: { id, ...rest, ...(path !== undefined && { path }) } };
}

function invalid(problem: EndpointProblem): EndpointResult {
  return { kind: 'invalid', problem };
}
