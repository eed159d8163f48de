/** The clocks of a time zone. Local times are seconds that the clocks show, as if they were UTC. */

export interface ZoneClock {
  /** The local time at an instant (seconds since the epoch). */
  readonly localOf: (instant: number) => number;
  /** The earlier instant at which the clocks show this time; `undefined`: they never do. */
  readonly instantOf: (local: number) => number | undefined;
}

const DAY = 86_400;

/** `undefined`: there is no such zone. `zone` is an IANA name. */
export function zoneClock(zone: string): ZoneClock | undefined {
  const offset = zoneOffsets(zone);
  if (offset === undefined) return undefined;
  return {
    localOf: (instant) => instant + offset(instant),
    instantOf(local) {
      const guesses = [offset(local - DAY), offset(local + DAY)].map((seconds) => local - seconds);
      return guesses.sort((a, b) => a - b).find((instant) => instant + offset(instant) === local);
    },
  };
}

/** `2026-09-15` */
export function dayOfLocal(local: number): string {
  return new Date(local * 1000).toISOString().slice(0, 10);
}

type Offsets = (instant: number) => number;

/** Seconds by which the clocks of the zone are ahead of UTC at an instant. */
function zoneOffsets(zone: string): Offsets | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', ...FIELDS });
  } catch {
    return undefined;
  }
  return (instant) => {
    const parts = Object.fromEntries(format.formatToParts(instant * 1000).map(({ type, value }) => [type, value]));
    const { year = '', month = '', day = '', hour = '', minute = '', second = '' } = parts;
    return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`).getTime() / 1000 - Math.floor(instant);
  };
}

const FIELDS = {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
} as const;
