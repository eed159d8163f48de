/** What many simulated mornings say together: ranges that hold four times in five. */
import type { Morning } from './simulated-class.ts';

export interface Range {
  readonly from: number;
  readonly to: number;
}

export interface Waits {
  /** Simulated mornings. */
  readonly runs: number;
  /** People who get a place at once. */
  readonly atOnce: Range;
  /** Seconds until the last of them has one; `Infinity`: not within half an hour. */
  readonly last: Range;
  /** Mean wait of other clients from the start on, in seconds. */
  readonly others: Range;
}

const TENTH = 0.1;

/** At least one morning. */
export function waitsOf(mornings: readonly Morning[]): Waits {
  const range = (of: (morning: Morning) => number): Range => {
    const sorted = mornings.map(of).sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
    return { from: at(TENTH), to: at(1 - TENTH) };
  };
  return {
    runs: mornings.length,
    atOnce: range(({ atOnce }) => atOnce),
    last: range(({ last }) => last),
    others: range(({ others }) => others),
  };
}

/** How many seconds earlier the last person would have a place, at most half an hour, summed over the mornings. The larger, the more a change helps. */
export function gainOf(before: readonly Morning[], after: readonly Morning[]): number {
  return meanLast(before) - meanLast(after);
}

const CUT = 1800;

function meanLast(mornings: readonly Morning[]): number {
  return mornings.reduce((sum, { last }) => sum + Math.min(CUT, last), 0) / Math.max(1, mornings.length);
}
