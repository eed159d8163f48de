/** The figures of a benchmark: what was measured, what must be reached, what it compares to in the same run, and whether it is reached. */

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Absent: for information. */
  readonly goal?: { readonly atLeast: number } | { readonly atMost: number };
  /** The same work done by something simpler in the same run. */
  readonly comparedTo?: { readonly what: string; readonly value: number };
}

export function title(text: string): void {
  console.log(`\n${text}`);
}

export function note(text: string): void {
  console.log(`    ${text}`);
}

export function tell({ what, value, unit, goal, comparedTo }: Figure): void {
  const verdict = goal === undefined ? '' : reaches(value, goal) ? 'pass' : 'MISS';
  const wanted = goal === undefined ? '' : 'atLeast' in goal ? `goal ≥ ${round(goal.atLeast)}` : `goal ≤ ${round(goal.atMost)}`;
  const ratio = comparedTo && `${round(value / comparedTo.value)} of ${comparedTo.what} (${round(comparedTo.value)})`;
  console.log(
    [verdict.padEnd(4), what.padEnd(62), `${round(value)} ${unit}`.padEnd(30), wanted.padEnd(16), ratio ?? '']
      .join('  ')
      .trimEnd(),
  );
}

function reaches(value: number, goal: NonNullable<Figure['goal']>): boolean {
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost;
}

/** Three significant digits, groups of thousands. */
function round(value: number): string {
  return Number.isFinite(value)
    ? Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 6 })
    : String(value);
}

/** The value below which a share of the values lie; 0.99 gives the 99th percentile. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
