/**
 * Looks names up for connections to servers that came by themselves, and refuses those whose addresses they may not have. Each connection asks again, so a name
 * that leads somewhere else after it was checked (DNS rebinding) leads nowhere. All addresses of the name must be good: which of them is used is not ours to choose.
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

/** Why the host may not be asked, or `undefined` when it may. Connections to addresses in figures are made without a look-up, so these are judged here. */
export async function refuseHost(host: string, refuse: RefuseAddress, lookup: LookupFunction): Promise<string | undefined> {
  if (isIP(host) !== 0) return refuse(host);
  return new Promise((resolve) => {
    lookup(host, { all: true }, (error) => {
      if (error === null) resolve(undefined);
      else
        resolve(
          error.code === ADDRESS_REFUSED
            ? error.message
            : `the name ${host} is not known to the name service (${error.code ?? error.message})`,
        );
    });
  });
}
