/** What a world of the demo consists of. */
import type { Vector } from '../physics.ts';

/** What a driver wants, each from -1 to 1. What a robot makes of it is its own. */
export interface Input {
  readonly forward: number;
  /** To the left. */
  readonly turn: number;
  /** The first joint of an arm, up. */
  readonly lift: number;
  /** The second one, out. */
  readonly reach: number;
}

export interface World {
  readonly title: string;
  /** The world as a MuJoCo model. */
  readonly mjcf: string;
  /** Where the camera is, and the point that it looks at. */
  readonly viewpoint: { readonly position: Vector; readonly target: Vector };
  /** Name of the body that viewers follow. */
  readonly robot: string;
  /** Values of the motors, in their order in the model. `time`: seconds of the simulation. */
  controls(input: Input, time: number): readonly number[];
  /** What the robot does while no one drives. */
  autopilot(time: number): Input;
}

export const STILL: Input = { forward: 0, turn: 0, lift: 0, reach: 0 };
