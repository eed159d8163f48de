/** Sessions in bubblewrap and in containers, for real: what they see, reach and may use. Needs bubblewrap, podman and busybox-static. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { busyboxImage } from './busybox-image.ts';
import { eventually } from '../support/eventually.ts';
import { startSimulationServer, TOKEN, type SimulationServer } from '../support/simulation-server.ts';
import { temporary } from '../support/start-program.ts';

/** A simulator for `simulator: command`: its world asks what it can see and reach, and it answers at its port. */
const PROBE = `#!${process.execPath}
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createConnection } from 'node:net';
import { networkInterfaces } from 'node:os';
const [port, world] = process.argv.slice(2);
const text = readFileSync(world, 'utf8');
const asked = (word) => [...text.matchAll(new RegExp('^# fake: ' + word + ' (.*)$', 'gm'))].map(([, value]) => value);
const tries = (task) => { try { return task(); } catch (error) { return error.code ?? String(error); } };
const reach = (port) => new Promise((resolve) => {
  const socket = createConnection({ host: '127.0.0.1', port: Number(port) });
  socket.once('connect', () => { socket.destroy(); resolve('reached'); });
  socket.once('error', ({ code }) => resolve(code));
});
// A program that the kernel starts outside; its value stays as it is.
const setting = '/proc/sys/kernel/core_pattern';
const fill = () => { for (let n = 0; n < 100; n += 1) writeFileSync(world + n, Buffer.alloc(1_000_000, 1)); return 'filled'; };
createServer(async (request, response) => {
  response.end(JSON.stringify({
    world: text.split('\\n')[0],
    write: tries(() => { writeFileSync(world + '.mine', 'x'); return 'written'; }),
    fill: request.url === '/fill' ? tries(fill) : '',
    system: tries(() => { writeFileSync('/usr/x', 'x'); return 'written'; }),
    kernel: tries(() => { writeFileSync(setting, readFileSync(setting)); return 'written'; }),
    files: asked('see').filter((path) => existsSync(path)),
    network: Object.keys(networkInterfaces()),
    reach: await Promise.all(asked('reach').map(reach)),
    processes: readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).length,
    environment: process.env,
  }));
}).listen(Number(port), '127.0.0.1');
`;

interface Seen {
  readonly world: string;
  readonly write: string;
  readonly system: string;
  readonly kernel: string;
  readonly fill: string;
  /** Of those it was asked for, the ones that it sees. */
  readonly files: readonly string[];
  readonly network: readonly string[];
  readonly reach: readonly string[];
  readonly processes: number;
  readonly environment: Readonly<Record<string, string>>;
}

async function startProbe(
  t: TestContext,
  isolation: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<SimulationServer> {
  const programs = temporary(t);
  writeFileSync(join(programs, 'probe.mjs'), PROBE, { mode: 0o755 });
  return startSimulationServer(t, {
    configuration: {
      ...{ simulator: 'command', isolation: { use: isolation } },
      simulators: { command: { argv: [join(programs, 'probe.mjs'), '{port}', '{world}'] } },
      ...more,
    },
    env: { SECRET_OF_THE_SERVER: 'x' },
  });
}

async function startNeighbour(t: TestContext): Promise<number> {
  const neighbour = createServer().listen(0, '127.0.0.1');
  t.after(() => neighbour.close());
  await eventually('the neighbour', () => neighbour.listening);
  return (neighbour.address() as AddressInfo).port;
}

async function ask(port: number, path = '/'): Promise<Seen> {
  return (await (await fetch(`http://127.0.0.1:${port}${path}`)).json()) as Seen;
}

test('bubblewrap: a session without a network is reached through its door, and sees only its project', async (t) => {
  const server = await startProbe(t, 'bubblewrap');
  const secrets = ['/etc/shadow', join(server.folder, 'simulation.json'), join(server.folder, 'state'), '/root', '/home', '/var'];
  const world = server.world('arm', ...secrets.map((path) => `see ${path}`), `reach ${await startNeighbour(t)}`);
  const client = await server.start(world);
  const seen = await ask(await server.streamPort(client));
  assert.deepEqual(
    { ...seen, processes: 0, environment: {} },
    {
      ...{ world: '#VRML_SIM R2025a utf8', write: 'written', fill: '', system: 'EROFS', kernel: 'EROFS', files: [] },
      ...{ network: ['lo'], reach: ['ECONNREFUSED'], processes: 0, environment: {} },
    },
  );
  assert.ok(seen.processes < 8, `it sees ${seen.processes} processes`);
  assert.equal(seen.environment['SECRET_OF_THE_SERVER'], undefined);
  client.socket.close();
  await server.empty();
  assert.deepEqual(readdirSync(join(server.folder, 'state/run')), []);
});

test('bubblewrap: what a session writes is limited, and a full disk is its own', async (t) => {
  const server = await startProbe(t, 'bubblewrap', { limits: { disk: 20_000_000 } });
  const client = await server.start(server.world('arm'));
  const port = await server.streamPort(client);
  const { fill } = await ask(port, '/fill');
  // A layer says so at once; a copy is found out by the next look.
  if (fill !== 'ENOSPC') assert.equal((await client.ends()).code, 1011);
  assert.ok((await server.get('/load')).ok, 'the server goes on');
});

test('cgroups: memory, processes and the end of a fork bomb', async (t) => {
  const server = await startSimulationServer(t, {
    configuration: { isolation: { use: 'cgroup' }, limits: { memory: 150_000_000, pids: 60 } },
  });
  const eater = await server.start(server.world('eater', 'eat-memory'));
  assert.equal((await eater.ends()).code, 1011);
  assert.equal(eater.messages.at(-1), 'error: The simulation ran out of memory.');
  const bomb = await server.start(server.world('bomb', 'bomb'));
  await eventually('its processes', async () => ((await usageOf(server))?.pids ?? 0) > 10);
  assert.ok(((await usageOf(server))?.pids ?? 0) <= 60, 'no more processes than it may have');
  bomb.socket.close();
  await server.empty();
});

async function firstSession(server: SimulationServer): Promise<{ id: string; usage?: { pids: number } } | undefined> {
  const response = await server.get('/api/v1/sessions', { headers: { Authorization: `Bearer ${TOKEN}` } });
  const { sessions } = (await response.json()) as { sessions: { id: string; usage?: { pids: number } }[] };
  return sessions[0];
}

async function usageOf(server: SimulationServer): Promise<{ readonly pids: number } | undefined> {
  return (await firstSession(server))?.usage;
}

test('cgroups: a program that hides from its session is ended with it', async (t) => {
  const server = await startSimulationServer(t, { configuration: { isolation: { use: 'cgroup' } } });
  const client = await server.start(server.world('hidden', 'clear-environment'));
  await server.streamPort(client);
  const usage = await eventually('both processes', async () =>
    ((await usageOf(server))?.pids ?? 0) > 10 ? usageOf(server) : undefined,
  );
  assert.ok(usage.pids > 10, 'both are counted');
  const { id = '' } = (await firstSession(server)) ?? {};
  assert.ok(groupsOf(id).length > 0);
  client.socket.close();
  await server.empty();
  assert.deepEqual(
    groupsOf(id).filter((path) => readFileSync(path, 'utf8') !== ''),
    [],
  );
});

/** The lists of processes of its groups; other servers of other tests have groups of their own. */
function groupsOf(session: string): string[] {
  const options = ['/sys/fs/cgroup', '-path', `*session-server-sim-*/${session}/*`, '-name', 'cgroup.procs'];
  const { stdout } = spawnSync('find', options, { encoding: 'utf8' });
  return stdout.split('\n').filter((path) => path !== '');
}

for (const network of ['none', 'egress'] as const)
  test(`podman: a session with the network ${network} is reached, limited and ended, and foreign projects may run`, async (t) => {
    const image = busyboxImage(t);
    const server = await startSimulationServer(t, {
      configuration: {
        ...{ simulator: 'command', isolation: { use: 'podman', network }, allowedRepositories: [], shareIdleTime: 1000 },
        simulators: { command: { image, argv: ['/bin/busybox', 'httpd', '-f', '-v', '-p', '{port}', '-h', '{project}'] } },
      },
    });
    await eventually('the load', async () => (await server.get('/load')).ok);
    const client = await server.start(server.world('arm'));
    const port = await server.streamPort(client, 60);
    assert.match(await (await fetch(`http://127.0.0.1:${port}/worlds/arm.wbt`)).text(), /^#VRML_SIM R2025a utf8/);
    const list = () => spawnSync('podman', ['ps', '--all', '--format', '{{.Names}}'], { encoding: 'utf8' }).stdout;
    const [session] = await server.sessions();
    assert.ok(list().includes(session?.id ?? '?'), 'it runs in a container');
    client.socket.close();
    await server.empty();
    assert.ok(!list().includes(session?.id ?? '?'), 'the container is gone');
  });

test('podman: a container that outlived its server is removed by the next one', async (t) => {
  const image = busyboxImage(t);
  const configuration = {
    ...{ simulator: 'command', isolation: { use: 'podman' } },
    simulators: { command: { image, argv: ['/bin/busybox', 'httpd', '-f', '-p', '{port}'] } },
  };
  const server = await startSimulationServer(t, { configuration });
  const client = await server.start(server.world('arm'));
  await server.streamPort(client, 60);
  const [session] = await server.sessions();
  server.child.signal('SIGKILL');
  await server.child.ended;
  await startSimulationServer(t, { configuration, folder: server.folder });
  const { stdout } = spawnSync('podman', ['ps', '--all', '--format', '{{.Names}}'], { encoding: 'utf8' });
  assert.ok(!stdout.includes(session?.id ?? '?'), stdout);
});

test('podman: the Dockerfile of an allowed project is built once, with the arguments of the original, and its files are run', async (t) => {
  const image = busyboxImage(t);
  const server = await startSimulationServer(t, {
    configuration: {
      ...{ simulator: 'command', isolation: { use: 'podman', network: 'none' }, container: { pull: 'never' } },
      simulators: { command: { image, argv: ['/bin/busybox', 'httpd', '-f', '-p', '{port}', '-h', '{project}'] } },
    },
  });
  const world = server.world('arm');
  const print = '/bin/busybox printf "%s %s" "$MAKE" "$PROJECT_PATH" > $PROJECT_PATH/built';
  const lines = [
    ...['ARG WEBOTS_DEFAULT_IMAGE', 'FROM $WEBOTS_DEFAULT_IMAGE', 'ARG PROJECT_PATH', 'ARG MAKE', 'COPY . $PROJECT_PATH'],
    `RUN ["/bin/busybox", "sh", "-c", ${JSON.stringify(print)}]`,
  ];
  server.repository.commit({ Dockerfile: lines.join('\n'), Makefile: 'all:\n' });
  for (const round of ['first', 'second']) {
    const client = await server.start(world);
    const port = await server.streamPort(client, 90);
    const built = await (await fetch(`http://127.0.0.1:${port}/built`)).text();
    assert.equal(built, '1 /usr/local/webots-project', round);
    assert.equal(client.messages.includes('loading: Building the project'), round === 'first', round);
    client.socket.close();
    await server.empty();
  }
  server.repository.commit({ Dockerfile: 'FROM no.such.image.example/x\n' });
  const refused = await server.start(world);
  assert.equal((await refused.ends()).code, 1013);
  assert.equal(refused.messages.at(-1), 'error: The project cannot be built on this simulation server.');
  const images = ['images', '--quiet', '--filter', 'label=session-server-sim-build'];
  const { stdout } = spawnSync('podman', images, { encoding: 'utf8' });
  spawnSync('podman', ['rmi', '--force', ...stdout.split('\n').filter(Boolean)]);
  assert.equal(spawnSync('podman', ['ps', '--all', '--quiet'], { encoding: 'utf8' }).stdout, '', 'nothing is left of the builds');
});

test('bubblewrap: a Makefile is run once for a commit, inside, and what it may do is what a session may', async (t) => {
  const server = await startProbe(t, 'bubblewrap');
  const world = server.world('arm');
  const spy = 'if [ -e /etc/shadow ] || [ -e /root ]; then echo seen; else echo hidden; fi';
  server.repository.commit({ Makefile: `all:\n\t${spy} > worlds/arm.wbt\n\techo again >> worlds/arm.wbt\n` });
  for (const round of ['first', 'second']) {
    const client = await server.start(world);
    assert.equal((await ask(await server.streamPort(client))).world, 'hidden', round);
    assert.equal(client.messages.includes('loading: Building the project'), round === 'first', round);
    client.socket.close();
    await server.empty();
  }
  server.repository.commit({ Makefile: 'all:\n\t@echo this compiler is missing\n\t@false\n' });
  assert.equal((await (await server.start(world)).ends()).code, 1013);
  assert.match(server.log, /this compiler is missing/);
});
