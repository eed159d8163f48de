/**
 * The image, built and run by podman without a registry: its base is a stand-in with this Node and a busybox, and what its build stage makes is the build
 * of this folder. Needs podman, busybox-static, and `npm run build`.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { parse } from 'yaml';
import { eventually } from '../support/eventually.ts';
import { temporary } from '../support/start-program.ts';

const root = join(import.meta.dirname, '..', '..');
const BASE = 'localhost/session-server-test-base';
const IMAGE = 'localhost/session-server-test-image';

after(() => void spawnSync('podman', ['rmi', '--force', IMAGE, BASE]));

test('the image starts the demo as compose.yml does, without rights, answers its health check, and ends at once', async (t) => {
  importBase(t);
  podman([
    'build',
    ...['--pull=never', '--format=docker', '--layers=false', '--isolation=chroot', '--network=host'],
    ...built(t),
  ]);
  const name = `session-server-test-${process.pid}`;
  t.after(() => spawnSync('podman', ['rm', '--force', '--volumes', name]));
  podman(['run', '--detach', ...['--name', name, '--network=none', ...limits(), ...runtime()], ...asComposed(), IMAGE]);
  const inside = (...command: string[]) => podman(['exec', name, ...command]);
  await eventually('the demo is ready', () => {
    const { stdout, stderr } = spawnSync('podman', ['logs', name], { encoding: 'utf8' });
    assert.match(stdout, /^Open http:\/\/localhost:1999\/$/m, stderr);
    return true;
  });

  podman(['healthcheck', 'run', name]);
  assert.match(inside('sh', '-c', 'id -u; grep CapEff /proc/1/status'), /^1000\nCapEff:\s+0+$/m);
  assert.notEqual(spawnSync('podman', ['exec', name, 'touch', '/opt/session-server/file']).status, 0, 'its root is read-only');
  const ask =
    "const { text } = await import('node:stream/consumers'); const answer = await fetch('http://localhost:1999/session');";
  const url = () => inside('node', '--input-type=module', '-e', `${ask} console.log(await text(answer.body))`).trim();
  await eventually('a session can start', () => /^ws:\/\/localhost:20\d\d$/.test(url()));

  podman(['stop', '--time=60', name]);
  assert.equal(podman(['inspect', name, '--format={{.State.ExitCode}}']).trim(), '0', 'it was not killed');
});

/** Node, the libraries that it loads, a shell, and the user `node`, as the official image has them. */
function importBase(t: TestContext): void {
  const folder = temporary(t);
  const loaded = [process.execPath, '/usr/bin/install'].flatMap((program) => [
    ...spawnSync('ldd', [program], { encoding: 'utf8' }).stdout.matchAll(/(?:=> )?(\/\S+) \(/g),
  ]);
  for (const [from, to] of [
    [process.execPath, 'usr/local/bin/node'],
    ['/bin/busybox', 'bin/busybox'],
    ['/usr/bin/install', 'bin/install'],
    ...loaded.map(([, path = '']) => [path, path] as const),
  ] as const) {
    mkdirSync(join(folder, dirname(to)), { recursive: true });
    cpSync(from, join(folder, to), { dereference: true });
  }
  for (const applet of ['sh', 'id', 'grep', 'touch']) symlinkSync('busybox', join(folder, 'bin', applet));
  for (const made of ['etc', 'tmp', 'proc', 'home/node']) mkdirSync(join(folder, made), { recursive: true });
  chmodSync(join(folder, 'tmp'), 0o1777);
  writeFileSync(join(folder, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n');
  writeFileSync(join(folder, 'etc/group'), 'root:x:0:\nnode:x:1000:\n');
  writeFileSync(join(folder, 'etc/hosts'), '127.0.0.1 localhost\n');
  const tar = `${folder}.tar`;
  t.after(() => spawnSync('rm', ['-f', tar]));
  assert.equal(spawnSync('tar', ['-C', folder, '-cf', tar, '.']).status, 0);
  podman(['import', '--quiet', tar, BASE]);
}

/** The arguments of a build of the last stage, which takes from this folder what it would take from the first one. */
function built(t: TestContext): readonly string[] {
  assert.ok(existsSync(join(root, 'dist', 'program')), 'npm run build comes first');
  const folder = temporary(t);
  const text = readFileSync(join(root, 'Dockerfile'), 'utf8');
  const last = text.slice(text.lastIndexOf('FROM ')).replaceAll('COPY --from=build /build/', 'COPY ');
  writeFileSync(join(folder, 'Dockerfile'), `ARG NODE_IMAGE\n${last}`);
  // Without a line, podman reads .dockerignore, which names `dist`.
  writeFileSync(join(folder, 'ignored'), '.git\n');
  const files = [`--file=${folder}/Dockerfile`, `--ignorefile=${folder}/ignored`];
  return [...files, `--build-arg=NODE_IMAGE=${BASE}`, `--tag=${IMAGE}`, root];
}

/** What compose.yml says of rights and limits, as options of `run`. */
function asComposed(): readonly string[] {
  const read = parse(readFileSync(join(root, 'compose.yml'), 'utf8')) as { services: Readonly<Record<string, Composed>> };
  const service = read.services['session-server'];
  assert.ok(service !== undefined);
  return [
    `--read-only=${service.read_only}`,
    `--user=${service.user}`,
    `--memory=${service.mem_limit}`,
    `--pids-limit=${service.pids_limit}`,
    ...service.cap_drop.map((name) => `--cap-drop=${name}`),
    ...service.security_opt.map((option) => `--security-opt=${option}`),
    ...service.tmpfs.map((mount) => `--tmpfs=${mount}`),
    ...Object.entries(service.environment).map(([name, value]) => `--env=${name}=${value}`),
    ...service.volumes.filter((volume) => volume.startsWith('./')).map((volume) => `--volume=${volume.replace('.', root)}`),
  ];
}

interface Composed {
  readonly read_only: boolean;
  readonly user: string;
  readonly mem_limit: string;
  readonly pids_limit: number;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly tmpfs: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
}

/** The runtime that podman prefers refuses machines that have both versions of cgroups. */
function runtime(): readonly string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  return / - cgroup2 /.test(mounts) && / - cgroup /.test(mounts) ? ['--runtime=runc'] : [];
}

/** A container may not exceed the limits of its caller everywhere, and those of compose.yml are for a server. */
function limits(): readonly string[] {
  return ['--ulimit=nofile=1024:1024', '--ulimit=nproc=4096:4096'];
}

/** What it printed. */
function podman(args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('podman', args, { encoding: 'utf8' });
  assert.equal(status, 0, `podman ${args[0] ?? ''}: ${error?.message ?? stderr}`);
  return stdout;
}
