/**
 * What a learning window teaches: which hand-outs became sessions, and what a session costs.
 *
 * A rise of the load shows only how many came times what each costs, so all explanations are weighed against each other:
 * this group came and that one did not, and so on (docs/design/allocation.md, "Requests that never become sessions").
 * Each explanation predicts a rise and how far it may be off; those that predict what was seen weigh more.
 * A session that did not come says nothing about the cost, so a window lowers the cost only as far as a session is believed to have come.
 */
import type { CostLesson } from './cost.ts';

/** A hand-out that should have appeared within the window. */
export interface Expected {
  readonly project: string | undefined;
  /** Load points that it should have added by now, if it became a session. */
  readonly points: number;
  /** All load points of it. */
  readonly cost: number;
  /** The part of its load that should have appeared within the window, and the part that is still to come. */
  readonly shown: number;
  readonly hidden: number;
  /** The chance that it arrived, if any of its party did, and at all. */
  readonly share: number;
  readonly chance: number;
}

/** Hand-outs that are judged together: those of one address, or those of all addresses that asked but once or twice. */
export interface Party {
  /** The chance that any of them arrived. */
  readonly belief: number;
  /** Whether they may lower the cost: asked with the logarithm of how much more likely the window is if they came, and the chance that they did. */
  readonly teaches: (evidence: number, came: number) => boolean;
  readonly handOuts: readonly Expected[];
}

export interface Seen {
  /** Load points by which the load changed, and by how many it should have fallen by itself. */
  readonly change: number;
  readonly gone: number;
  /** The same for each project, where departures are known exactly. */
  readonly goneOf: ReadonlyMap<string | undefined, number>;
  /** Square points: variance of the change if no session had come. */
  readonly noise: number;
}

export interface Lesson {
  /** For each party: the evidence that it came, as a logarithm, and for each of its hand-outs the chance that it arrived. */
  readonly parties: readonly { readonly evidence: number; readonly arrived: readonly number[] }[];
  readonly costs: readonly CostLesson[];
}

/** Variance, in square points, of a rise if only costs were uncertain. */
export type CostVariance = (rise: ReadonlyMap<string | undefined, number>) => number;

/** The largest parties are weighed one by one, the others expected as far as they are likely. */
const MAX_SEPARATE = 4;
/** One standard deviation of the cost of single sessions of one project, as a share. */
const SESSION_SPREAD = 0.3;
/** An explanation stays possible whatever is seen: jobs of the owner, a machine that hangs. */
const MIN_FIT = 1e-6;
/** One window makes a party more or less credible by this factor at most, as a logarithm. */
const LARGEST_EVIDENCE = 2;

interface Explanation {
  /** Whether each party came; `undefined`: it is not weighed by itself. */
  readonly came: readonly (boolean | undefined)[];
  readonly prior: number;
  readonly rise: ReadonlyMap<string | undefined, number>;
  readonly points: number;
  readonly surprise: number;
  readonly variance: number;
  readonly fit: number;
}

export function explain(parties: readonly Party[], seen: Seen, varianceOf: CostVariance): Lesson {
  const apart = separateParties(parties);
  const explanations = Array.from({ length: 2 ** apart.size }, (_, choices) => {
    const came = parties.map((_party, i) => {
      const bit = apart.get(i);
      return bit === undefined ? undefined : (choices & (1 << bit)) !== 0;
    });
    return explanation(parties, came, seen, varianceOf);
  });
  const all = explanations.reduce((sum, { prior, fit }) => sum + prior * fit, 0);
  const weightOf = ({ prior, fit }: Explanation) => (prior * fit) / all;

  const teaching: boolean[] = [];
  const judged = parties.map((party, i) => {
    const evidence = evidenceFor(explanations, i);
    const came = explanations.reduce((sum, each) => sum + (each.came[i] === false ? 0 : weightOf(each)), 0);
    teaching.push(party.teaches(evidence, came));
    const arrived = party.handOuts.map((handOut) =>
      explanations.reduce((sum, each) => sum + weightOf(each) * arrivedIn(each, handOut, each.came[i]), 0),
    );
    return { evidence, arrived };
  });
  const costs = explanations.map((each): CostLesson => {
    const { rise, surprise, variance, points } = each;
    let taught = 0;
    for (const [i, { handOuts }] of parties.entries()) {
      if (teaching[i] !== true) continue;
      for (const handOut of handOuts) taught += likely(handOut, each.came[i]) * handOut.points;
    }
    return { weight: weightOf(each), rise, surprise, variance, believable: points > 0 ? taught / points : 0 };
  });
  return { parties: judged, costs };
}

/** By index, the bits of the parties that are weighed by themselves. */
function separateParties(parties: readonly Party[]): Map<number, number> {
  const size = ({ handOuts }: Party) => handOuts.reduce((sum, { points }) => sum + points, 0);
  const largest = parties
    .map((party, index) => ({ index, size: size(party) }))
    .sort((a, b) => b.size - a.size)
    .slice(0, MAX_SEPARATE);
  return new Map(largest.map(({ index }, bit) => [index, bit]));
}

function explanation(
  parties: readonly Party[],
  came: readonly (boolean | undefined)[],
  { change, gone, goneOf, noise }: Seen,
  varianceOf: CostVariance,
): Explanation {
  const rise = new Map<string | undefined, number>();
  let prior = 1,
    points = 0,
    spread = 0,
    open = 0;
  for (const [i, { belief, handOuts }] of parties.entries()) {
    if (came[i] !== undefined) prior *= came[i] ? belief : 1 - belief;
    for (const handOut of handOuts) {
      const { project, cost, hidden } = handOut;
      const q = likely(handOut, came[i]);
      if (q === 0) continue;
      const expected = q * handOut.points;
      points += expected;
      rise.set(project, (rise.get(project) ?? 0) + expected);
      spread += SESSION_SPREAD ** 2 * expected * cost + q * (1 - q) * handOut.points ** 2;
      open += q * hidden * (1 - hidden) * cost;
    }
  }
  for (const [project, left] of goneOf) rise.set(project, (rise.get(project) ?? 0) - left);
  const variance = noise + spread + open ** 2 + varianceOf(rise);
  const surprise = change - (points - gone);
  // A falling load does not speak against an explanation by which no session came.
  const off = points === 0 ? Math.max(0, surprise) : surprise;
  const fit = Math.exp(-(off ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance) + MIN_FIT;
  return { came, prior, rise, points, surprise, variance, fit };
}

/** The chance of the hand-out before the load is looked at, in an explanation by which its party came, did not, or is not weighed by itself. */
function likely({ share, chance }: Expected, came: boolean | undefined): number {
  return came === undefined ? chance : came ? share : 0;
}

/** ... and after. */
function arrivedIn({ surprise, variance }: Explanation, handOut: Expected, came: boolean | undefined): number {
  const q = likely(handOut, came);
  return Math.max(0, Math.min(1, q + ((q * (1 - q) * handOut.points) / variance) * surprise));
}

/** By how much more likely the window is if the party came, as a logarithm. */
function evidenceFor(explanations: readonly Explanation[], party: number): number {
  const mean = { came: { fit: 0, prior: 0 }, absent: { fit: 0, prior: 0 } };
  for (const { came, prior, fit } of explanations) {
    if (came[party] === undefined) return 0;
    const side = came[party] ? mean.came : mean.absent;
    side.fit += prior * fit;
    side.prior += prior;
  }
  if (mean.came.prior <= 0 || mean.absent.prior <= 0) return 0;
  const evidence = Math.log(mean.came.fit / mean.came.prior / (mean.absent.fit / mean.absent.prior));
  return Math.max(-LARGEST_EVIDENCE, Math.min(LARGEST_EVIDENCE, evidence));
}
