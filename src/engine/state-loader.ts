/**
 * Reads what the last run saved, before clients are answered. A disk that does not answer must not keep the session server from its work: after a short wait
 * it runs without that memory until the next restart, and saves nothing, because it would overwrite what it has not read.
 */
import type { Clock, Log } from '../ports.ts';

/** Seconds. */
const PATIENCE = 3;

/** `undefined`: the disk did not answer in time. Rejects if `read` does. */
export async function readInTime<T extends object>(
  read: () => Promise<T>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<T | undefined> {
  const timer = new AbortController();
  try {
    const state = await Promise.race([read(), clock.sleep(PATIENCE, timer.signal)]);
    if (state !== undefined) return state;
  } finally {
    timer.abort();
  }
  log.error(
    `the state folder did not answer within ${PATIENCE} s; starting without saved state, and nothing is saved: restart the session server when the disk works again`,
  );
  return undefined;
}
