/** When a notification that could not be sent is tried again. It is never given up: an administrator who fixes the mail server after a week still gets it. */

/** Seconds. */
const MIN_PAUSE = 5;
const MAX_PAUSE = 600;
const RARELY = 3600;
const DAY = 86_400;

export interface FailedAttempt {
  /** Failed attempts of this channel in a row, including this one. */
  readonly failures: number;
  /** Another attempt cannot succeed until the cause is fixed. */
  readonly permanent: boolean;
  /** Seconds since the notification was made. */
  readonly age: number;
}

/** Seconds to wait: doubling from 5 s to 10 min, an hour when it is permanent or a day old; plus or minus a quarter by `chance` in [0, 1). */
export function retryPause({ failures, permanent, age }: FailedAttempt, chance: number): number {
  const pause = permanent || age > DAY ? RARELY : Math.min(MAX_PAUSE, MIN_PAUSE * 2 ** Math.min(failures - 1, 20));
  return pause * (0.75 + 0.5 * chance);
}
