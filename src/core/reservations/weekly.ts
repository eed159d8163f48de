/** Lessons of a weekly series: the same time of the day by the clocks of a zone, also when these change. */

export interface Weekly {
  /** IANA name, such as `Europe/Berlin`. */
  readonly zone: string;
  /** `2026-12-31`: the last day on which there may be a lesson. */
  readonly until: string;
  /** Days without a lesson. */
  readonly except: readonly string[];
}

export type WeeklyStarts =
  | { readonly kind: 'starts'; readonly starts: readonly [number, ...number[]] }
  | { readonly kind: 'unknown-zone' }
  /** The clocks skip the time on this day. */
  | { readonly kind: 'no-such-time'; readonly day: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'too-many-lessons' };

/** Lessons of one series: a year of them. */
export const MAX_LESSONS = 53;
const DAY = 86_400;
const WEEK = 7 * DAY;

/**
 * Starts of the lessons, in seconds since the epoch. `first` is that of the first one, which sets the day of the week and the time. A time that the clocks
 * show twice on a day is the first of both.
 */
export function weeklyStarts(first: number, { zone, until, except }: Weekly): WeeklyStarts {
  const offset = zoneOffsets(zone);
  if (offset === undefined) return { kind: 'unknown-zone' };
  const left = new Set(except);
  const starts: number[] = [];
  // Seconds that the clocks of the zone show, as if they were UTC.
  for (let local = first + offset(first); dayOf(local) <= until; local += WEEK) {
    if (left.has(dayOf(local))) continue;
    const start = instantOf(local, offset);
    if (start === undefined) return { kind: 'no-such-time', day: dayOf(local) };
    if (starts.push(start) > MAX_LESSONS) return { kind: 'too-many-lessons' };
  }
  const [one, ...more] = starts;
  return one === undefined ? { kind: 'none' } : { kind: 'starts', starts: [one, ...more] };
}

type Offsets = (instant: number) => number;

/** The earlier instant at which the clocks show this time; `undefined`: they never do. */
function instantOf(local: number, offset: Offsets): number | undefined {
  const guesses = [offset(local - DAY), offset(local + DAY)].map((seconds) => local - seconds);
  return guesses.sort((a, b) => a - b).find((instant) => instant + offset(instant) === local);
}

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

function dayOf(local: number): string {
  return new Date(local * 1000).toISOString().slice(0, 10);
}
