/**
 * Looks up names without letting the name service stop everything else.
 *
 * `getaddrinfo` occupies one of the four threads that Node has for names and files until the name service answers, which takes half a minute when it is gone.
 * A probe is given up long before and made again, so that one name would soon hold all threads, and neither another name nor a file of ours would have one.
 * So a name is looked up once at a time, whoever asks for it, and only a few names at a time.
 */
import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** Threads that names may occupy. */
const MOST_AT_ONCE = 3;

type Options = Parameters<LookupFunction>[1];
type Done = Parameters<LookupFunction>[2];

/** A name that somebody waits for. */
interface Wanted {
  readonly hostname: string;
  readonly options: Options;
  readonly waiting: Done[];
}

export function createSharedLookup(lookup: LookupFunction = systemLookup): LookupFunction {
  const wanted = new Map<string, Wanted>();
  const queue: string[] = [];
  let running = 0;

  const begin = () => {
    const key = running < MOST_AT_ONCE ? queue.shift() : undefined;
    const next = key === undefined ? undefined : wanted.get(key);
    if (key === undefined || next === undefined) return;
    running += 1;
    lookup(next.hostname, next.options, (...found) => {
      running -= 1;
      wanted.delete(key);
      begin();
      for (const done of next.waiting) done(...found);
    });
  };

  return (hostname, options, done) => {
    const key = JSON.stringify([hostname, options]);
    const known = wanted.get(key);
    if (known !== undefined) {
      known.waiting.push(done);
      return;
    }
    wanted.set(key, { hostname, options, waiting: [done] });
    queue.push(key);
    begin();
  };
}
