/**
 * Resolves names so that a slow DNS server does not stop everything else.
 *
 * `getaddrinfo` occupies a thread until the DNS server answers. That takes half a minute when the server is gone, and libuv gives it half of its four
 * threads. A probe ends long before that and starts again, so two names that do not resolve would soon hold both threads. Servers that work would be
 * reported as down because their names wait in the queue. Therefore:
 *
 * - Each name is resolved once at a time, for all callers.
 * - Names that were slow share one thread. The other thread stays free for the rest (`NameQueue`).
 * - A caller that waits longer than `patience` gets the last known address of the name. So do all callers while the DNS server cannot answer.
 *   A name that does not exist has no last known address.
 * - A name without a known address that still waits for a thread after `patience` is resolved by DNS alone, which needs no thread.
 */
import { lookup as systemLookup, promises, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { NameLookup } from '../ports.ts';
import { NameQueue, type Done, type Found, type LookupOptions, type Wanted } from './name-queue.ts';

/** Seconds. */
const PATIENCE = 1;
/** Maximum number of addresses that are remembered; the oldest are dropped first. */
const MAX_KNOWN = 50_000;

export interface SharedLookupOptions {
  readonly lookup?: LookupFunction;
  /** Addresses by DNS alone. Rejects when there are none. */
  readonly resolve?: (hostname: string) => Promise<readonly LookupAddress[]>;
  /** Seconds that a name may take before it counts as slow. */
  readonly patience?: number;
}

export function createSharedLookup({
  lookup = systemLookup,
  resolve = resolveByDns,
  patience = PATIENCE,
}: SharedLookupOptions = {}): NameLookup {
  const known = new KnownAddresses();
  const queue = new NameQueue({ lookup, patience, answered: (key, found) => known.take(key, found) });

  /** Answers one caller from another source than the queue. */
  const answerOtherwise = (want: Wanted, done: Done): void => {
    const answer = (found: Found) => {
      if (want.waiting.delete(done)) done(...found);
    };
    const last = known.get(want.key);
    if (last !== undefined) answer(last);
    else if (!queue.isRunning(want))
      resolve(want.hostname).then((addresses) => answer(foundOf(addresses, want.options)), keepWaiting);
  };

  return {
    lookup(hostname, options, done) {
      const want = queue.want(hostname, options);
      const timer = setTimeout(() => answerOtherwise(want, waiter), patience * 1000);
      const waiter: Done = (...found) => {
        clearTimeout(timer);
        done(...found);
      };
      want.waiting.add(waiter);
      queue.start();
    },
    isPending: (hostname) => queue.isPending(hostname),
  };
}

/** The last answer for each name. */
class KnownAddresses {
  readonly #found = new Map<string, Found>();

  get(key: string): Found | undefined {
    return this.#found.get(key);
  }

  /** Remembers a new answer. Returns what to report: while the DNS server cannot answer, the last known address. */
  take(key: string, found: Found): Found {
    if (found[0]?.code === UNANSWERED) return this.#found.get(key) ?? found;
    this.#found.delete(key);
    if (found[0] === null) this.#found.set(key, found);
    const [first] = this.#found.keys();
    if (this.#found.size > MAX_KNOWN && first !== undefined) this.#found.delete(first);
    return found;
  }
}

/** The DNS server could not be reached, or did not answer. */
const UNANSWERED = 'EAI_AGAIN';

async function resolveByDns(hostname: string): Promise<readonly LookupAddress[]> {
  const answers = await Promise.allSettled([
    promises.resolve4(hostname).then((addresses) => addresses.map((address) => ({ address, family: 4 }))),
    promises.resolve6(hostname).then((addresses) => addresses.map((address) => ({ address, family: 6 }))),
  ]);
  const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (addresses.length === 0) throw new Error(`DNS has no address for ${hostname}`);
  return addresses;
}

/** In the form that the caller requested. */
function foundOf(addresses: readonly LookupAddress[], { all = false, family }: LookupOptions): Found {
  const wanted = family === undefined || family === 0 ? undefined : /6/.test(String(family)) ? 6 : 4;
  const fitting = addresses.filter((address) => wanted === undefined || address.family === wanted);
  const [first] = fitting;
  if (first === undefined) return [Object.assign(new Error('no address of this kind'), { code: 'ENOTFOUND' }), ''];
  return all ? [null, fitting] : [null, first.address, first.family];
}

function keepWaiting(): void {
  // The caller keeps waiting for the answer of the system.
}
