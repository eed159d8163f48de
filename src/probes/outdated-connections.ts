/** Finds kept connections to addresses that their names no longer have: DNS moved the name, or forgot the address, while the connection stayed open. */
import { isIP, type LookupFunction } from 'node:net';
import { ADDRESS_REFUSED } from './guarded-lookup.ts';

export interface KeptConnection {
  /** Host name, or IP address without brackets. */
  readonly host: string;
  readonly lookup: LookupFunction;
  /** IP address of the other end; `undefined`: not connected, or connected through a proxy. */
  readonly address: string | undefined;
  /** Opens no further request on this connection. */
  retire(): void;
}

/** Names that are resolved at the same time. Names of new connections must not wait for all names of the fleet. */
const AT_ONCE = 2;

/** Resolves each name once, and retires the connections to addresses that are not in the answer. Never throws. */
export async function retireOutdated(connections: Iterable<KeptConnection>): Promise<void> {
  const groups = groupsByName(connections).values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const group of groups) await retireIn(group);
    }),
  );
}

/** Registered servers have a lookup of their own, which also refuses addresses. */
function groupsByName(connections: Iterable<KeptConnection>): readonly (readonly KeptConnection[])[] {
  const byLookup = new Map<LookupFunction, Map<string, KeptConnection[]>>();
  for (const connection of connections) {
    const { host, lookup, address } = connection;
    if (address === undefined || isIP(host) !== 0) continue;
    const byName = byLookup.get(lookup) ?? new Map<string, KeptConnection[]>();
    byLookup.set(lookup, byName);
    byName.set(host, [...(byName.get(host) ?? []), connection]);
  }
  return [...byLookup.values()].flatMap((byName) => [...byName.values()]);
}

async function retireIn(group: readonly KeptConnection[]): Promise<void> {
  const [first] = group;
  const addresses = first && (await addressesOf(first));
  if (addresses === undefined) return;
  for (const connection of group) {
    const { address } = connection;
    if (address !== undefined && !addresses.has(withoutZone(address))) connection.retire();
  }
}

/** `undefined`: the DNS server does not answer, which is not evidence against the connection. */
function addressesOf({ host, lookup }: KeptConnection): Promise<ReadonlySet<string> | undefined> {
  return new Promise((resolve) => {
    lookup(host, { all: true }, (error, found) => {
      if (error !== null) resolve(NO_ADDRESS.has(error.code ?? '') ? new Set() : undefined);
      else resolve(new Set(typeof found === 'string' ? [found] : found.map(({ address }) => withoutZone(address))));
    });
  });
}

const NO_ADDRESS: ReadonlySet<string> = new Set(['ENOTFOUND', ADDRESS_REFUSED]);

function withoutZone(address: string): string {
  return address.replace(/%.*$/, '');
}
