/**
 * How long sessions last: log-normal, with this mean and this spread. Most are short, and a few are very long.
 */
export interface SessionLength {
  /** Seconds. */
  readonly mean: number;
  /** Standard deviation of the natural logarithm. */
  readonly spread: number;
}

export const USUAL_SPREAD = 0.8;

/** The chance that a session that begins now still runs after so many seconds. */
export function stillRuns({ mean, spread }: SessionLength, seconds: number): number {
  return seconds <= 0 ? 1 : 1 - normal((Math.log(seconds) - logMean(mean, spread)) / spread);
}

/** The share of the sessions running now, begun at any time, that will still run after so many seconds: 1 − ∫ stillRuns / mean. */
export function shareLeft({ mean, spread }: SessionLength, seconds: number): number {
  if (seconds <= 0) return 1;
  const z = (Math.log(seconds) - logMean(mean, spread)) / spread;
  const lasted = normal(z - spread) + (seconds * (1 - normal(z))) / mean;
  return Math.min(1, Math.max(0, 1 - lasted));
}

/** Seconds after which a session that begins now runs with no more than this chance. */
export function reachOf({ mean, spread }: SessionLength): number {
  return Math.exp(logMean(mean, spread) + ONE_PERCENT * spread);
}

/** Standard deviations beyond which lies one percent. */
const ONE_PERCENT = 2.326;

function logMean(mean: number, spread: number): number {
  return Math.log(mean) - spread ** 2 / 2;
}

/** The distribution function of the standard normal distribution; Abramowitz and Stegun 7.1.26, wrong by at most 1e-7. */
function normal(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const tail = (series * Math.exp(-x * x)) / 2;
  return z > 0 ? 1 - tail : tail;
}
