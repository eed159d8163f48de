/** What the demo needs from a physics engine, so that another one can take the place of MuJoCo. */

/** Metres, along x (forward), y (left) and z (up). */
export type Vector = readonly [number, number, number];
/** Axis and angle in radians. */
export type Rotation = readonly [number, number, number, number];

export interface Pose {
  readonly position: Vector;
  readonly rotation: Rotation;
}

/**
 * A primitive, with the axis of round ones along z. `size`: the edges of a box; radius and height of a cylinder or a
 * capsule (without its caps); the radius of a sphere; the edges of a plane.
 */
export interface Shape extends Pose {
  readonly kind: 'box' | 'capsule' | 'cylinder' | 'plane' | 'sphere';
  readonly size: readonly number[];
  /** Red, green and blue, from 0 to 1. */
  readonly color: Vector;
}

export interface Body {
  readonly name: string;
  readonly shapes: readonly Shape[];
}

export interface Physics {
  /** Builds a world from its text; throws when it cannot. The bodies keep their order in `poses`. */
  load(mjcf: string): readonly Body[];
  /** Computes `count` steps of `STEP` seconds. */
  step(count: number): void;
  poses(): readonly Pose[];
  /** Sets the motors of the world, in their order there. */
  act(controls: readonly number[]): void;
}

/** Seconds of a step. */
export const STEP = 0.004;
