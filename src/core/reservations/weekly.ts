/** Lessons of a weekly series: the same time of the day by the clocks of a zone, also when these change. */
import { dayOfLocal, zoneClock } from './zone-clock.ts';

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
const WEEK = 7 * 86_400;

/**
 * Starts of the lessons, in seconds since the epoch. `first` is that of the first one, which sets the day of the week and the time. A time that the clocks
 * show twice on a day is the first of both.
 */
export function weeklyStarts(first: number, { zone, until, except }: Weekly): WeeklyStarts {
  const clock = zoneClock(zone);
  if (clock === undefined) return { kind: 'unknown-zone' };
  const left = new Set(except);
  const starts: number[] = [];
  for (let local = clock.localOf(first); dayOfLocal(local) <= until; local += WEEK) {
    if (left.has(dayOfLocal(local))) continue;
    const start = clock.instantOf(local);
    if (start === undefined) return { kind: 'no-such-time', day: dayOfLocal(local) };
    if (starts.push(start) > MAX_LESSONS) return { kind: 'too-many-lessons' };
  }
  const [one, ...more] = starts;
  return one === undefined ? { kind: 'none' } : { kind: 'starts', starts: [one, ...more] };
}
