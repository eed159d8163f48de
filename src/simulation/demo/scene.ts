/** The world as viewers read it: an XML document in the words of Webots, then the poses of what moved. */
import type { Body, Pose, Rotation, Shape, Vector } from './physics.ts';
import type { World } from './worlds/world.ts';

/** The first node of a body; the bodies follow one another. */
const FIRST_BODY = 100;

/** The document that follows `model:`. Every node has an id of the form `nNUMBER`. */
export function sceneXml({ title, viewpoint, robot }: World, bodies: readonly Body[], poses: readonly Pose[]): string {
  let last = FIRST_BODY + bodies.length;
  const id = () => `id="n${(last += 1)}"`;
  const { position, target } = viewpoint;
  const view = `position="${text(position)}" orientation="${text(lookingAt(position, target))}" fieldOfView="0.9"`;
  const shapes = ({ shapes }: Body) => shapes.map((shape) => shapeXml(shape, id)).join('');
  return [
    `<nodes><Scene id="n1">`,
    `<WorldInfo id="n2" title="${title}" basicTimeStep="40"/>`,
    `<Viewpoint id="n3" ${view}/>`,
    `<Background id="n4" skyColor="0.75 0.84 0.93"/>`,
    `<DirectionalLight id="n5" direction="-0.4 0.5 -1" intensity="2" castShadows="true"/>`,
    ...bodies.map((body, index) => {
      const { translation, rotation } = poseText(poses[index]);
      // `drives` is ours: this robot understands drive messages.
      const kind = body.name === robot ? ' type="robot" drives="true"' : '';
      const place = `translation="${translation}" rotation="${rotation}"`;
      return `<Transform id="n${FIRST_BODY + index}" name="${body.name}"${kind} ${place}>${shapes(body)}</Transform>`;
    }),
    `</Scene></nodes>`,
  ].join('');
}

function shapeXml({ kind, size, color, position, rotation }: Shape, id: () => string): string {
  const appearance = `<PBRAppearance ${id()} baseColor="${text(color)}" roughness="0.7" metalness="0"/>`;
  const geometry = `<${GEOMETRIES[kind].name} ${id()} ${GEOMETRIES[kind].fields(size)}/>`;
  const shape = `<Shape ${id()} castShadows="${String(kind !== 'plane')}">${appearance}${geometry}</Shape>`;
  return `<Transform ${id()} translation="${text(position)}" rotation="${text(rotation)}">${shape}</Transform>`;
}

const round = ([radius = 0, height = 0]: readonly number[]) => `radius="${short(radius)}" height="${short(height)}"`;

const GEOMETRIES: Readonly<
  Record<Shape['kind'], { readonly name: string; readonly fields: (size: readonly number[]) => string }>
> = {
  box: { name: 'Box', fields: (size) => `size="${text(size)}"` },
  plane: { name: 'Plane', fields: (size) => `size="${text(size)}"` },
  sphere: { name: 'Sphere', fields: ([radius = 0]) => `radius="${short(radius)}" subdivision="2"` },
  cylinder: { name: 'Cylinder', fields: (size) => `${round(size)} subdivision="36"` },
  capsule: { name: 'Capsule', fields: (size) => `${round(size)} subdivision="24"` },
};

/** A pose as it is sent. */
export interface PoseText {
  readonly translation: string;
  readonly rotation: string;
}

export function poseText(pose: Pose | undefined): PoseText {
  return { translation: text(pose?.position ?? [0, 0, 0]), rotation: text(pose?.rotation ?? [0, 0, 1, 0]) };
}

/** The message with the poses that are different from those in `before`. `time`: milliseconds of the simulation. */
export function posesMessage(time: number, poses: readonly PoseText[], before: readonly PoseText[]): string {
  const moved = poses.flatMap((pose, index) => {
    const old = before[index];
    const isSame = old?.translation === pose.translation && old.rotation === pose.rotation;
    return isSame ? [] : [{ id: FIRST_BODY + index, ...pose }];
  });
  return `application/json:${JSON.stringify({ time, poses: moved })}`;
}

function text(values: readonly number[]): string {
  return values.map(short).join(' ');
}

/** A tenth of a millimetre, and half a hundredth of a degree. */
function short(value: number): string {
  return String(Number(value.toFixed(4)));
}

/** The rotation of a camera whose x axis looks at `target`, with z upwards as in the world. */
export function lookingAt([x, y, z]: Vector, [toX, toY, toZ]: Vector): Rotation {
  const yaw = Math.atan2(toY - y, toX - x);
  const pitch = -Math.atan2(toZ - z, Math.hypot(toX - x, toY - y));
  const [a, b] = [yaw / 2, pitch / 2];
  // The product of the rotations about z and then about the new y.
  const w = Math.cos(a) * Math.cos(b);
  const axis = [-Math.sin(a) * Math.sin(b), Math.cos(a) * Math.sin(b), Math.sin(a) * Math.cos(b)] as const;
  const sine = Math.hypot(...axis);
  if (sine < 1e-9) return [0, 0, 1, 0];
  return [axis[0] / sine, axis[1] / sine, axis[2] / sine, 2 * Math.atan2(sine, w)];
}
