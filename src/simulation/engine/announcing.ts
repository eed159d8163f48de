/** Announces this server to others at its start, as the original does: a form, six tries, the answer in the log. In the background, after it listens. */
import { startLoop, type Loop } from '../../engine/loop.ts';
import type { Clock, Log } from '../../ports.ts';

export interface AnnouncingOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly receivers: readonly string[];
  readonly form: Readonly<Record<string, string>>;
  /** Sends a form and returns what was answered. Throws when there is no answer. */
  readonly post: (url: string, form: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<string>;
}

const TRIES = 6;
/** Seconds until the first try: the receiver asks for the load at once, which needs a sample. */
const FIRST = 2;
/** Seconds between two tries. */
const PAUSE = 5;

export function startAnnouncing({ clock, log, receivers, form, post }: AnnouncingOptions): readonly Loop[] {
  return receivers.map((url) => {
    let left = TRIES;
    // The last part of a URL may be a token.
    const receiver = new URL(url).host;
    return startLoop({
      clock,
      delay: FIRST,
      async cycle(signal) {
        left -= 1;
        const answer = await post(url, form, signal);
        log.info(answer.slice(0, 1000).trim(), { receiver });
        return Infinity;
      },
      failed(error) {
        log.warn('this server cannot be announced', { receiver, error });
        if (left === 0) {
          log.error('Giving up', { receiver });
          return Infinity;
        }
        log.info(`Retrying (${TRIES - left}/${TRIES - 1}) in ${PAUSE} seconds...`, { receiver });
        return PAUSE;
      },
    });
  });
}
