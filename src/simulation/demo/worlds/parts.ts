/** Pieces of models that several worlds have. */
import { STEP } from '../physics.ts';

/** A floor with a low wall around it, so that nothing is pushed out of the world. `half`: half of its edge, metres. */
export function room(half: number): string {
  const wall = (x: number, y: number, length: number, width: number) =>
    `<geom type="box" pos="${x} ${y} 0.06" size="${length} ${width} 0.06" rgba="0.55 0.6 0.66 1"/>`;
  return `
    <geom type="plane" size="${half} ${half} 0.1" rgba="0.86 0.88 0.9 1"/>
    ${wall(half, 0, 0.05, half)}${wall(-half, 0, 0.05, half)}${wall(0, half, half, 0.05)}${wall(0, -half, half, 0.05)}`;
}

/** The model around what is in the world. */
export function model(name: string, { bodies, motors }: { readonly bodies: string; readonly motors: string }): string {
  return `<mujoco model="${name}">
  <option timestep="${STEP}" integrator="implicitfast"><flag sleep="enable"/></option>
  <default><geom friction="0.9 0.01 0.001" density="300"/></default>
  <worldbody>${bodies}</worldbody>
  <actuator>${motors}</actuator>
</mujoco>`;
}

const COLORS = ['0.85 0.33 0.24', '0.95 0.69 0.2', '0.26 0.6 0.44', '0.24 0.48 0.78'];

/** A box that can be pushed. Metres. */
export function looseBox(index: number, [x, y, z]: readonly [number, number, number], half: number): string {
  const color = COLORS[index % COLORS.length] ?? '0.5 0.5 0.5';
  return `<body name="box-${index}" pos="${x} ${y} ${z}"><freejoint/><geom type="box" size="${half} ${half} ${half}" density="120" rgba="${color} 1"/></body>`;
}
