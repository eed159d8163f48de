import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rotationOf } from './mujoco.ts';
import type { Body, Pose } from './physics.ts';
import { lookingAt, poseText, posesMessage, sceneXml } from './scene.ts';
import { roverWorld } from './worlds/rover.ts';

const here: Pose = { position: [0, 0, 0], rotation: [0, 0, 1, 0] };
const there: Pose = { position: [1.00004, -2, 0.5], rotation: [0, 1, 0, Math.PI] };

test('a scene has every body with its place, and its shapes in the fields of Webots', () => {
  const shapes: Body['shapes'] = [
    { kind: 'box', size: [1, 2, 3], color: [1, 0, 0.25], ...there },
    { kind: 'cylinder', size: [0.1, 0.2], color: [0, 0, 0], ...here },
    { kind: 'capsule', size: [0.3, 0.4], color: [0, 0, 0], ...here },
    { kind: 'sphere', size: [0.5], color: [0, 0, 0], ...here },
    { kind: 'plane', size: [8, 9], color: [0, 0, 0], ...here },
  ];
  const xml = sceneXml(
    roverWorld,
    [
      { name: 'world', shapes: [] },
      { name: 'rover', shapes },
    ],
    [here, there],
  );
  assert.match(
    xml,
    /^<nodes><Scene id="n1"><WorldInfo [^>]+\/><Viewpoint [^>]+\/><Background [^>]+\/><DirectionalLight [^>]+\/>/,
  );
  assert.match(
    xml,
    /<Transform id="n101" name="rover" type="robot" drives="true" translation="1 -2 0.5" rotation="0 1 0 3.1416"><Transform/,
  );
  assert.match(xml, /baseColor="1 0 0.25"/);
  for (const geometry of [
    /<Box id="n\d+" size="1 2 3"\/>/,
    /<Cylinder id="n\d+" radius="0.1" height="0.2" /,
    /<Capsule id="n\d+" radius="0.3" height="0.4" /,
    /<Sphere id="n\d+" radius="0.5" /,
    /<Plane id="n\d+" size="8 9"\/>/,
  ])
    assert.match(xml, geometry);
  const ids = [...xml.matchAll(/ id="(n\d+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length, 'an id stands for one node');
});

test('only what moved is sent, and all of it to a viewer that knows nothing', () => {
  const [a, b] = [poseText(here), poseText(there)];
  const read = (message: string) => JSON.parse(message.replace('application/json:', '')) as unknown;
  const moved = { id: 101, translation: '1 -2 0.5', rotation: '0 1 0 3.1416' };
  assert.deepEqual(read(posesMessage(40, [a, b], [a, a])), { time: 40, poses: [moved] });
  assert.deepEqual(read(posesMessage(80, [a, b], [a, b])), { time: 80, poses: [] });
  assert.deepEqual(read(posesMessage(80, [a, b], [])), {
    time: 80,
    poses: [{ id: 100, translation: '0 0 0', rotation: '0 0 1 0' }, moved],
  });
});

test('a camera looks along its x axis, and stays upright', () => {
  const close = (got: readonly number[], expected: readonly number[]) => {
    for (const [index, value] of expected.entries()) assert.ok(Math.abs((got[index] ?? NaN) - value) < 1e-9, String(got));
  };
  close(lookingAt([0, 0, 0], [5, 0, 0]), [0, 0, 1, 0]);
  close(lookingAt([0, 0, 0], [0, 5, 0]), [0, 0, 1, Math.PI / 2]);
  close(lookingAt([0, 0, 1], [1, 0, 0]), [0, 1, 0, Math.PI / 4]);
});

test('a quaternion becomes an axis and an angle', () => {
  assert.deepEqual(rotationOf(1, 0, 0, 0), [0, 0, 1, 0]);
  const [x, y, z, angle] = rotationOf(Math.SQRT1_2, 0, 0, -Math.SQRT1_2);
  assert.deepEqual([Math.abs(x), Math.abs(y), z], [0, 0, -1]);
  assert.ok(Math.abs(angle - Math.PI / 2) < 1e-9);
});
