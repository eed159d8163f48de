/**
 * Whatever is killed or runs out, at whatever stage: the client gets to know, the server goes on or its successor sweeps, and nothing is left. Needs
 * bubblewrap, podman and busybox-static, and for the full disk the right to mount.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startGitServer, WORLD } from '../support/git-repository.ts';
import { busyboxImage } from './busybox-image.ts';
import { startSimulationServer, type SimulationServer } from '../support/simulation-server.ts';
import type { SocketClient } from '../support/socket-client.ts';
import { temporary } from '../support/start-program.ts';

interface Stage {
  readonly name: string;
  readonly world: (server: SimulationServer) => string;
  /** A session is there. */
  readonly reached: (client: SocketClient, server: SimulationServer) => unknown;
}

const said = (line: string) => (client: SocketClient) => client.messages.some((message) => message.startsWith(line));
const STAGES: readonly Stage[] = [
  {
    name: 'fetching',
    world: () => 'https://slow.example.org/acme/arm/blob/main/worlds/arm.wbt',
    reached: () => eventually('Git', () => gitOf().length > 0),
  },
  {
    name: 'loading',
    world: (server) => server.world('silent', 'silent', 'fork-away'),
    reached: (client) => eventually('the simulator', () => said('loading: Loading the world')(client)),
  },
  {
    name: 'streaming',
    world: (server) => server.world('stubborn', 'fork-away', 'ignore-term'),
    reached: (client, server) => server.streamPort(client),
  },
];

let slowHost = '';

async function startWithSlowHost(t: TestContext, isolation: string): Promise<SimulationServer> {
  const slow = await startGitServer(t, temporary(t));
  slow.trouble = 'silent';
  // Part of the arguments of Git.
  slowHost = slow.url;
  return startSimulationServer(t, {
    configuration: (folder) => ({
      ...{ isolation: { use: isolation }, allowedRepositories: ['https://github.com/acme', 'https://slow.example.org/acme'] },
      projects: {
        mirrors: { 'https://github.com/': `file://${folder}/mirror/`, 'https://slow.example.org/': slow.url },
        hosts: ['slow.example.org'],
      },
    }),
  });
}

for (const isolation of ['cgroup', 'bubblewrap'])
  test(`${isolation}: a server that is killed at any stage leaves nothing that the next one does not remove`, async (t) => {
    const server = await startWithSlowHost(t, isolation);
    for (const { world, reached } of STAGES) await reached(await server.start(world(server)), server);
    server.child.signal('SIGKILL');
    await server.child.ended;
    await startSimulationServer(t, { configuration: { isolation: { use: isolation } }, folder: server.folder });
    nothingIsLeft(server.folder);
    await eventually('the end of Git', () => gitOf().length === 0);
  });

test('a killed simulator, Git or launcher ends its session and nothing else', async (t) => {
  const server = await startWithSlowHost(t, 'cgroup');
  const [fetching, , streaming] = STAGES;
  const kept = await server.start(server.world('arm'));
  await server.streamPort(kept);

  const client = await server.start(server.world('killed'));
  await server.streamPort(client);
  kill(processesWith('worlds/killed.wbt'));
  assert.equal((await client.ends()).code, 1011);
  assert.equal(client.messages.at(-1), 'error: The simulator ended by the signal SIGKILL.');

  const waiting = await server.start(fetching?.world(server) ?? '');
  await fetching?.reached(waiting, server);
  kill(gitOf());
  assert.equal((await waiting.ends()).code, 1013);
  assert.equal(kept.socket.readyState, kept.socket.OPEN, 'the others go on');

  const lost = await server.start(streaming?.world(server) ?? '');
  await streaming?.reached(lost, server);
  kill(childrenOf(server.child.pid));
  assert.equal((await lost.ends()).code, 1011);
  await kept.ends();
  await server.empty();
  nothingIsLeft(server.folder);
  const again = await server.start(server.world('arm'));
  await server.streamPort(again);
});

test('podman: a killed engine ends its session, and the container is removed', async (t) => {
  const simulators = { command: { image: busyboxImage(t), argv: ['/bin/busybox', 'httpd', '-f', '-p', '{port}'] } };
  const server = await startSimulationServer(t, {
    configuration: { simulator: 'command', simulators, isolation: { use: 'podman' } },
  });
  const client = await server.start(server.world('arm'));
  await server.streamPort(client, 60);
  const [session] = await server.sessions();
  const name = session?.id ?? '?';
  // The command that is attached to it, and the program that watches it.
  kill(processesWith(name).filter((pid) => /^(?:\S*podman|\S*conmon)\0/.test(commandOf(pid))));
  assert.equal((await client.ends()).code, 1011);
  await server.empty();
  const { stdout } = spawnSync('podman', ['ps', '--all', '--format', '{{.Names}}'], { encoding: 'utf8' });
  assert.ok(!stdout.includes(name), stdout);
  assert.deepEqual(processesWith(name), []);
});

test('a full disk refuses what does not fit, and the server goes on', async (t) => {
  const cache = mkdtempSync(join(tmpdir(), 'session-server-cache-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'session-server-test', cache], { encoding: 'utf8' });
  t.after(() => {
    spawnSync('umount', ['--lazy', cache]);
    rmdirSync(cache);
  });
  assert.equal(mounted.status, 0, `this test needs root: ${mounted.stderr}`);
  const server = await startSimulationServer(t, { configuration: { cache: { dir: cache, leaveFree: 0, refreshAfter: 0 } } });
  const small = server.world('arm');
  await server.streamPort(await server.start(small));
  server.repository.commit({ 'large.bin': randomText(8_000_000), 'worlds/large.wbt': WORLD });
  const large = await server.start(small.replace('arm.wbt', 'large.wbt'));
  assert.equal((await large.ends()).code, 1013);
  assert.equal(large.messages.at(-1), 'error: The disk of this simulation server is full.');
  assert.ok((await server.get('/load')).ok, 'it answers');
  server.repository.git('rm', '--quiet', 'large.bin');
  const after = await server.start(server.world('after'));
  await server.streamPort(after);
});

test('with 256 descriptors the server refuses what it cannot serve, and recovers', async (t) => {
  const server = await startSimulationServer(t, { before: 'ulimit -n 256', configuration: { maxConnections: 6 } });
  const url = server.world('arm');
  const first = await server.start(url);
  await server.streamPort(first);
  const flood = Array.from({ length: 300 }, () => connect(server.port, '127.0.0.1').on('error', () => undefined));
  await eventually('the limit', () => readdirSync(`/proc/${server.child.pid}/fd`).length >= 250);
  // What needs descriptors fails, as does what is asked meanwhile; the flood ends.
  for (const socket of flood) socket.destroy();
  const second = await eventually('a client after the flood', () => server.start(url).catch(() => undefined));
  assert.ok((await server.streamPort(second)) > 0, 'sessions start again');
  assert.equal(first.socket.readyState, first.socket.OPEN, 'the session from before goes on');
});

test('without any isolation that works, the server starts, and its page and each client get the reason', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'session-server-path-'));
  t.after(() => {
    rmSync(path, { recursive: true });
  });
  for (const name of ['git', 'du']) {
    const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
    symlinkSync(found, join(path, name));
  }
  const server = await startSimulationServer(t, {
    configuration: { docker: true, isolation: { use: 'auto' } },
    env: { PATH: path },
  });
  assert.match(await (await server.get('/monitor')).text(), /docker: [^<]*ENOENT/);
  const client = await server.start(server.world('arm'));
  assert.equal((await client.ends()).code, 1013);
  assert.equal(client.messages.at(-1), 'error: Unable to start Webots: this simulation server has no working isolation.');
  await server.empty();
});

/** Nothing of any session: processes, cgroups with processes, mounts, folders. Layers that wait for sessions to come are of none. */
function nothingIsLeft(folder: string): void {
  const instance = readFileSync(join(folder, 'state/instance'), 'utf8').trim();
  const isOfSession = (pid: number) =>
    read(pid, 'environ').includes(`SESSION_SERVER_SIM=${instance}/`) ||
    read(pid, 'cgroup').includes(`session-server-sim-${instance}/`);
  assert.deepEqual(allProcesses().filter(isOfSession).map(commandOf), []);
  assert.deepEqual(
    readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(`${folder}/state/run/`)),
    [],
  );
  assert.deepEqual(readdirSync(join(folder, 'state/run')), []);
}

/** Git and the programs that it starts, at the silent host. */
function gitOf(): readonly number[] {
  return processesWith(slowHost).filter((pid) => /^\S*git/.test(commandOf(pid)));
}

function processesWith(text: string): readonly number[] {
  return allProcesses().filter((pid) => pid !== process.pid && commandOf(pid).includes(text));
}

function allProcesses(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => !/ [ZX] /.test(read(pid, 'stat').replace(/^.*\)/s, '')));
}

function childrenOf(pid: number): readonly number[] {
  return read(pid, `task/${pid}/children`)
    .split(' ')
    .filter((one) => one !== '')
    .map(Number);
}

function commandOf(pid: number): string {
  return read(pid, 'cmdline');
}

/** Empty when the process has ended. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}

function kill(pids: readonly number[]): void {
  assert.ok(pids.length > 0, 'there is something to kill');
  for (const pid of pids) process.kill(pid, 'SIGKILL');
}

/** Text that cannot be compressed to a tenth. */
function randomText(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, () => Math.floor(Math.random() * 256));
}
