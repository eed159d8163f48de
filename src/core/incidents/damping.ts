/**
 * Flap damping: how long the end of an incident has to last before it is believed. The time grows threefold with each relapse and shrinks again slowly,
 * so that a server that fails every few minutes for days costs a handful of messages. Times are seconds of the engine's clock.
 */
export interface DampingRules {
  /** Seconds, more than 0: how long an end must last on a server without relapses. */
  readonly minHold: number;
  /** Seconds: the maximum that this time grows to. */
  readonly maxHold: number;
  /** Seconds without a relapse after which one relapse is forgotten. */
  readonly relapseLifetime: number;
}

/** How often a server relapsed lately. */
export interface Flapping {
  readonly relapses: number;
  /** When it last relapsed. */
  readonly at: number;
}

/** Growth of the time with each relapse. */
const GROWTH = 3;

/** The same condition began once more. */
export function relapsed(before: Flapping | undefined, at: number, rules: DampingRules): Flapping {
  // Relapses beyond those that reach the maximum would only delay the way back.
  const enough = 2 + Math.ceil(Math.log(rules.maxHold / rules.minHold) / Math.log(GROWTH));
  return { relapses: Math.max(1, Math.min(remaining(before, at, rules) + 1, enough)), at };
}

/** Seconds that an end which begins `at` has to last. */
export function holdTime(flapping: Flapping | undefined, at: number, rules: DampingRules): number {
  const { minHold, maxHold } = rules;
  return Math.max(minHold, Math.min(maxHold, minHold * GROWTH ** (remaining(flapping, at, rules) - 1)));
}

function remaining(flapping: Flapping | undefined, at: number, { relapseLifetime }: DampingRules): number {
  return flapping === undefined ? 0 : Math.max(0, flapping.relapses - Math.floor((at - flapping.at) / relapseLifetime));
}
