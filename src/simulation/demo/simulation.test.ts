/** The simulation of the demo with real physics, and with a time of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEMO_WORLDS } from '../../core/simulation/demo-world.ts';
import type { ViewerMessage } from './messages.ts';
import { startMujoco } from './mujoco.ts';
import type { Physics } from './physics.ts';
import { DemoSimulation, FRAME } from './simulation.ts';
import { findWorld } from './worlds/index.ts';
import { STILL, type Input } from './worlds/world.ts';

const physics = await startMujoco();

class Watcher {
  readonly received: string[] = [];
  behind = false;
  send(text: string): void {
    this.received.push(text);
  }
  isBehind(): boolean {
    return this.behind;
  }
  get poses(): { readonly time: number; readonly poses: readonly { readonly id: number; readonly translation: string }[] }[] {
    return this.received
      .filter((text) => text.startsWith('application/json:'))
      .map((text) => JSON.parse(text.slice('application/json:'.length)) as (typeof this.poses)[number]);
  }
}

interface Scene {
  readonly simulation: DemoSimulation;
  readonly said: string[];
  readonly watcher: Watcher;
  readonly send: (message: ViewerMessage) => void;
  /** Plays so many seconds, frame by frame. */
  readonly play: (seconds: number) => void;
  readonly robot: () => readonly [number, number, number];
}

function scene(worldName = 'rover', engine: Physics = physics): Scene {
  const world = findWorld(worldName);
  assert.ok(world);
  const said: string[] = [];
  let robot = -1;
  const simulation = new DemoSimulation({
    physics: {
      load(text) {
        const bodies = engine.load(text);
        robot = bodies.findIndex(({ name }) => name === world.robot);
        return bodies;
      },
      step: (count) => engine.step(count),
      poses: () => engine.poses(),
      act: (controls) => engine.act(controls),
    },
    ...{ world, worldName, say: (word) => said.push(word) },
  });
  const watcher = new Watcher();
  let now = 100;
  return {
    ...{ simulation, said, watcher },
    send: (message) => simulation.handle(watcher, message),
    play(seconds) {
      for (let left = seconds; left > 1e-9; left -= FRAME) simulation.tick((now += FRAME));
    },
    robot: () => engine.poses()[robot]?.position ?? [NaN, NaN, NaN],
  };
}

const drive = (input: Partial<Input>): ViewerMessage => ({ kind: 'drive', input: { ...STILL, ...input } });

test('a viewer gets the world, then the state, and poses while it plays', () => {
  const { send, watcher, play, said, simulation } = scene();
  send({ kind: 'watch' });
  assert.deepEqual(
    watcher.received.map((text) => text.slice(0, 12)),
    ['model:<nodes', 'world:rover.', 'scene load c', 'pause: 0'],
  );
  assert.equal(simulation.tick(1), Infinity, 'a paused simulation waits');
  send({ kind: 'play', mode: 'real-time' });
  play(1);
  assert.equal(simulation.time, 1000);
  assert.equal(watcher.poses.length, 25);
  assert.ok(watcher.poses.at(-1)!.poses.length > 4, 'the robot and its wheels move');
  send({ kind: 'pause' });
  assert.equal(watcher.received.at(-1), 'pause: 1000');
  assert.deepEqual(said, ['real-time', 'pause']);
});

test('it stands still while there is no viewer, and says so', () => {
  const { send, simulation, watcher, said, play } = scene();
  send({ kind: 'play', mode: 'real-time' });
  assert.deepEqual(said, [], 'a client that does not watch has nothing to say');
  send({ kind: 'watch' });
  send({ kind: 'play', mode: 'real-time' });
  play(0.4);
  simulation.remove(watcher);
  assert.equal(simulation.tick(900), Infinity);
  assert.equal(simulation.time, 400);
  send({ kind: 'watch' });
  assert.deepEqual(said, ['real-time', 'pause', 'real-time']);
  assert.equal(watcher.received.at(-1), 'real-time');
  simulation.tick(1000);
  assert.equal(simulation.time, 440, 'the time without viewers is not made up for');
});

test('fast is four times real time, a step is one frame, and a pause can be set ahead', () => {
  const { send, simulation, said, play } = scene();
  send({ kind: 'watch' });
  send({ kind: 'play', mode: 'fast' });
  play(1);
  assert.equal(simulation.time, 4000);
  send({ kind: 'step' });
  assert.equal(simulation.time, 4040);
  assert.equal(simulation.tick(5000), Infinity);
  send({ kind: 'play', mode: 'real-time', pauseAfter: 200 });
  play(2);
  assert.equal(simulation.time, 4240);
  assert.deepEqual(said, ['fast', 'step', 'real-time', 'pause']);
});

test('a reset puts everything back', () => {
  const { send, simulation, watcher, robot, play } = scene();
  const start = robot();
  send({ kind: 'watch' });
  send({ kind: 'play', mode: 'real-time' });
  play(2);
  assert.notDeepEqual(robot(), start);
  send({ kind: 'reset' });
  assert.deepEqual(robot(), start);
  assert.equal(simulation.time, 0);
  assert.equal(watcher.received.at(-1), 'reset finished');
  assert.ok(watcher.poses.at(-1)!.poses.length > 10, 'every pose is sent');
});

test('a viewer that does not keep up misses frames, and then gets every pose', () => {
  const { send, watcher, play } = scene();
  send({ kind: 'watch' });
  send({ kind: 'play', mode: 'real-time' });
  play(0.2);
  const before = watcher.poses.length;
  watcher.behind = true;
  play(1);
  assert.equal(watcher.poses.length, before);
  watcher.behind = false;
  play(0.04);
  assert.equal(watcher.poses.at(-1)!.poses.length, physics.poses().length);
});

test('a driver decides where the rover goes, for a second after each message, and after a while it moves by itself', () => {
  const { send, robot, play } = scene();
  send({ kind: 'watch' });
  send({ kind: 'play', mode: 'real-time' });
  send(drive({ forward: -1 }));
  play(0.96);
  const [backwards] = robot();
  assert.ok(backwards < -0.4, `x is ${backwards}`);
  play(2);
  const stopped = robot();
  play(1);
  for (const [axis, value] of robot().entries()) assert.ok(Math.abs(value - stopped[axis]!) < 0.01, 'it has stopped');
  play(15);
  const [x, y] = robot();
  assert.ok(Math.hypot(x - stopped[0], y - stopped[1]) > 0.2, 'it drives by itself again');
});

for (const name of DEMO_WORLDS)
  test(`the robot of the world ${name} moves by itself, and is still on its feet after a while`, () => {
    const { send, robot, play } = scene(name);
    send({ kind: 'watch' });
    const [x, y, z] = robot();
    send({ kind: 'play', mode: 'fast' });
    play(3);
    const [laterX, laterY, laterZ] = robot();
    assert.ok(Math.hypot(laterX - x, laterY - y) > 0.1, 'it has moved');
    assert.ok(laterZ > z / 2 && laterZ < 3 * z, `it was at the height ${z}, and is at ${laterZ}`);
  });
