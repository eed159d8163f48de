/** How many clients usually come at a time of the week, from the hand-outs of past weeks. */

export interface Rate {
  /** Clients per second. */
  readonly mean: number;
  /** Standard deviation of its logarithm. */
  readonly spread: number;
}

/** Hand-outs in a stretch of a past week, and the seconds of it in which something was recorded. */
export interface PastStretch {
  readonly handOuts: number;
  readonly seconds: number;
}

/** Weeks that are looked at, as far back as the history reaches. */
export const WEEKS = 4;
/** Seconds before and after the time that are looked at. */
export const AROUND = 1800;
/** Of one week, or of weeks that were alike by chance. */
const LEAST_SPREAD = 0.3;
/** A rate that follows from the present load alone. */
const GUESSED_SPREAD = 0.5;

/** `otherwise`: clients per second that the present load suggests, where nothing was recorded. */
export function usualRate(past: readonly PastStretch[], otherwise: number): Rate {
  const rates = past.filter(({ seconds }) => seconds >= AROUND).map(({ handOuts, seconds }) => handOuts / seconds);
  if (rates.length === 0) return { mean: otherwise, spread: GUESSED_SPREAD };
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  if (mean === 0) return { mean, spread: LEAST_SPREAD };
  const variance = rates.reduce((sum, rate) => sum + (rate / mean - 1) ** 2, 0) / rates.length;
  return { mean, spread: Math.max(LEAST_SPREAD, Math.sqrt(Math.log(1 + variance))) };
}
