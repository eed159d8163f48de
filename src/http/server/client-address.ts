/**
 * Who is asking. Behind a front all connections come from the front; `X-Forwarded-For` tells the client, and is believed only when the connection comes
 * from a trusted proxy, because anybody can send the header.
 */
import { BlockList, isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { mappedIpv4 } from '../../core/fleet/ip-address.ts';

export interface ClientAddress {
  /** For people and the log. */
  readonly address: string;
  /**
   * What limits count by: the IPv4 address or the IPv6 /64 network, since one machine has a whole network of IPv6 addresses. `undefined`: not limited. That is
   * a request from this machine that names nobody else, as from a front that does not send the header or hides its clients in it: limiting it
   * would make all its clients share one bucket.
   */
  readonly limitKey: string | undefined;
}

export type AddressOf = (request: IncomingMessage) => ClientAddress;

export interface NetworksResult {
  readonly networks: BlockList;
  /** Entries that are neither an address nor a network. */
  readonly invalid: readonly string[];
}

/** Proxies between us and a client at most; the first ones of a longer chain are not looked at. */
const MAX_CHAIN = 50;
/** Addresses of which it is remembered whether they are trusted: fronts, and clients that ask again. */
const MAX_REMEMBERED = 1000;

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

export function createAddressOf(trusted: BlockList): AddressOf {
  const remembered = new Map<string, boolean>();
  const isTrusted = (address: string) => {
    let answer = remembered.get(address);
    if (answer === undefined) {
      answer = trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      remembered.set(address, answer);
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

/** Each proxy appends whom it heard from: the last entry that is no trusted proxy is the client; what stands before it is hearsay. */
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

/** Some fronts put what has a colon in quotes, as the header `Forwarded` wants it (RFC 7239 § 6). */
function withoutPort(quoted: string): string {
  const text = /^"(.*)"$/.exec(quoted)?.[1] ?? quoted;
  return /^\[(.*)\](?::[0-9]+)?$/.exec(text)?.[1] ?? /^([0-9.]+):[0-9]+$/.exec(text)?.[1] ?? text;
}

/** IPv4 in IPv6 clothes, as a socket that listens on both has it, is IPv4. */
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
