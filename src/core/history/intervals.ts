/** Lists of intervals in order that do not overlap. Pure. */

/** `from` ≤ `to`. */
export interface Interval {
  from: number;
  to: number;
}

/** The parts between two times. */
export function clipped(intervals: readonly Interval[], from: number, to: number): readonly Interval[] {
  return intersection(intervals, [{ from, to }]);
}

/** What is in both. */
export function intersection(a: readonly Interval[], b: readonly Interval[]): readonly Interval[] {
  const common: Interval[] = [];
  let [i, j] = [0, 0];
  for (let left = a[i], right = b[j]; left !== undefined && right !== undefined; left = a[i], right = b[j]) {
    const from = Math.max(left.from, right.from);
    const to = Math.min(left.to, right.to);
    if (from < to) common.push({ from, to });
    if (left.to < right.to) i += 1;
    else j += 1;
  }
  return common;
}

export function lengthOf(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, { from, to }) => sum + to - from, 0);
}
