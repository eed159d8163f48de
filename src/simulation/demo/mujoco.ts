/** MuJoCo, the physics engine, as the demo uses it. */
import loadMujoco, { type MainModule, type MjData, type MjModel } from '@mujoco/mujoco';
import { setFlagsFromString } from 'node:v8';
import type { Body, Physics, Pose, Rotation, Shape, Vector } from './physics.ts';

/** Kinds of shapes by their number in MuJoCo (`mjtGeom`), with their size from its half-sizes. */
const KINDS = new Map<number, { readonly kind: Shape['kind']; readonly size: (x: number, y: number, z: number) => number[] }>([
  [0, { kind: 'plane', size: (x, y) => [2 * x, 2 * y] }],
  [2, { kind: 'sphere', size: (radius) => [radius] }],
  [3, { kind: 'capsule', size: (radius, half) => [radius, 2 * half] }],
  [5, { kind: 'cylinder', size: (radius, half) => [radius, 2 * half] }],
  [6, { kind: 'box', size: (x, y, z) => [2 * x, 2 * y, 2 * z] }],
]);

/** Rejects when the WebAssembly module is missing or cannot be compiled. */
export async function startMujoco(): Promise<Physics> {
  // One compilation, without the optimizing one after it: 40 MiB less, for 3% more of a core.
  setFlagsFromString('--liftoff-only');
  // Its warnings must not be taken for words of the simulator, which go to the standard output.
  const mujoco = await loadMujoco({ print: console.error, printErr: console.error });
  return new Mujoco(mujoco);
}

class Mujoco implements Physics {
  readonly #mujoco: MainModule;
  #world: { readonly model: MjModel; readonly data: MjData } | undefined;

  constructor(mujoco: MainModule) {
    this.#mujoco = mujoco;
  }

  load(mjcf: string): readonly Body[] {
    // Memory of the module is not freed by the garbage collector.
    this.#world?.data.delete();
    this.#world?.model.delete();
    const model = this.#mujoco.MjModel.from_xml_string(mjcf);
    const data = new this.#mujoco.MjData(model);
    this.#world = { model, data };
    this.#mujoco.mj_forward(model, data);
    return bodiesOf(model);
  }

  step(count: number): void {
    const { model, data } = this.#loaded();
    for (let index = 0; index < count; index += 1) this.#mujoco.mj_step(model, data);
  }

  poses(): readonly Pose[] {
    const { model, data } = this.#loaded();
    const positions = data.xpos as Float64Array;
    const rotations = data.xquat as Float64Array;
    return Array.from({ length: model.nbody }, (_, body) => poseAt(positions, rotations, body));
  }

  act(controls: readonly number[]): void {
    (this.#loaded().data.ctrl as Float64Array).set(controls);
  }

  #loaded() {
    if (this.#world === undefined) throw new Error('no world is loaded');
    return this.#world;
  }
}

function bodiesOf(model: MjModel): readonly Body[] {
  const bodyOf = model.geom_bodyid as Int32Array;
  const shapes = Array.from(bodyOf, (body, geom) => ({ body, shape: shapeOf(model, geom) }));
  return Array.from({ length: model.nbody }, (_, body) => ({
    name: model.body(body).name,
    shapes: shapes.filter((one) => one.body === body).map(({ shape }) => shape),
  }));
}

function shapeOf(model: MjModel, geom: number): Shape {
  const type = (model.geom_type as Int32Array)[geom] ?? -1;
  const known = KINDS.get(type);
  if (known === undefined) throw new Error(`the world has a shape of the type ${type}, which viewers do not draw`);
  const [x, y, z] = threeAt(model.geom_size as Float64Array, geom, 3);
  return {
    kind: known.kind,
    size: known.size(x, y, z),
    color: threeAt(model.geom_rgba as Float32Array, geom, 4),
    ...poseAt(model.geom_pos as Float64Array, model.geom_quat as Float64Array, geom),
  };
}

function poseAt(positions: Float64Array, quaternions: Float64Array, index: number): Pose {
  const [w = 1, x = 0, y = 0, z = 0] = quaternions.subarray(4 * index, 4 * index + 4);
  return { position: threeAt(positions, index, 3), rotation: rotationOf(w, x, y, z) };
}

function threeAt(values: Float32Array | Float64Array, index: number, stride: number): Vector {
  const [x = 0, y = 0, z = 0] = values.subarray(stride * index, stride * index + 3);
  return [x, y, z];
}

/** Of a unit quaternion; the angle is from 0 to 2 π. */
export function rotationOf(w: number, x: number, y: number, z: number): Rotation {
  const sine = Math.hypot(x, y, z);
  return sine < 1e-9 ? [0, 0, 1, 0] : [x / sine, y / sine, z / sine, 2 * Math.atan2(sine, w)];
}
