/**
 * What the simulation server has in common with the original: a table of its behaviours, a session server of either kind in front of it, and what its close
 * codes mean to the gateway. What differs on purpose: docs/how-to/simulation-server.md, "Move from the original".
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ruleAgainst } from '../../src/core/simulation/rules.ts';
import { eventually } from '../support/eventually.ts';
import { startSimulationServer, type SimulationServer } from '../support/simulation-server.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startAppInside } from '../support/start-app.ts';
import type { Scope } from '../support/start-program.ts';

const announced: string[] = [];
const clients: SocketClient[] = [];
let server: SimulationServer;
let other: SimulationServer;

async function startBoth(scope: Scope): Promise<void> {
  const receiver = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => announced.push(text));
    request.once('end', () => response.end('[OK]'));
  }).listen(0, '127.0.0.1');
  scope.after(() => new Promise((resolve) => void receiver.close(() => resolve())));
  await eventually('the receiver of announcements', () => receiver.listening);
  const notify = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const blockedRepositories = ['https://github.com/acme/bad'];
  server = await startSimulationServer(scope, { configuration: { notify, blockedRepositories, maxConnections: 2 } });
  other = await startSimulationServer(scope, {});
  for (const one of [server, other]) {
    one.world('arm');
    one.repository.commit({ 'webots.yml': 'type: demo\npublish: true\n' });
  }
}

/** Each row: a behaviour of the original, what shows it, and what it has to be. */
const behaviours: readonly (readonly [string, () => unknown, RegExp])[] = [
  ['the load is a bare number', async () => text('/load'), /^\d+(?:\.\d+)?$/],
  ['its type is that of a page', async () => (await server.get('/load')).headers.get('content-type') ?? '', /^text\/html/],
  ['the monitor page has its heading', async () => text('/monitor'), /<h1>Webots simulation server/],
  ['and the load', async () => text('/monitor'), /Current load: \d+(?:\.\d+)?%/],
  ['and the lists', async () => text('/monitor'), /Allowed Repositories[^]*Blocked Repositories/],
  ['a plain URL is not a project', () => refusal('https://github.com/acme/arm'), /^Wrong Webots simulation URL$/],
  [
    'the kind has to be a blob',
    () => refusal(world().replace('/blob/', '/commit/')),
    /^Missing blob in Webots simulation URL, founds commit$/,
  ],
  [
    'worlds are in a folder',
    () => refusal(world().replace('/worlds/', '/w/')),
    /^Missing worlds folder in Webots simulation URL$/,
  ],
  ['worlds have an extension', () => refusal(world().replace('.wbt', '.txt')), /^Missing world file in Webots simulation URL$/],
  ['a world has to be there', () => refusal(world().replace('arm.wbt', 'leg.wbt')), /^leg\.wbt does not exist\.$/],
  [
    'strangers need Docker',
    () => refusal(world().replace('acme', 'else')),
    /^Docker not enabled: cannot host simulations from repositories outside of "allowedRepositories"\.$/,
  ],
  [
    'blocked is blocked',
    () => refusal(world().replace('/arm/', '/bad/')),
    /^Cannot run simulation from blocked repository: https:\/\/github\.com\/acme\/bad\/blob\/main\/worlds\/arm\.wbt$/,
  ],
  ['idle time is shared or not', () => ruling(0, 10), /^This simulation server is not configured to share idle time\.$/],
  ['and up to a load', () => ruling(50, 61.25), /^Cannot share idle time when current load is above threshold: 61\.3\.$/],
  [
    'the log has its start',
    () => server.log,
    new RegExp(String.raw`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \[INFO {3}\]  Running simulation server on port \d+$`, 'm'),
  ],
  ['and clients', () => server.log, /\[INFO {3}\] {2}\[[0-9a-f]+\] New client/],
  [
    'and what they ask for',
    () => server.log,
    /\] Starting simulation from https:\/\/github\.com\/acme\/arm\/blob\/main\/worlds\/arm\.wbt$/m,
  ],
  [
    'and the arguments of Webots',
    () => server.log,
    /webots \[\d+\] started: "\S+\/webots --batch --mode=pause --minimize --no-rendering --port=\d+ --heartbeat=5000 --stream=x3d \S+\/worlds\/arm\.wbt"/,
  ],
  ['and the end', () => server.log, /\[[0-9a-f]+\] Client disconnected/],
  ['and the answer of the announcement', () => server.log, /\[OK\]/],
  [
    'which is a form',
    () => announced.join(),
    /^url=http%3A%2F%2Flocalhost%3A\d+&shareIdleTime=50&allowedRepositories=https%3A%2F%2Fgithub\.com%2Facme$/,
  ],
  [
    'the file of figures has its header',
    () => csv()[0] ?? '',
    /^Timestamp, Webots running, Webots idle, CPU load, CPU memory, GPU load compute, GPU load memory, GPU memory, Swap, Disk, Network sent, Network received$/,
  ],
  ['and twelve columns', () => csv()[1] ?? '', /^\d{10}(?:, \d+(?:\.\d+)?){11}$/],
];

test('a simulation server replaces the original', async (t) => {
  await startBoth(t);
  await t.test('a session has the messages, ports and arguments of the original, in its order', sessionAsThere);
  await t.test('the behaviours of the original', behavesAsThere);
  await t.test("the original session server's way of polling and of sending clients is served", servesTheOriginal);
  await t.test(
    'through the gateway, a full server or a failing simulator means another machine, and a project that does not exist means none',
    answersTheGateway,
  );
});

async function sessionAsThere(): Promise<void> {
  const client = await startOn(server, 'x3d');
  const port = await server.streamPort(client);
  const first = ['type:demo', 'loading: Preparing the project', 'loading: Starting the simulation'];
  assert.deepEqual(
    client.messages.filter((message) => !message.startsWith('docker:')),
    [
      'loading: Fetching the project',
      ...first,
      'shutdownTimeout: 7200',
      'loading: Loading the world',
      `webots:ws://localhost:${port}`,
    ],
  );
  const pairs = client.messages.filter((message) => message.startsWith('loading:'));
  assert.deepEqual(
    client.messages.filter((message) => message.startsWith('docker:')),
    pairs.map((line) => line.replace('loading', 'docker')),
  );
  assert.equal(port, server.port + 1, 'the lowest port');
  const second = await startOn(server);
  assert.equal(await server.streamPort(second), server.port + 2, 'the next one');
  const third = await startOn(server);
  assert.equal((await third.ends()).code, 1013);
  assert.equal(third.messages.at(-1), 'error: Too many open connections (>2)');
  client.socket.close();
  await eventually('the end of the first', async () => (await server.sessions()).length === 1);
  assert.equal(await server.streamPort(await startOn(server, 'mjpeg')), server.port + 1, 'the lowest port is free again');
  await eventually('the log', () => /--mode=pause --port=\d+ --heartbeat=5000 --stream=mjpeg /.test(server.log));
  await leaveAll();
}

async function behavesAsThere(t: TestContext): Promise<void> {
  await eventually('the announcement and the first figures', () => server.log.includes('[OK]') && csv().length > 2);
  for (const [name, show, expected] of behaviours)
    await t.test(name, async () => {
      assert.match(String(await show()), expected);
    });
}

async function servesTheOriginal(t: TestContext): Promise<void> {
  // As docs/design/protocol.md, "Simulation servers" has it: it reads a number, and the smallest load below 95 wins.
  const fleet = [server, other];
  const poll = async ({ port }: SimulationServer) =>
    Number.parseFloat(await (await fetch(`http://localhost:${port}/load`)).text());
  const loads = await Promise.all(fleet.map(poll));
  assert.ok(loads.every(Number.isFinite), loads.join());
  const chosen = (loads[0] ?? 0) <= (loads[1] ?? 0) ? server : other;
  const handedOut = `ws://localhost:${chosen.port}`;
  const client = await new SocketClient(t, `${handedOut}/client`).open();
  client.socket.send(JSON.stringify({ start: { url: chosen.world('arm'), mode: 'x3d' } }));
  const stream = await new SocketClient(t, `ws://localhost:${await chosen.streamPort(client)}/`).open();
  assert.equal(await stream.message(1), 'world:arm.wbt');
  client.socket.close();
}

async function answersTheGateway(t: TestContext): Promise<void> {
  const [first, second] = [`127.0.0.1:${server.port}`, `127.0.0.1:${other.port}`];
  const { url, socketUrl } = await startAppInside(t, {
    portRewrite: false,
    // The first one is chosen first, because it is dedicated to the project.
    simulationServers: [{ address: first, allowedRepositories: ['https://github.com/acme'] }, second],
    // This machine may be busy with other tests.
    ...{ loadThreshold: 200, allocation: { target: 200, cost: 1, learning: false, recent: 0.1 }, waiting: { relay: true } },
    gateway: {
      ...{ enabled: true, port: 0 },
      routes: Object.fromEntries([server, other].map(({ port }) => [String(port), '127.0.0.1'])),
    },
  });
  await eventually('both servers', async () => {
    const { servers } = (await (await fetch(`${url}/api/v1/servers`)).json()) as { servers: { state: string }[] };
    return servers.length === 2 && servers.every(({ state }) => state === 'available');
  });
  const client = async (world: string) => {
    const opened = await new SocketClient(t, `${socketUrl}/relay/client`).open();
    opened.socket.send(JSON.stringify({ start: { url: world } }));
    return opened;
  };
  // The simulator of the first server fails before its world is loaded.
  other.world('crash');
  const failing = await client(server.world('crash', 'crash-before'));
  const secondPort = await other.streamPort(failing);
  assert.ok(failing.messages.includes('loading: Trying another machine'), failing.messages.join(' | '));
  assert.ok(secondPort > other.port && secondPort < other.port + 8, 'on the other server');
  assert.ok(!failing.messages.some((message) => message.startsWith('error:')), 'the client does not hear of it');
  failing.socket.close();
  await other.empty();
  const arm = server.world('arm');
  for (const holding of [await startOn(server), await startOn(server)]) await server.streamPort(holding);
  const full = await client(arm);
  const port = await other.streamPort(full);
  assert.ok(full.messages.includes('loading: Trying another machine'), full.messages.join(' | '));
  assert.ok(port > other.port && port < other.port + 8, 'on the other server');
  await leaveAll();
  const before = requestsOf(server) + requestsOf(other);
  const missing = await client(arm.replace('arm.wbt', 'leg.wbt'));
  await missing.ends();
  assert.equal(missing.messages.at(-1), 'error: leg.wbt does not exist.');
  assert.equal(requestsOf(server) + requestsOf(other), before + 1, 'no other server is asked');
}

function world(): string {
  return 'https://github.com/acme/arm/blob/main/worlds/arm.wbt';
}

async function startOn(one: SimulationServer, mode?: string): Promise<SocketClient> {
  const client = await one.start(one.world('arm'), mode);
  clients.push(client);
  return client;
}

async function leaveAll(): Promise<void> {
  for (const client of clients.splice(0)) client.socket.close();
  await server.empty();
}

async function text(path: string): Promise<string> {
  return (await server.get(path)).text();
}

/** The alert of a client; the progress bar has the same. */
async function refusal(url: string): Promise<string> {
  const client = await server.start(url);
  await client.ends();
  const [bar, alert] = client.messages.slice(-2);
  assert.equal(bar?.replace('loading: Error: ', 'error: '), alert);
  return alert?.replace('error: ', '') ?? '';
}

function ruling(shareIdleTime: number, load: number): string {
  const rules = { allowed: [], blocked: [], shareIdleTime };
  return ruleAgainst(rules, { project: 'github.com/acme/arm', url: world(), isolated: true, load, pending: 0 })?.text ?? '';
}

function csv(): readonly string[] {
  return readFileSync(join(server.folder, 'log/simulation/monitor.csv'), 'utf8').split('\n');
}

/** Sessions so far that it was asked for. */
function requestsOf({ log }: SimulationServer): number {
  return log.split('Starting simulation from').length;
}
