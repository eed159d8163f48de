/** The rule for hosts in all keys of the configuration: a DNS name, an IPv4 address or an IPv6 address, and a port where one is allowed. */
import { asciiHostName } from './host-name.ts';
import { canonicalIpv6 } from './ip-address.ts';

export interface HostAndPort {
  readonly kind: 'host';
  /** A name in its ASCII form, or an IP address; IPv6 without brackets, but with its zone. */
  readonly host: string;
  readonly port: number | undefined;
  /** It is an IPv6 address with a zone, such as `fe80::1%eth0`, which has a meaning on this machine alone (RFC 4007 § 6). */
  readonly zone: boolean;
}

export type HostResult = HostAndPort | { readonly kind: 'invalid'; readonly problem: 'host' | 'port' };

/** RFC 1035 § 2.3.4. */
const MAX_HOST = 253;
const PARTS = /^(?:\[(?<v6>[^\]]*)\]|(?<name>[^/:[\]]*))(?::(?<port>.*))?$/s;
const ZONE = /%[A-Za-z0-9._~-]{1,60}$/;

/** Reads `host[:port]`, with IPv6 addresses in brackets, as in a URL. Never throws. */
export function parseAuthority(text: string): HostResult {
  const parts = PARTS.exec(text)?.groups;
  if (parts === undefined) return { kind: 'invalid', problem: 'host' };
  const { v6, name = '', port: portText } = parts;
  const host = v6 === undefined ? asciiHostName(name) : isIpv6(v6) ? v6 : undefined;
  if (host === undefined || host.length > MAX_HOST) return { kind: 'invalid', problem: 'host' };
  const port = portText === undefined ? undefined : readPort(portText);
  if (portText !== undefined && port === undefined) return { kind: 'invalid', problem: 'port' };
  return { kind: 'host', host, port, zone: v6 !== undefined && ZONE.test(v6) };
}

/** As `parseAuthority`; an IPv6 address without a port needs no brackets. */
export function parseHostAndPort(text: string): HostResult {
  return isIpv6(text) ? parseAuthority(`[${text}]`) : parseAuthority(text);
}

/** A port from 1 to 65535. */
export function readPort(text: string): number | undefined {
  if (!/^[0-9]{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function isIpv6(text: string): boolean {
  return canonicalIpv6(text.replace(ZONE, '')) !== undefined;
}
