/** A robot with four legs that trots. */
import { looseBox, model, room } from './parts.ts';
import type { Input, World } from './world.ts';

/** Steps of a leg per second, and angles in radians. */
const PACE = 2;
const SWING = 0.24;
const LIFT = 0.5;
/** Hips and knees of a robot that stands, degrees. The motors turn them from there. */
const HIP = 40;
const KNEE = -80;

/** Legs of a diagonal step together. */
const LEGS = [
  { name: 'fore-left', x: 0.25, y: 0.19, phase: 0, left: true },
  { name: 'fore-right', x: 0.25, y: -0.19, phase: Math.PI, left: false },
  { name: 'rear-left', x: -0.25, y: 0.19, phase: Math.PI, left: true },
  { name: 'rear-right', x: -0.25, y: -0.19, phase: 0, left: false },
] as const;

const leg = ({ name, x, y }: (typeof LEGS)[number]) => `
  <body name="${name}" pos="${x} ${y} 0" euler="0 ${HIP} 0">
    <joint name="hip-${name}" axis="0 1 0" damping="0.3"/>
    <geom type="sphere" size="0.055" rgba="0.2 0.22 0.26 1" contype="0" conaffinity="0"/>
    <geom type="capsule" fromto="0 0 0 0 0 -0.2" size="0.032" rgba="0.26 0.6 0.44 1"/>
    <body name="shin-${name}" pos="0 0 -0.2" euler="0 ${KNEE} 0">
      <joint name="knee-${name}" axis="0 1 0" damping="0.3"/>
      <geom type="capsule" fromto="0 0 0 0 0 -0.2" size="0.024" rgba="0.2 0.22 0.26 1"/>
      <geom type="sphere" pos="0 0 -0.2" size="0.034" rgba="0.16 0.17 0.2 1" friction="1.2 0.01 0.001"/>
    </body>
  </body>`;

const robot = `
  <body name="quadruped" pos="0 0 0.345">
    <freejoint/>
    <geom type="box" size="0.3 0.11 0.055" density="500" rgba="0.26 0.6 0.44 1"/>
    <geom type="box" pos="0.34 0 0.05" size="0.07 0.07 0.05" rgba="0.9 0.93 0.96 1"/>
    <geom type="sphere" pos="0.41 0.035 0.06" size="0.018" rgba="0.1 0.1 0.1 1" contype="0" conaffinity="0"/>
    <geom type="sphere" pos="0.41 -0.035 0.06" size="0.018" rgba="0.1 0.1 0.1 1" contype="0" conaffinity="0"/>
    ${LEGS.map(leg).join('')}
  </body>`;

const BOXES = [[1.5, 0.3, 0.1] as const, [1.7, -0.4, 0.1] as const, [0.4, 1.6, 0.1] as const, [-0.6, -1.5, 0.1] as const];

export const quadrupedWorld: World = {
  title: 'Quadruped',
  mjcf: model('quadruped', {
    bodies: room(4) + robot + BOXES.map((position, index) => looseBox(index, position, 0.1)).join(''),
    motors: LEGS.flatMap(({ name }) => [
      `<position joint="hip-${name}" kp="90" kv="4" forcerange="-40 40"/>`,
      `<position joint="knee-${name}" kp="90" kv="4" forcerange="-40 40"/>`,
    ]).join(''),
  }),
  viewpoint: { position: [-2.2, -2.4, 1.7], target: [0.3, 0, 0.25] },
  robot: 'quadruped',
  controls: ({ forward, turn, lift }: Input, time) =>
    LEGS.flatMap(({ phase, left }) => {
      const stride = Math.max(-1, Math.min(1, forward + (left ? -turn : turn)));
      const angle = 2 * Math.PI * PACE * time + phase;
      // A leg is lifted while it swings to where it steps next.
      const raised = stride === 0 ? 0 : Math.max(0, Math.cos(angle));
      const height = 0.25 * lift;
      return [-height - stride * SWING * Math.sin(angle) + (LIFT / 2) * raised, 2 * height - LIFT * raised];
    }),
  // In a circle.
  autopilot: () => ({ forward: 0.8, turn: 0.5, lift: 0, reach: 0 }),
};
