/** When a notification that could not be sent is tried again. It never is given up: an administrator who fixes the mail server after a week is told. */

/** Seconds. */
const FIRST = 5;
const LONGEST = 600;
const RARELY = 3600;
const DAY = 86_400;

export interface FailedAttempt {
  /** Failed attempts in a row of this channel, this one included. */
  readonly failures: number;
  /** Trying the same again cannot help before somebody fixes something. */
  readonly permanent: boolean;
  /** Seconds since the notification was made. */
  readonly age: number;
}

/** Seconds to wait: doubling from 5 s to 10 min, an hour when it is permanent or a day old; a quarter more or less by `chance` in [0, 1). */
export function retryPause({ failures, permanent, age }: FailedAttempt, chance: number): number {
  const pause = permanent || age > DAY ? RARELY : Math.min(LONGEST, FIRST * 2 ** Math.min(failures - 1, 20));
  return pause * (0.75 + 0.5 * chance);
}
