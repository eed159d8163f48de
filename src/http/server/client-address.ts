/**
 * The address of a client. Behind a reverse proxy all connections come from the proxy, and `X-Forwarded-For` names the
 * client. The header is trusted only when the connection comes from a trusted proxy, because any client can send it.
 */
import { BlockList, isIP, type Socket } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { mappedIpv4 } from '../../core/fleet/ip-address.ts';

export interface ClientAddress {
  /** For people and the log. */
  readonly address: string;
  /**
   * The key of per-address limits: the IPv4 address, or the IPv6 /64 network, since one machine has a whole network of
   * IPv6 addresses. `undefined`: not limited. That is a request from this machine without a client address, for example
   * from a reverse proxy that does not send the header: all its clients would share one limit.
   */
  readonly limitKey: string | undefined;
}

export type AddressOf = (request: IncomingMessage) => ClientAddress;

/** The key of the share of the machine that connects; `undefined`: it has none, because it is this machine or a trusted proxy. */
export type PeerKey = (socket: Pick<Socket, 'remoteAddress'>) => string | undefined;

export interface ClientAddresses {
  readonly of: AddressOf;
  readonly peerKey: PeerKey;
  /** The settings are others. */
  readonly reconfigure: () => void;
}

export interface NetworksResult {
  readonly networks: BlockList;
  /** Entries that are neither an address nor a network. */
  readonly invalid: readonly string[];
}

/** Maximum number of proxies between us and a client; the first ones of a longer chain are ignored. */
const MAX_CHAIN = 50;
/** Addresses for which the trust decision is cached: proxies, and clients that return. */
const MAX_CACHED = 1000;

/** Addresses of clients, by the proxies that are trusted now. */
export function clientAddresses(settings: () => { readonly trustedProxies: readonly string[] }): ClientAddresses {
  const create = () => {
    const { networks } = parseNetworks(settings().trustedProxies);
    return { addressOf: createAddressOf(networks), peerKey: createPeerKey(networks) };
  };
  let current = create();
  return {
    of: (request) => current.addressOf(request),
    peerKey: (socket) => current.peerKey(socket),
    reconfigure() {
      current = create();
    },
  };
}

/** Reads `trustedProxies`: addresses and networks in CIDR notation. */
export function parseNetworks(entries: readonly string[]): NetworksResult {
  const networks = new BlockList();
  const invalid: string[] = [];
  for (const entry of entries) {
    const [address = '', prefix, ...rest] = entry.split('/');
    const version = isIP(address);
    const bits = prefix === undefined ? undefined : Number(prefix);
    if (
      version === 0 ||
      rest.length > 0 ||
      (prefix !== undefined && !/^[0-9]{1,3}$/.test(prefix)) ||
      (bits !== undefined && bits > (version === 4 ? 32 : 128))
    ) {
      invalid.push(entry);
    } else if (bits === undefined) {
      networks.addAddress(address, version === 4 ? 'ipv4' : 'ipv6');
    } else {
      networks.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6');
    }
  }
  return { networks, invalid };
}

export function createPeerKey(trusted: BlockList): PeerKey {
  return ({ remoteAddress = '' }) => {
    const peer = plain(remoteAddress);
    if (isIP(peer) === 0) return 'unknown';
    return isLoopback(peer) || trusted.check(peer, isIP(peer) === 6 ? 'ipv6' : 'ipv4') ? undefined : limitKey(peer);
  };
}

export function createAddressOf(trusted: BlockList): AddressOf {
  const cached = new Map<string, boolean>();
  const isTrusted = (address: string) => {
    let answer = cached.get(address);
    if (answer === undefined) {
      answer = trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
      if (cached.size >= MAX_CACHED) cached.clear();
      cached.set(address, answer);
    }
    return answer;
  };
  return (request) => {
    const peer = plain(request.socket.remoteAddress ?? '');
    if (peer === '') return { address: 'unknown', limitKey: 'unknown' };
    const header = request.headers['x-forwarded-for'];
    const address =
      header === undefined || !isTrusted(peer)
        ? peer
        : lastUntrusted(peer, typeof header === 'string' ? header : header.join(','), isTrusted);
    return { address, limitKey: isLoopback(address) ? undefined : limitKey(address) };
  };
}

/** Each proxy appends its peer, so the last entry that is not a trusted proxy is the client. Entries before it are not reliable. */
function lastUntrusted(peer: string, header: string, isTrusted: (address: string) => boolean): string {
  let address = peer;
  const chain = header.split(',').slice(-MAX_CHAIN);
  for (let i = chain.length - 1; i >= 0; i -= 1) {
    const entry = (chain[i] ?? '').trim();
    // Lists may have empty elements (RFC 9110 § 5.6.1).
    if (entry === '') continue;
    const hop = plain(withoutPort(entry));
    if (isIP(hop) === 0) return address;
    address = hop;
    if (!isTrusted(hop)) return address;
  }
  return address;
}

/** Some proxies quote addresses with a colon, as the header `Forwarded` requires (RFC 7239 § 6). */
function withoutPort(quoted: string): string {
  const text = /^"(.*)"$/.exec(quoted)?.[1] ?? quoted;
  return /^\[(.*)\](?::[0-9]+)?$/.exec(text)?.[1] ?? /^([0-9.]+):[0-9]+$/.exec(text)?.[1] ?? text;
}

/** IPv4-mapped IPv6 addresses, which a socket that listens on both reports, are IPv4. */
function plain(address: string): string {
  return /^[0:]+:ffff:/i.test(address) ? (mappedIpv4(address) ?? address) : address;
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

function limitKey(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups =
    tail === undefined ? first : [...first, ...Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0'), ...last];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
