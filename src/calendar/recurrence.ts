/** The lessons of a series, as local times: when the clocks of a zone change is considered by the caller. */
import { RRuleTemporal } from 'rrule-temporal';

export type Recurrence =
  { readonly kind: 'starts'; readonly starts: readonly number[] } | { readonly kind: 'refused'; readonly reason: string };

/** Parts of a rule that are understood (RFC 5545 § 3.3.10); the others would make another series. */
const KNOWN: ReadonlySet<string> = new Set(['freq', 'interval', 'count', 'until', 'byday', 'bysetpos', 'wkst']);
const FREQUENCIES: ReadonlySet<string> = new Set(['DAILY', 'WEEKLY', 'MONTHLY']);
/** Seconds: a series that began longer ago would have to be counted through. */
const MAX_AGE = 5 * 366 * 86_400;
const MAX_INTERVAL = 100;
/** Steps of a series: more than the days of the six years that a series can have. */
const MAX_STEPS = 3000;

/** What the series of one calendar may cost together. A step takes about 60 µs of CPU, during which nothing else is answered. */
export interface SeriesBudget {
  /** Steps that are left. */
  steps: number;
}

/** The budget of a calendar: fifty weekly series of two years. */
export const MAX_CALENDAR_STEPS = 5000;

/**
 * `rule` is what the parser made of the RRULE. The series is refused when the budget is used up. All times are local: seconds that the clocks show. Starts before `from` and after `until` are left out, and at most
 * `max` are returned.
 */
export function localStarts(
  first: number,
  rule: Readonly<Record<string, unknown>>,
  { from, until, max }: { readonly from: number; readonly until: number; readonly max: number },
  budget: SeriesBudget,
): Recurrence {
  const odd = Object.keys(rule).find((key) => !KNOWN.has(key.toLowerCase()));
  if (odd !== undefined) return refused(`Its series has the rule ${odd.toUpperCase().slice(0, 20)}, which is not supported.`);
  const { freq, interval = 1, count, byday, bysetpos, wkst } = rule;
  if (typeof freq !== 'string' || !FREQUENCIES.has(freq)) return refused('Its series is not daily, weekly or monthly.');
  if (typeof interval !== 'number' || interval < 1 || interval > MAX_INTERVAL) return refused('Its series has an odd interval.');
  if (first < from - MAX_AGE) return refused('Its series began more than five years ago.');
  if (budget.steps <= 0) return refused('The calendar has too many or too long series; import it in parts.');
  const parts = [`FREQ=${freq}`, `INTERVAL=${interval}`];
  if (byday !== undefined) parts.push(`BYDAY=${listOf(byday)}`);
  if (bysetpos !== undefined) parts.push(`BYSETPOS=${listOf(bysetpos)}`);
  if (wkst !== undefined) parts.push(`WKST=${weekday(wkst)}`);
  if (typeof count === 'number') parts.push(`COUNT=${count}`);
  const rruleString = `DTSTART:${stamp(first)}\nRRULE:${parts.join(';')}`;
  const before = budget.steps;
  // A series that cannot be read to its end has taken all of its steps.
  budget.steps -= MAX_STEPS;
  try {
    const series = new RRuleTemporal({ rruleString, maxIterations: MAX_STEPS, includeDtstart: true });
    const starts: number[] = [];
    let steps = 0;
    series.all((date) => {
      steps += 1;
      const start = date.epochMilliseconds / 1000;
      if (start >= from && start <= until) starts.push(start);
      return start <= until && starts.length < max;
    });
    budget.steps = before - steps;
    return { kind: 'starts', starts };
  } catch {
    return refused('Its series cannot be read.');
  }
}

function refused(reason: string): Recurrence {
  return { kind: 'refused', reason };
}

function listOf(value: unknown): string {
  return (Array.isArray(value) ? value : [value]).map(String).join();
}

const DAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];

/** The parser numbers the first day of the week; Sunday is 1. */
function weekday(value: unknown): string {
  return typeof value === 'number' ? (DAYS[value - 1] ?? 'MO') : String(value);
}

/** `20260915T080000Z` */
function stamp(local: number): string {
  return `${new Date(local * 1000).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}
