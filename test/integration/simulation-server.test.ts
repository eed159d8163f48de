/** The simulation server as a whole, on the bare machine: what clients, programs and people see of it, message by message. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startAppInside } from '../support/start-app.ts';
import { startSimulationServer, TOKEN } from '../support/simulation-server.ts';

test('a start message gives the lines of the original in order, then a stream of the world', async (t) => {
  const server = await startSimulationServer(t);
  const client = await server.start(server.world('arm'));
  const port = await server.streamPort(client);
  assert.equal(port, server.port + 1);
  assert.deepEqual(
    client.messages.filter((message) => !message.startsWith('docker:')),
    [
      ...['loading: Fetching the project', 'loading: Preparing the project', 'loading: Starting the simulation'],
      ...['shutdownTimeout: 7200', 'loading: Loading the world', `webots:ws://localhost:${port}`],
    ],
  );
  const stream = await new SocketClient(t, `ws://127.0.0.1:${port}/`).open();
  assert.equal(await stream.message(1), 'world:arm.wbt');
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/textures/red.png`)).text(), 'webots /textures/red.png');
  client.socket.close();
  await stream.ends();
  await server.empty();
  await eventually('the port to be free', () =>
    fetch(`http://127.0.0.1:${port}/`).then(
      () => false,
      () => true,
    ),
  );
  assert.match(server.log, new RegExp(`Running simulation server on port ${server.port}\\n`));
});

test('refusals reach every kind of client and close with the code that says whether another machine may do better', async (t) => {
  const server = await startSimulationServer(t, {
    configuration: { maxConnections: 1, blockedRepositories: ['github.com/acme/bad'] },
  });
  const url = server.world('arm');
  for (const [start, text, code] of [
    [url.replace('arm.wbt', 'leg.wbt'), 'leg.wbt does not exist.', 1008],
    ['https://github.com/acme/arm', 'Wrong Webots simulation URL', 1008],
    [
      url.replace('/acme/', '/other/'),
      'Docker not enabled: cannot host simulations from repositories outside of "allowedRepositories".',
      1013,
    ],
    [
      url.replace('/acme/arm/', '/acme/bad/'),
      `Cannot run simulation from blocked repository: ${url.replace('/acme/arm/', '/acme/bad/')}`,
      1008,
    ],
    [`${url}$(touch canary)`, 'Missing world file in Webots simulation URL', 1008],
  ] as const) {
    const client = await server.start(start);
    assert.equal((await client.ends()).code, code, text);
    assert.deepEqual(client.messages.slice(-2), [`loading: Error: ${text}`, `error: ${text}`]);
  }
  const first = await server.start(url);
  await server.streamPort(first);
  const second = await server.start(url);
  assert.equal((await second.ends()).code, 1013);
  assert.equal(second.messages.at(-1), 'error: Too many open connections (>1)');
});

test('the address is sent when the simulator listens on its given address, not before', async (t) => {
  const server = await startSimulationServer(t);
  const client = await server.start(server.world('late', 'listen-late'));
  const port = await server.streamPort(client);
  const stream = await new SocketClient(t, `ws://127.0.0.1:${port}/`).open();
  assert.equal(await stream.message(1), 'world:late.wbt');
});

test('a simulator gets no secret of the server and runs in its own copy of the project', async (t) => {
  const server = await startSimulationServer(t, { env: { SECRET_OF_THE_SERVER: 'x' } });
  const file = join(server.folder, 'environment.json');
  const client = await server.start(server.world('env', `environment ${file}`), 'x3d');
  await server.streamPort(client);
  const seen = JSON.parse(readFileSync(file, 'utf8')) as { cwd: string; args: string[]; SECRET_OF_THE_SERVER?: string };
  assert.equal(seen.SECRET_OF_THE_SERVER, undefined);
  assert.ok(seen.cwd.startsWith(join(server.folder, 'state/run')), seen.cwd);
  assert.ok(seen.args.includes('--stream=x3d') && seen.args.includes('--heartbeat=5000'), seen.args.join(' '));
});

test('the load is a number with headers that old readers ignore, and costs need a token', async (t) => {
  const server = await startSimulationServer(t);
  const client = await server.start(server.world('arm', 'running', 'burn'));
  await server.streamPort(client);
  const load = await eventually('the load', async () => {
    const response = await server.get('/load');
    return response.ok && response.headers.get('session-count')?.startsWith('1; starting=0; idle=0') ? response : undefined;
  });
  assert.match(await load.text(), /^\d+(\.\d+)?$/);
  assert.match(load.headers.get('session-load') ?? '', /^\d+\.\d; pending=0\.0$/);
  assert.equal((await server.get('/api/v1/costs')).status, 401);
  const costs = await eventually('measured costs', async () => {
    const response = await server.get('/api/v1/costs', { headers: { Authorization: `Bearer ${TOKEN}` } });
    const { projects } = (await response.json()) as { projects: { key: string; busy?: { p50: number } }[] };
    return projects.find(({ busy }) => (busy?.p50 ?? 0) > 0);
  });
  assert.equal(costs.key, 'github.com/acme/arm/worlds/arm.wbt');
});

test('the monitor page has the headings of the original and says how sessions are isolated', async (t) => {
  const server = await startSimulationServer(t, { configuration: { title: '<b>Lab</b>' } });
  const page = await (await server.get('/monitor')).text();
  assert.match(page, /<h1>&#60;b&#62;Lab/);
  for (const part of [/<h2>Current load: /, /Allowed Repositories/, /Share Idle Time: 50%/, /Isolation/])
    assert.match(page, part);
  const metrics = await (await server.get('/metrics')).text();
  assert.match(metrics, /^simulation_server_sessions\{state="running"\} 0$/m);
  await eventually(
    'monitor.csv',
    () => readFileSync(join(server.folder, 'log/simulation/monitor.csv'), 'utf8').split('\n').length > 2,
  );
});

test('a controller is restored from the commit, and nothing else can be overwritten', async (t) => {
  const server = await startSimulationServer(t);
  server.repository.commit({ 'controllers/arm/arm.py': 'original\n' });
  const client = await server.start(server.world('arm'));
  await server.streamPort(client);
  const [session] = await server.sessions();
  const own = join(server.folder, 'state/run', session?.id ?? '');
  // In a layer where this machine lets us mount one.
  const file = join(own, existsSync(join(own, 'layer')) ? 'layer' : '', 'project/controllers/arm/arm.py');
  const { writeFileSync, rmSync, symlinkSync } = await import('node:fs');
  writeFileSync(file, 'changed\n');
  client.socket.send('{"reset controller":"arm/arm.py"}');
  await eventually('the answer', () => client.messages.includes('reset controller: arm/arm.py'));
  assert.equal(readFileSync(file, 'utf8'), 'original\n');
  // A simulator that puts a link there.
  const victim = join(server.folder, 'victim');
  writeFileSync(victim, 'precious\n');
  rmSync(file);
  symlinkSync(victim, file);
  client.socket.send('{"reset controller":"arm/arm.py"}');
  client.socket.send('{"reset controller":"../arm/arm.py"}');
  await eventually('the log', () => server.log.includes('was not understood'));
  assert.equal(readFileSync(victim, 'utf8'), 'precious\n');
  assert.equal(client.messages.filter((message) => message.startsWith('reset')).length, 1);
  assert.ok(existsSync(file), 'the link is left alone');
});

test('a drained server refuses new clients and informs the others when their sessions end', async (t) => {
  const server = await startSimulationServer(t);
  const url = server.world('arm');
  const client = await server.start(url);
  await server.streamPort(client);
  const headers = { Authorization: `Bearer ${TOKEN}` };
  const drained = await server.get('/api/v1/drain', { method: 'POST', headers, body: '{"seconds":400}' });
  assert.deepEqual(await drained.json(), { draining: true });
  await eventually('the new end', () => client.messages.includes('shutdownTimeout: 400'));
  const late = await server.start(url);
  assert.equal((await late.ends()).code, 1013);
  const [session] = await server.sessions();
  await server.get(`/api/v1/sessions/${session?.id}`, { method: 'DELETE', headers });
  assert.equal((await client.ends()).code, 1000);
});

test('a session server reads from the load which of its clients came and left', async (t) => {
  const server = await startSimulationServer(t);
  const url = server.world('arm');
  const listed = [{ address: `localhost:${server.port}`, maxSessions: 1 }];
  const { url: entry } = await startAppInside(t, {
    ...{ simulationServers: listed, portRewrite: false },
    // This machine may be busy with other tests.
    ...{ loadThreshold: 200, allocation: { target: 200, cost: 1, learning: false } },
  });
  const booked = async () => {
    const { servers } = (await (await fetch(`${entry}/api/v1/servers`)).json()) as {
      servers: { state: string; booked: number }[];
    };
    return servers[0]?.state === 'available' ? servers[0].booked : undefined;
  };
  const ask = async () => (await fetch(`${entry}/session?url=${encodeURIComponent(url)}`)).text();
  await eventually('the first load', async () => (await booked()) === 0);
  assert.match(await ask(), /^ws:/);
  assert.ok(((await booked()) ?? 0) > 0, 'its session is booked');
  const client = await server.start(url);
  await server.streamPort(client);
  await eventually('a report of the session that runs', async () => (await booked()) === 0);
  assert.doesNotMatch(await ask(), /^ws:/, 'its place is taken as long as it runs');
  client.socket.close();
  await eventually('a free place', async () => (await ask()).startsWith('ws:'));
});
