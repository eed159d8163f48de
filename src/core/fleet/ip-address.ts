/**
 * What kind of network an IP address belongs to: this machine, this link, a private network or the Internet (RFC 6890). An address that contains another
 * one (RFC 4291 § 2.5.5, RFC 6052, RFC 3056) is classified by the inner one, because the system, a translator or a router extracts it.
 */

/** `reserved`: not the address of a machine: broadcast, documentation, future use. */
export type AddressKind = 'public' | 'private' | 'loopback' | 'link-local' | 'unspecified' | 'multicast' | 'reserved';

/** `undefined` when the text is not an IP address. A zone (`fe80::1%eth0`) is ignored. Never throws. */
export function addressKind(text: string): AddressKind | undefined {
  const v4 = parseIpv4(text);
  if (v4 !== undefined) return kindOfIpv4(v4);
  const v6 = parseIpv6(text.replace(/%.*$/s, ''));
  return v6 === undefined ? undefined : kindOfIpv6(v6);
}

type Bytes = readonly number[];
type Groups = readonly number[];

/** The one spelling of an IPv6 address (RFC 5952 § 4), or `undefined` when the text is not one. */
export function canonicalIpv6(text: string): string | undefined {
  const groups = parseIpv6(text);
  if (groups === undefined) return undefined;
  const runs = groups.map((_, start) => {
    const end = groups.findIndex((group, i) => i >= start && group !== 0);
    return { start, length: (end < 0 ? groups.length : end) - start };
  });
  // The first of several of equal length.
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best));
  const spell = (part: Groups) => part.map((group) => group.toString(16)).join(':');
  if (longest.length < 2) return spell(groups);
  return `${spell(groups.slice(0, longest.start))}::${spell(groups.slice(longest.start + longest.length))}`;
}

/** The IPv4 address that an IPv6 address maps (RFC 4291 § 2.5.5.2), however it is spelled: `::ffff:192.0.2.7` or `::ffff:c000:207`. */
export function mappedIpv4(text: string): string | undefined {
  const groups = parseIpv6(text);
  if (groups === undefined || groups.some((group, i) => i < 6 && group !== (i === 5 ? 0xffff : 0))) return undefined;
  return bytesOf(groups[6] ?? 0, groups[7] ?? 0).join('.');
}

/** Prefixes from the special-purpose registry; the first that fits counts. */
const IPV4_KINDS: readonly (readonly [network: Bytes, bits: number, kind: AddressKind])[] = [
  [[0, 0, 0, 0], 8, 'unspecified'],
  [[127, 0, 0, 0], 8, 'loopback'],
  [[169, 254, 0, 0], 16, 'link-local'],
  [[10, 0, 0, 0], 8, 'private'],
  [[172, 16, 0, 0], 12, 'private'],
  [[192, 168, 0, 0], 16, 'private'],
  [[100, 64, 0, 0], 10, 'private'],
  [[192, 0, 0, 0], 24, 'reserved'],
  [[192, 0, 2, 0], 24, 'reserved'],
  [[198, 51, 100, 0], 24, 'reserved'],
  [[203, 0, 113, 0], 24, 'reserved'],
  [[198, 18, 0, 0], 15, 'private'],
  [[224, 0, 0, 0], 4, 'multicast'],
  [[240, 0, 0, 0], 4, 'reserved'],
];

function kindOfIpv4(address: Bytes): AddressKind {
  return IPV4_KINDS.find(([network, bits]) => sharesPrefix(address, network, bits, 8))?.[2] ?? 'public';
}

function kindOfIpv6(groups: Groups): AddressKind {
  const inner = embeddedIpv4(groups);
  if (inner !== undefined) return kindOfIpv4(inner);
  const [first = 0, second = 0] = groups;
  if (groups.every((group) => group === 0)) return 'unspecified';
  if (groups.every((group, i) => group === (i === 7 ? 1 : 0))) return 'loopback';
  if (first >> 8 === 0xff) return 'multicast';
  if (first >> 6 === 0xfe80 >> 6) return 'link-local';
  // Old site-local addresses (RFC 3879) are still routed as private where they are in use.
  if (first >> 9 === 0xfc00 >> 9 || first >> 6 === 0xfec0 >> 6) return 'private';
  if (first === 0x2001 && second === 0x0db8) return 'reserved';
  return first >> 13 === 1 ? 'public' : 'reserved';
}

/** The IPv4 address inside: mapped `::ffff:a.b.c.d`, compatible `::a.b.c.d`, translated `64:ff9b::a.b.c.d`, and 6to4 `2002:ab:cd::`. */
function embeddedIpv4(groups: Groups): Bytes | undefined {
  const [first = 0, second = 0, third = 0] = groups;
  const [g6 = 0, g7 = 0] = groups.slice(6);
  if (first === 0x2002) return bytesOf(second, third);
  const head = groups.slice(0, 6);
  const zeros = (part: Groups) => part.every((group) => group === 0);
  if (zeros(head.slice(0, 5)) && (head[5] === 0xffff || (head[5] === 0 && g6 !== 0))) return bytesOf(g6, g7);
  if (zeros(head.slice(0, 4)) && head[4] === 0xffff && head[5] === 0) return bytesOf(g6, g7);
  // Networks for local use (RFC 8215) have the IPv4 address at other places, so none of them is accepted.
  if (first === 0x64 && second === 0xff9b && zeros(groups.slice(2, 6))) return bytesOf(g6, g7);
  return undefined;
}

function bytesOf(high: number, low: number): Bytes {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff];
}

function sharesPrefix(a: Bytes, b: Bytes, bits: number, width: number): boolean {
  for (let i = 0, left = bits; left > 0; i += 1, left -= width) {
    const shift = Math.max(0, width - left);
    if ((a[i] ?? 0) >> shift !== (b[i] ?? 0) >> shift) return false;
  }
  return true;
}

function parseIpv4(text: string): Bytes | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  return parts?.every((part) => part <= 255) === true ? parts : undefined;
}

function parseIpv6(text: string): Groups | undefined {
  const halves = text.split('::');
  if (halves.length > 2 || !text.includes(':')) return undefined;
  const head = groupsOf(halves[0] ?? '');
  const tail = groupsOf(halves[1] ?? '');
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail];
}

function groupsOf(half: string): Groups | undefined {
  if (half === '') return [];
  const groups: number[] = [];
  const parts = half.split(':');
  for (const [i, part] of parts.entries()) {
    const v4 = i === parts.length - 1 ? parseIpv4(part) : undefined;
    if (v4 !== undefined) groups.push(((v4[0] ?? 0) << 8) | (v4[1] ?? 0), ((v4[2] ?? 0) << 8) | (v4[3] ?? 0));
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}
