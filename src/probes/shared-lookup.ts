/**
 * Looks up names without letting the name service stop everything else.
 *
 * `getaddrinfo` occupies a thread until the name service answers, which takes half a minute when it is gone, and libuv lends it half of its threads, which are
 * two. A probe is given up long before and made again, so that two names that lead nowhere would soon hold both, and servers that are well would be
 * called dead because their names wait behind. So:
 *
 * - a name is looked up once at a time, whoever asks for it;
 * - names that kept us waiting share one thread, the other stays for the rest;
 * - who waits longer than a moment gets the address that the name had last, if it is known; so does everybody while the name service says that it cannot
 *   answer now. A name that is said not to exist has no address any more.
 * - A name of which nothing is known yet, and which has no thread after that moment, is asked for directly (DNS alone, which needs no thread).
 */
import { lookup as systemLookup, promises, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { NameLookup } from '../ports.ts';

/** Threads that names may occupy: libuv's own limit with its four threads. */
const MAX_AT_ONCE = 2;
/** How many of them by names that kept us waiting. */
const MAX_SLOW = 1;
/** Seconds. */
const PATIENCE = 1;
/** Addresses that are remembered; those asked for first are forgotten first. */
const MAX_KNOWN = 50_000;

type Options = Parameters<LookupFunction>[1];
type Done = Parameters<LookupFunction>[2];
type Found = Parameters<Done>;

/** A name that is being looked up, or waits for a thread. */
interface Wanted {
  readonly key: string;
  readonly hostname: string;
  readonly options: Options;
  readonly waiting: Set<Done>;
}

export interface SharedLookupOptions {
  readonly lookup?: LookupFunction;
  /** Addresses by DNS alone. Rejects when it knows none. */
  readonly resolve?: (hostname: string) => Promise<readonly LookupAddress[]>;
  /** Seconds that a name may take before it counts as slow. */
  readonly patience?: number;
}

export function createSharedLookup({
  lookup = systemLookup,
  resolve = resolveByDns,
  patience = PATIENCE,
}: SharedLookupOptions = {}): NameLookup {
  const wanted = new Map<string, Wanted>();
  const queue: Wanted[] = [];
  const running = new Set<Wanted>();
  /** Names that kept us waiting the last time. */
  const slow = new Set<string>();
  const known = new Map<string, Found>();

  const begin = (): void => {
    while (running.size < MAX_AT_ONCE) {
      const mayBeSlow = [...running].filter(({ hostname }) => slow.has(hostname)).length < MAX_SLOW;
      const index = queue.findIndex(({ hostname }) => mayBeSlow || !slow.has(hostname));
      const [next] = index < 0 ? [] : queue.splice(index, 1);
      if (next === undefined) return;
      run(next);
    }
  };

  const run = (want: Wanted): void => {
    const { key, hostname, options } = want;
    let isLate = false;
    running.add(want);
    const timer = setTimeout(() => {
      isLate = true;
      slow.add(hostname);
    }, patience * 1000);
    timer.unref();
    lookup(hostname, options, (...found) => {
      clearTimeout(timer);
      if (!isLate) slow.delete(hostname);
      running.delete(want);
      wanted.delete(key);
      remember(key, found);
      begin();
      const answer = found[0]?.code === UNANSWERED ? (known.get(key) ?? found) : found;
      for (const done of want.waiting) done(...answer);
    });
  };

  const remember = (key: string, found: Found): void => {
    if (found[0]?.code === UNANSWERED) return;
    known.delete(key);
    if (found[0] !== null) return;
    known.set(key, found);
    const [first] = known.keys();
    if (known.size > MAX_KNOWN && first !== undefined) known.delete(first);
  };

  /** Answers one of those who wait with what is known otherwise. */
  const answerOtherwise = (want: Wanted, done: Done): void => {
    const last = known.get(want.key);
    const answer = (found: Found) => {
      if (want.waiting.delete(done)) done(...found);
    };
    if (last !== undefined) answer(last);
    else if (!running.has(want)) resolve(want.hostname).then((addresses) => answer(foundOf(addresses, want.options)), ignore);
  };

  return {
    lookup(hostname, options, done) {
      const key = JSON.stringify([hostname, options]);
      let want = wanted.get(key);
      if (want === undefined) {
        want = { key, hostname, options, waiting: new Set() };
        wanted.set(key, want);
        queue.push(want);
      }
      const mine = want;
      const timer = setTimeout(() => answerOtherwise(mine, waiter), patience * 1000);
      const waiter: Done = (...found) => {
        clearTimeout(timer);
        done(...found);
      };
      mine.waiting.add(waiter);
      begin();
    },
    isPending: (hostname) => [...wanted.values()].some((want) => want.hostname === hostname && want.waiting.size > 0),
  };
}

/** The name service could not be asked, or did not answer. */
const UNANSWERED = 'EAI_AGAIN';

async function resolveByDns(hostname: string): Promise<readonly LookupAddress[]> {
  const answers = await Promise.allSettled([
    promises.resolve4(hostname).then((addresses) => addresses.map((address) => ({ address, family: 4 }))),
    promises.resolve6(hostname).then((addresses) => addresses.map((address) => ({ address, family: 6 }))),
  ]);
  const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (addresses.length === 0) throw new Error(`DNS knows no address of ${hostname}`);
  return addresses;
}

/** In the form that was asked for. */
function foundOf(addresses: readonly LookupAddress[], { all = false, family }: Options): Found {
  const wanted = family === undefined || family === 0 ? undefined : /6/.test(String(family)) ? 6 : 4;
  const fitting = addresses.filter((address) => wanted === undefined || address.family === wanted);
  const [first] = fitting;
  if (first === undefined) return [Object.assign(new Error('no address of this kind'), { code: 'ENOTFOUND' }), ''];
  return all ? [null, fitting] : [null, first.address, first.family];
}

function ignore(): void {
  // Who waits goes on waiting for the name service of the system.
}
