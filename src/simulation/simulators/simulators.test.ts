import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LaunchPlace } from '../../core/simulation/launch-plan.ts';
import { createCommand } from './command.ts';
import { createDemo } from './demo.ts';
import { createWebots } from './webots.ts';

const facts = { world: 'worlds/arm.wbt', worldHeader: '#VRML_SIM R2025a utf8' };
const place: LaunchPlace = { project: '/run/p', port: 1234, socket: '/run/s', container: false };
const webots = createWebots(() => ({ home: '/opt/webots', arguments: [], images: {}, network: 'egress' }));
const argvOf = (more: Partial<LaunchPlace> = {}) => {
  const result = webots.plan(facts, { ...place, ...more });
  assert.ok(result.kind === 'plan', JSON.stringify(result));
  return result.plan;
};

test('Webots gets the arguments of the original', () => {
  assert.deepEqual(argvOf().argv, [
    ...['/opt/webots/webots', '--batch', '--mode=pause', '--minimize', '--no-rendering', '--port=1234', '--heartbeat=5000'],
    ...['--stream', '/run/p/worlds/arm.wbt'],
  ]);
  assert.ok(argvOf({ mode: 'x3d' }).argv.includes('--stream=x3d'), 'the mode');
  assert.ok(!argvOf({ mode: 'mjpeg' }).argv.includes('--minimize'), 'pictures need a window');
});

test('in a container the world chooses the image, and one that names no version is refused permanently', () => {
  const { image, argv } = argvOf({ container: true });
  assert.equal(image, 'cyberbotics/webots.cloud:R2025a-ubuntu22.04');
  assert.equal(argv[0], '/usr/local/webots/webots');
  const result = webots.plan({ ...facts, worldHeader: 'x' }, { ...place, container: true });
  assert.equal(result.kind === 'refused' && result.ending.code, 1008);
});

test('the words of Webots are understood', () => {
  assert.deepEqual(
    ['.', '..', 'pause', 'real-time', 'run', 'fast', 'step', 'reset', 'INFO: x', ''].map((line) => webots.word(line)),
    [...['loaded', 'loaded', 'idle', 'busy', 'busy', 'busy', 'busy', 'reset', undefined, undefined]],
  );
});

test('a command gets the places of the session in whole or part arguments, and nothing else is replaced', () => {
  const command = createCommand(() => ({
    argv: ['/bin/sim', '{world}', '--port={port}', '{mode}', '{other}', '$(id)'],
    ...{ environment: { A: 'b' }, network: 'none', loaded: 'ready' },
  }));
  const result = command.plan(facts, place);
  assert.ok(result.kind === 'plan', 'it is a plan');
  assert.deepEqual(result.plan.argv, ['/bin/sim', '/run/p/worlds/arm.wbt', '--port=1234', '', '{other}', '$(id)']);
  assert.deepEqual([result.plan.inner, result.plan.loadedBy], ['tcp', 'word']);
  assert.equal(command.word('ready to go'), 'loaded');
  assert.equal(command.plan(facts, { ...place, container: true }).kind, 'refused');
});

test('the demo needs no project and no network', () => {
  const demo = createDemo({ argv: ['node', 'demo.js'] });
  const result = demo.plan(facts, place);
  assert.ok(result.kind === 'plan', 'it is a plan');
  assert.deepEqual(result.plan.argv, ['node', 'demo.js', 'arm', '/run/s']);
  const other = demo.plan({ ...facts, world: 'worlds/anything else.wbt' }, place);
  assert.deepEqual(other.kind === 'plan' && other.plan.argv, ['node', 'demo.js', 'rover', '/run/s']);
  assert.equal(createDemo({}).plan(facts, place).kind, 'refused');
  assert.deepEqual([demo.usesProject, result.plan.network, result.plan.inner], [false, 'none', 'unix']);
});
