/** A robot arm on a table that pushes boxes around. */
import { looseBox, model, room } from './parts.ts';
import type { Input, World } from './world.ts';

/** Radians per second of a joint. */
const SPEED = 1.2;
const DARK = '0.2 0.22 0.26 1';
const LIGHT = '0.95 0.55 0.15 1';

/** Joints from the base to the wrist, with the angles that they can reach, degrees. */
const JOINTS = [
  { name: 'base', range: '-170 170' },
  { name: 'shoulder', range: '-20 110' },
  { name: 'elbow', range: '-140 20' },
  { name: 'wrist', range: '-110 110' },
] as const;

const joint = (index: number, axis: string) => {
  const { name, range } = JOINTS[index] ?? JOINTS[0];
  return `<joint name="${name}" axis="${axis}" range="${range}" limited="true" damping="2"/>`;
};

const arm = `
  <body name="column" pos="0 0 0.5" gravcomp="1">
    ${joint(0, '0 0 1')}
    <geom type="cylinder" pos="0 0 0.1" size="0.09 0.1" rgba="${LIGHT}"/>
    <body name="arm" pos="0 0 0.24" gravcomp="1">
      ${joint(1, '0 -1 0')}
      <geom type="sphere" size="0.07" rgba="${DARK}" contype="0" conaffinity="0"/>
      <geom type="capsule" fromto="0 0 0 0.42 0 0" size="0.05" rgba="${LIGHT}"/>
      <body name="forearm" pos="0.42 0 0" gravcomp="1">
        ${joint(2, '0 -1 0')}
        <geom type="sphere" size="0.06" rgba="${DARK}" contype="0" conaffinity="0"/>
        <geom type="capsule" fromto="0 0 0 0.34 0 0" size="0.04" rgba="${LIGHT}"/>
        <body name="hand" pos="0.34 0 0" gravcomp="1">
          ${joint(3, '0 -1 0')}
          <geom type="sphere" size="0.048" rgba="${DARK}" contype="0" conaffinity="0"/>
          <geom type="box" pos="0.1 0 0" size="0.06 0.09 0.02" rgba="${DARK}"/>
        </body>
      </body>
    </body>
  </body>`;

const table = '<geom type="box" pos="0 0 0.25" size="0.9 0.9 0.25" rgba="0.72 0.6 0.45 1"/>';
const BOXES = [0, 1, 2, 3, 4, 5].map((index) => {
  const angle = (index * Math.PI) / 3 + 0.3;
  return [0.62 * Math.cos(angle), 0.62 * Math.sin(angle), 0.57] as const;
});

export const armWorld: World = {
  title: 'Arm',
  mjcf: model('arm', {
    bodies: room(3) + table + arm + BOXES.map((position, index) => looseBox(index, position, 0.07)).join(''),
    motors: JOINTS.map(({ name }) => `<velocity joint="${name}" kv="30" forcerange="-60 60"/>`).join(''),
  }),
  viewpoint: { position: [-1.7, -1.9, 1.9], target: [0, 0, 0.6] },
  robot: 'hand',
  controls: ({ forward, turn, lift, reach }: Input) => [turn, -forward, lift, reach].map((share) => SPEED * share),
  // It bends down once, then sweeps over the table and back.
  autopilot: (time) => ({
    forward: 0.3 * Math.sin(time / 2),
    turn: Math.sin(time / 4) / 2,
    lift: -0.5 * Math.cos(time / 2),
    reach: 0.3 * Math.cos(time / 2),
  }),
};
