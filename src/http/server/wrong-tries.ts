/**
 * Wrong tokens by address. The token is compared first, so the wrong ones of others behind the same address never lock out
 * a right one. What stops guessing is the length of the tokens; this limit keeps guesses from being a cheap request, and
 * explains to a person who mistypes a token what to do.
 */
import type { IncomingMessage } from 'node:http';
import { TokenBuckets } from '../../core/limits/token-bucket.ts';
import type { Clock, Log } from '../../ports.ts';
import type { AddressOf } from './client-address.ts';

export interface WrongTriesOptions {
  readonly addressOf: AddressOf;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
}

/** Ten at once, then one every six seconds. */
const RULES = { burst: 10, rate: 10 / 60, maxKeys: 100_000 };

export class WrongTries {
  readonly #options: WrongTriesOptions;
  readonly #buckets = new TokenBuckets(RULES);

  constructor(options: WrongTriesOptions) {
    this.#options = options;
  }

  /** Counts a wrong token. Returns the seconds its sender should wait; 0: none. `what`: `sent`, and the kind of token. */
  count(request: IncomingMessage, what: { readonly event: string; readonly words: string }): number {
    const { addressOf, clock, log } = this.#options;
    const { address, limitKey: key = address } = addressOf(request);
    const wait = this.#buckets.take(key, clock.now());
    if (wait === 0) log.limited('warn', what.event, `${address} ${what.words}`, { address });
    return wait;
  }
}
