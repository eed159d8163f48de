/** A rover with four driven wheels and an arm of two links, among boxes that it can push. */
import { looseBox, model, room } from './parts.ts';
import type { Input, World } from './world.ts';

/** Radians per second of a wheel at full speed. */
const WHEEL_SPEED = 9;
/** Radians per second of a joint of the arm. */
const ARM_SPEED = 1.2;

const WHEELS = [
  { name: 'fore-left', x: 0.18, y: 0.19 },
  { name: 'fore-right', x: 0.18, y: -0.19 },
  { name: 'rear-left', x: -0.18, y: 0.19 },
  { name: 'rear-right', x: -0.18, y: -0.19 },
] as const;

const wheel = ({ name, x, y }: (typeof WHEELS)[number]) => `
  <body name="${name}" pos="${x} ${y} -0.03">
    <joint name="${name}" axis="0 1 0" damping="0.05"/>
    <geom type="cylinder" size="0.1 0.04" euler="90 0 0" rgba="0.16 0.17 0.2 1"/>
    <geom type="cylinder" size="0.045 0.044" euler="90 0 0" rgba="0.8 0.82 0.85 1" contype="0" conaffinity="0"/>
  </body>`;

const arm = `
  <body name="upper-arm" pos="0.1 0 0.1" gravcomp="1">
    <joint name="shoulder" axis="0 -1 0" range="-20 100" limited="true" damping="0.5"/>
    <geom type="sphere" size="0.045" rgba="0.2 0.22 0.26 1" contype="0" conaffinity="0"/>
    <geom type="capsule" fromto="0 0 0 0.26 0 0" size="0.028" rgba="0.95 0.69 0.2 1"/>
    <body name="forearm" pos="0.26 0 0" gravcomp="1">
      <joint name="elbow" axis="0 -1 0" range="-120 60" limited="true" damping="0.5"/>
      <geom type="sphere" size="0.036" rgba="0.2 0.22 0.26 1" contype="0" conaffinity="0"/>
      <geom type="capsule" fromto="0 0 0 0.2 0 0" size="0.022" rgba="0.95 0.69 0.2 1"/>
      <geom type="box" pos="0.22 0 0" size="0.02 0.06 0.02" rgba="0.2 0.22 0.26 1"/>
    </body>
  </body>`;

const rover = `
  <body name="rover" pos="0 0 0.14">
    <freejoint/>
    <geom type="box" size="0.26 0.13 0.05" density="600" rgba="0.04 0.42 0.8 1"/>
    <geom type="box" pos="0.3 0 -0.02" size="0.02 0.22 0.05" rgba="0.16 0.17 0.2 1" friction="0.2 0.005 0.0001"/>
    <geom type="box" pos="-0.08 0 0.07" size="0.13 0.1 0.025" rgba="0.9 0.93 0.96 1"/>
    <geom type="cylinder" pos="0.1 0 0.075" size="0.06 0.025" rgba="0.2 0.22 0.26 1"/>
    ${WHEELS.map(wheel).join('')}
    ${arm}
  </body>`;

/** A pyramid ahead of the rover, and some boxes on their own: twelve in all. */
const BOXES = [
  ...[-0.32, 0, 0.32].map((y) => [1.6, y, 0.12] as const),
  ...[-0.16, 0.16].map((y) => [1.6, y, 0.36] as const),
  ...([
    [1.6, 0, 0.6],
    [0.4, 1.3, 0.12],
    [-0.9, 1.1, 0.12],
    [-1.4, -0.7, 0.12],
  ] as const),
  ...([
    [0.2, -1.5, 0.12],
    [1.4, -1.6, 0.12],
    [-0.3, 2, 0.12],
  ] as const),
];

const motors = [
  ...WHEELS.map(({ name }) => `<velocity joint="${name}" kv="1.5" forcerange="-6 6"/>`),
  ...['shoulder', 'elbow'].map((name) => `<velocity joint="${name}" kv="6" forcerange="-8 8"/>`),
].join('');

export const roverWorld: World = {
  title: 'Rover',
  mjcf: model('rover', {
    bodies: room(4) + rover + BOXES.map((position, index) => looseBox(index, position, 0.12)).join(''),
    motors,
  }),
  viewpoint: { position: [-2.6, -2.6, 2.1], target: [0.3, 0, 0.1] },
  robot: 'rover',
  controls: ({ forward, turn, lift, reach }: Input) => {
    const left = WHEEL_SPEED * (forward - turn);
    const right = WHEEL_SPEED * (forward + turn);
    return [left, right, left, right, ARM_SPEED * lift, ARM_SPEED * reach];
  },
  // A circle, with the arm waving.
  autopilot: (time) => ({ forward: 0.35, turn: 0.55, lift: Math.cos(time) / 2, reach: Math.sin(time) / 2 }),
};
