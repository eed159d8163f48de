/**
 * Resolves names for connections to registered servers, and rejects names with an address that is not allowed. Each connection resolves its name again,
 * so a name that changes after it was checked (DNS rebinding) is rejected. All addresses of a name must be allowed, because the connection may use any.
 */
import { isIP, type LookupFunction } from 'node:net';

/** A sentence that says why the address may not be used, or `undefined`. */
export type RefuseAddress = (ip: string) => string | undefined;

export const ADDRESS_REFUSED = 'ADDRESS_REFUSED';

export function createGuardedLookup(refuse: RefuseAddress, lookup: LookupFunction): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) {
        done(error, []);
        return;
      }
      const addresses = typeof found === 'string' ? [] : found;
      const reason = addresses.map(({ address }) => refuse(address)).find((reason) => reason !== undefined);
      const [first] = addresses;
      if (reason !== undefined || first === undefined) {
        const message = reason ?? `${hostname} has no address`;
        done(Object.assign(new Error(message), { code: reason === undefined ? 'ENOTFOUND' : ADDRESS_REFUSED }), []);
      } else if (options.all === true) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };
}

/** Why the host is not allowed, or `undefined`. A connection to an IP address makes no DNS lookup, so IP addresses are checked here. */
export async function refuseHost(host: string, refuse: RefuseAddress, lookup: LookupFunction): Promise<string | undefined> {
  if (isIP(host) !== 0) return refuse(host);
  return new Promise((resolve) => {
    lookup(host, { all: true }, (error) => {
      if (error === null) resolve(undefined);
      else
        resolve(
          error.code === ADDRESS_REFUSED ? error.message : `the name ${host} cannot be resolved (${error.code ?? error.message})`,
        );
    });
  });
}
