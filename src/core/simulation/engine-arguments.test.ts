import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerName, idOfContainer, removeArguments, runArguments, type ContainerOptions } from './engine-arguments.ts';
import type { LaunchPlan } from './launch-plan.ts';

const plan: LaunchPlan = {
  ...{ argv: ['/sim', '--x', '$(id)'], environment: {}, inner: 'tcp', loadedBy: 'word', network: 'none', folders: [] },
  ...{ display: false, gpu: false },
};
const options: ContainerOptions = {
  ...{ engine: 'podman', instance: 'abc', id: '01', image: 'localhost/sim', plan, project: '/p', workspace: '/run/w' },
  ...{ session: '/run/s', environment: { A: 'b' }, limits: { cpus: 1.5, memory: 1000, pids: 10, disk: 2000 }, devices: [] },
  ...{ ulimits: { nofile: 1024, nproc: 4096 }, nvidia: false },
};
/** Whether these follow each other. */
const has = (argv: readonly string[], ...part: readonly string[]) =>
  argv.some((_, index) => part.every((word, offset) => argv[index + offset] === word));

test('a container gets limits, no capabilities, no network and nothing to write but its own folders', () => {
  const argv = runArguments(options);
  for (const part of [
    ...[
      ['--cap-drop', 'ALL'],
      ['--security-opt', 'no-new-privileges'],
      ['--read-only'],
      ['--network', 'none'],
      ['--pull', 'never'],
    ],
    ...[
      ['--pids-limit', '10'],
      ['--memory', '1000'],
      ['--memory-swap', '1000'],
      ['--cpus', '1.5'],
    ],
    ...[
      ['--volume', '/run/w:/p'],
      ['--env', 'A=b'],
      ['--entrypoint', '/sim', 'localhost/sim', '--x', '$(id)'],
    ],
  ])
    assert.ok(has(argv, ...part), part.join(' '));
  assert.ok(!argv.includes('--privileged'), 'never');
});

test('a published port is one of the loopback alone, and then there is a network', () => {
  const argv = runArguments({ ...options, publish: 4000 });
  assert.ok(has(argv, '--publish', '127.0.0.1:4000:1234'), 'published');
  assert.ok(!has(argv, '--network', 'none'), 'a network');
});

test('each engine gets its runtime and its GPUs in its own way', () => {
  const gpu = { plan: { ...plan, gpu: true }, nvidia: true, runtime: 'runc' };
  const podman = runArguments({ ...options, ...gpu });
  assert.deepEqual(podman.slice(0, 4), ['podman', '--runtime', 'runc', 'run']);
  assert.ok(has(podman, '--device', 'nvidia.com/gpu=all'), 'by name');
  const docker = runArguments({ ...options, ...gpu, engine: 'docker' });
  assert.ok(has(docker, '--runtime', 'runc') && has(docker, '--gpus', 'all'), 'by options');
  assert.ok(!removeArguments('docker', 'x').includes('--time'), 'docker does not know it');
});

test('a container is found by the name of its server and session', () => {
  assert.equal(idOfContainer('abc', containerName('abc', '01')), '01');
  assert.equal(idOfContainer('abd', containerName('abc', '01')), undefined);
});
