/**
 * The address of a simulation server, as operators write it and as clients receive it.
 *
 * Two spellings are in use (docs/design/protocol.md, "Configuration file"): `host/2000` behind a reverse proxy that rewrites ports, and `host:2000` for a direct connection. Clients
 * receive the address exactly as it was written, because they build further addresses from it. The id is one canonical spelling, so that all spellings
 * of one machine are one server.
 */
import { canonicalIpv6 } from './ip-address.ts';

/** Identity of a simulation server over reloads and restarts: `host:port`, the host as `canonicalHost` spells it, IPv6 in brackets. */
export type ServerId = string;

export interface Endpoint {
  readonly id: ServerId;
  /** The entry as the operator wrote it, without surrounding white space. */
  readonly address: string;
  /** Host name or IP address; IPv6 without brackets. */
  readonly host: string;
  /** Absent when the entry is only a host: the default port of the scheme. */
  readonly port: number | undefined;
  /** `true` for `host/2000`: a reverse proxy maps the path to the port. */
  readonly rewritten: boolean;
}

export type EndpointProblem = 'empty' | 'too-long' | 'scheme' | 'white-space' | 'host' | 'port';

export type EndpointResult =
  { readonly kind: 'endpoint'; readonly endpoint: Endpoint } | { readonly kind: 'invalid'; readonly problem: EndpointProblem };

/** RFC 1035 § 2.3.4 allows 253 characters for the name; the rest is the port and brackets. */
const MAX_ADDRESS = 270;
const LABEL = /^(?!-)[a-z0-9_-]{1,63}$/i;
const IPV4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/;

/** Reads one entry of `simulationServers`. Never throws. */
export function parseEndpoint(text: string): EndpointResult {
  const address = text.trim();
  if (address === '') return invalid('empty');
  if (address.length > MAX_ADDRESS) return invalid('too-long');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(address)) return invalid('scheme');
  if (/[\s\u0000-\u001f\u007f]/.test(address)) return invalid('white-space');

  const parts = /^(?:\[(?<v6>[^\]]*)\]|(?<name>[^/:[\]]*))(?:(?<separator>[/:])(?<port>.*))?$/.exec(address)?.groups;
  if (parts === undefined) return invalid('host');
  const { v6, name, separator, port: portText } = parts;
  const host = v6 ?? name ?? '';
  if (v6 === undefined ? !isHostName(host) : canonicalIpv6(v6) === undefined) return invalid('host');

  const rewritten = separator === '/';
  if (separator === undefined) return endpoint(address, host, undefined, false);
  if (portText === undefined || !/^[0-9]{1,5}$/.test(portText)) return invalid('port');
  const port = Number(portText);
  if (port < 1 || port > 65_535) return invalid('port');
  return endpoint(address, host, port, rewritten);
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

/** One spelling for a host: lower case, without the final dot of the root (RFC 1034 § 3.1), IPv6 (without brackets) as in RFC 5952. */
export function canonicalHost(host: string): string {
  return canonicalIpv6(host) ?? host.toLowerCase().replace(/\.$/, '');
}

/** A host as it is written in a URL: IPv6 in brackets, anything else unchanged. */
export function hostInUrl(host: string): string {
  return canonicalIpv6(host) !== undefined ? `[${host}]` : host;
}

/** A DNS name or an IPv4 address. A name whose last label is a number can only be an IPv4 address (URL standard, "ends in a number"). */
function isHostName(host: string): boolean {
  if (host.length > 253) return false;
  const labels = host.split('.');
  if (labels.length > 1 && labels.at(-1) === '') labels.pop();
  const last = labels.at(-1) ?? '';
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/i.test(last)) return IPV4.test(host);
  return (
    labels.every((label) => LABEL.test(label)) &&
    !labels.some((label) => /^xn--/i.test(label) && !/^xn--[a-z0-9]{1,59}$/i.test(label))
  );
}

function endpoint(address: string, host: string, port: number | undefined, rewritten: boolean): EndpointResult {
  const canonical = canonicalHost(host);
  const name = hostInUrl(canonical);
  const id = port === undefined ? name : `${name}:${port}`;
  return { kind: 'endpoint', endpoint: { id, address, host, port, rewritten } };
}

function invalid(problem: EndpointProblem): EndpointResult {
  return { kind: 'invalid', problem };
}
