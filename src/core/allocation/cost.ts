/**
 * What a session costs: load points on each simulation server, for each project.
 *
 * The cost is a product of three factors, so their logarithms add: what a session costs in this fleet, how weak this server is, how heavy this
 * project is. Each logarithm is an estimate with a variance. What a server's load did after sessions were sent there corrects all three at
 * once, each by as much as it is uncertain (a Kalman filter with independent states). There is no forgetting factor, which would blow the
 * variances up while nothing happens; a floor under them keeps the estimates able to follow a change instead
 * (docs/design/allocation.md, "Related work").
 */

import type { AllocationParameters } from './allocation-parameters.ts';

/** The estimate of one logarithm. Mutable, because the choice of a server reads `factor` for each server of the fleet at each request. */
export interface Estimate {
  /** Natural logarithm. */
  log: number;
  variance: number;
  /** exp(log), to nine decimals. */
  factor: number;
}

/** What a learning window of one server teaches about costs, if one explanation of it is right. */
export interface CostLesson {
  /** The chance that it is. */
  readonly weight: number;
  /** Load points by which the load should have risen, by the estimates so far, per project; the key is `undefined` for sessions without one. */
  readonly rise: ReadonlyMap<string | undefined, number>;
  /** Load points by which what appeared differs from what should have. */
  readonly surprise: number;
  /** Variance of the surprise, in square points. */
  readonly variance: number;
  /** The share, from 0 to 1, of a lower cost that is believed. */
  readonly believable: number;
}

export interface CostView {
  /** Load points. */
  readonly value: number;
  /** One standard deviation below and above. */
  readonly low: number;
  readonly high: number;
}

/** Load points between which the cost of a session is kept. */
const MIN_COST = 0.3;
const MAX_COST = 60;
const MAX_PROJECTS = 10_000;
/** Characters. A longer key is not kept: the memory for keys is bounded too. */
const MAX_PROJECT_LENGTH = 512;

/** Variances before anything is known, and the floors under them (docs/design/allocation.md, "Parameters"). */
export const VARIANCE = {
  fleet: { before: 0.5, least: 0.002 },
  server: { before: 0.3, least: 0.01 },
  project: { before: 0.3, least: 0.01 },
} as const;
/** No estimate is corrected by more than this at once... */
const LARGEST_STEP = 0.5;
/** ... nor leaves this range, a factor of 150: a server that swallows sessions must not come to look infinitely strong. */
const LARGEST_LOG = 5;

export class Costs {
  /** Points of a session of no particular project on a server of no particular power. */
  readonly fleet: Estimate;
  /** The least recently learned first. */
  readonly #projects = new Map<string, Estimate>();
  #before: number;

  /** `before`: load points of a session before anything was learned. */
  constructor(before: number) {
    this.#before = before;
    this.fleet = estimate(Math.log(before), VARIANCE.fleet.before);
  }

  /** Load points, unlimited; times a server's factor it is the cost of a session there. */
  ofProject(project: string | undefined): number {
    const known = project === undefined ? undefined : this.#projects.get(project);
    return known === undefined ? this.fleet.factor : this.fleet.factor * known.factor;
  }

  /** One standard deviation of the logarithm of what a session of the project costs in this fleet. */
  deviationOf(project: string | undefined): number {
    const known = project === undefined ? undefined : this.#projects.get(project);
    return Math.sqrt(this.fleet.variance + (known?.variance ?? VARIANCE.project.before));
  }

  /** `server` is `undefined` for an ordinary server of the fleet. */
  view(server: Estimate | undefined, project?: string): CostView {
    const known = project === undefined ? undefined : this.#projects.get(project);
    const deviation = Math.sqrt(this.fleet.variance + (server?.variance ?? 0) + (known?.variance ?? 0));
    const cost = this.ofProject(project) * (server?.factor ?? 1);
    return {
      value: limited(cost),
      low: limited(cost * Math.exp(-deviation)),
      high: limited(cost * Math.exp(deviation)),
    };
  }

  /** Variance, in square points, of a rise of the load that is expected by these estimates. */
  varianceOf(rise: ReadonlyMap<string | undefined, number>, server: Readonly<Estimate>): number {
    let sum = 0;
    let variance = 0;
    for (const [project, points] of rise) {
      sum += points;
      if (canBeKept(project)) variance += points ** 2 * (this.#projects.get(project)?.variance ?? VARIANCE.project.before);
    }
    return variance + sum ** 2 * (this.fleet.variance + server.variance);
  }

  learn(lessons: readonly CostLesson[], server: Estimate): void {
    const sumOf = new Map(lessons.map((lesson) => [lesson, [...lesson.rise.values()].reduce((sum, points) => sum + points, 0)]));
    const all = (lesson: CostLesson) => sumOf.get(lesson) ?? 0;
    const projects = new Set(lessons.flatMap(({ rise }) => [...rise.keys()]).filter(canBeKept));
    correct(this.fleet, lessons, all, VARIANCE.fleet.least);
    correct(server, lessons, all, VARIANCE.server.least);
    for (const project of projects)
      correct(this.#recall(project), lessons, ({ rise }) => rise.get(project) ?? 0, VARIANCE.project.least);
  }

  /** The operator changed the cost to begin with: what is not known by evidence moves with it. */
  expect(before: number): void {
    moveExpectation(this.fleet, Math.log(before / this.#before), VARIANCE.fleet.before);
    this.#before = before;
  }

  /** Load points of a session before anything was learned. */
  get before(): number {
    return this.#before;
  }

  projects(): ReadonlyMap<string, Readonly<Estimate>> {
    return this.#projects;
  }

  /** Takes over what was learned earlier, when `before` was configured. */
  restoreFleet(before: number, log: number, variance: number): void {
    const wanted = this.#before;
    this.#before = before;
    overwrite(this.fleet, log, variance, VARIANCE.fleet);
    this.expect(wanted);
  }

  restoreProject(project: string, log: number, variance: number): void {
    if (canBeKept(project)) overwrite(this.#recall(project), log, variance, VARIANCE.project);
  }

  /** As if nothing had been learned. */
  forget(): void {
    overwrite(this.fleet, Math.log(this.#before), VARIANCE.fleet.before, VARIANCE.fleet);
    this.#projects.clear();
  }

  /** As if nothing had been learned of the project. `false`: nothing was. */
  forgetProject(project: string): boolean {
    return this.#projects.delete(project);
  }

  #recall(project: string): Estimate {
    const known = this.#projects.get(project) ?? estimate(0, VARIANCE.project.before);
    // Deleted and set again: a Map iterates in the order of insertion.
    this.#projects.delete(project);
    this.#projects.set(project, known);
    if (this.#projects.size > MAX_PROJECTS) {
      const [oldest] = this.#projects.keys();
      if (oldest !== undefined) this.#projects.delete(oldest);
    }
    return known;
  }
}

/** The estimate for a server of which only its rough power compared to the others is known. */
export function newServerEstimate(weight: number): Estimate {
  return estimate(-Math.log(weight), VARIANCE.server.before);
}

/**
 * What was expected before any evidence moves by `by`. An estimate that rests on evidence hardly follows: an operator who writes the learned
 * power of a server into the configuration changes nothing.
 */
export function moveExpectation(of: Estimate, by: number, varianceBefore: number): void {
  of.log = inRange(of.log + (of.variance / varianceBefore) * by);
  of.factor = factorOf(of.log);
}

/** Overwrites an estimate with values from outside, kept within what learning itself could have reached. */
export function overwrite(of: Estimate, log: number, variance: number, limits: { before: number; least: number }): void {
  of.log = inRange(log);
  of.variance = Math.max(limits.least, Math.min(limits.before, variance));
  of.factor = factorOf(of.log);
}

/** The share by which a session of the project may cost more than expected, where room is computed. */
export function marginOf(costs: Costs, project: string | undefined, { learning, margin }: AllocationParameters): number {
  return learning ? margin * costs.deviationOf(project) : 0;
}

export function limited(cost: number): number {
  return Math.min(MAX_COST, Math.max(MIN_COST, cost));
}

/** Whether what a project costs is learned. */
export function canBeKept(project: string | undefined): project is string {
  return project !== undefined && project.length <= MAX_PROJECT_LENGTH;
}

/** One step of the filter: the steps of all explanations, each by its weight. */
function correct(of: Estimate, lessons: readonly CostLesson[], pointsOf: (lesson: CostLesson) => number, least: number): void {
  let step = 0;
  let known = 0;
  for (const lesson of lessons) {
    const { weight, surprise, variance, believable } = lesson;
    const points = pointsOf(lesson);
    const limit = 2 * Math.sqrt(variance);
    const gain = (of.variance * points) / variance;
    const correction = clamp(gain * clamp(surprise, -limit, limit), -LARGEST_STEP, LARGEST_STEP);
    const share = correction < 0 ? believable : 1;
    step += weight * share * correction;
    known += weight * share * gain * points;
  }
  if (known === 0) return;
  of.log = inRange(of.log + step);
  of.variance = Math.max(least, of.variance * (1 - known));
  of.factor = factorOf(of.log);
}

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, value));
}

function estimate(log: number, variance: number): Estimate {
  return { log, variance, factor: factorOf(log) };
}

/** Rounded, so that a cost of 8 points is 8 and not 7.999999999999998: whether a session fits is decided by less. */
function factorOf(log: number): number {
  return Math.round(1e9 * Math.exp(log)) / 1e9;
}

function inRange(log: number): number {
  return Math.max(-LARGEST_LOG, Math.min(LARGEST_LOG, log));
}
