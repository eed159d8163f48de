/**
 * Waiting inside clients that are never updated, and the second server for those whose first one fails
 * (docs/design/protocol.md, "URLs in gateway mode").
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import type { ConfigurationFile } from '../../src/config/schema.ts';
import { hashOf } from '../../src/config/token.ts';
import { eventually } from '../support/eventually.ts';
import {
  dies,
  givesUp,
  loads,
  ScriptedSimulationServer,
  streams,
  type ClientScript,
} from '../support/scripted-simulation-server.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startAppInside, type RunningApp } from '../support/start-app.ts';

const WORLD = 'https://github.com/school/robots/blob/main/worlds/arm.wbt';
const TOKEN = 'a token of the test';
const START = JSON.stringify({ start: { url: WORLD } });

type FrontOptions = Partial<ConfigurationFile> & {
  /** What is configured for each simulation server. */
  readonly place?: { readonly maxSessions?: number };
};

/** A session server with `waiting.relay`, in front of simulation servers that have these scripts and loads. */
async function front(
  t: TestContext,
  servers: readonly { readonly load: number; readonly script?: ClientScript }[],
  { place, ...more }: FrontOptions = {},
) {
  const scripted = await Promise.all(servers.map((options) => ScriptedSimulationServer.start(t, options)));
  const running = await startAppInside(t, {
    ...more,
    portRewrite: false,
    simulationServers: scripted.map(({ port }) => ({ address: `127.0.0.1:${port}`, ...place })),
    // Their loads are steady here: a single report is enough.
    allocation: { recent: 0.1 },
    waiting: { relay: true },
    gateway: {
      enabled: true,
      port: 0,
      routes: Object.fromEntries(scripted.map(({ port }) => [String(port), '127.0.0.1'])),
      limits: { connectTimeout: 0.5, startTimeout: 0.5 },
    },
  });
  // The first answers of all servers are in.
  await eventually('the load of the fleet', async () => (await ask(running, '/load')) !== '-1');
  return { ...running, scripted };
}

async function ask({ url }: Pick<RunningApp, 'url'>, path: string): Promise<string> {
  return (await fetch(url + path)).text();
}

/** What deployed clients do first: ask, and connect to the address they receive. */
async function connects(t: TestContext, running: RunningApp, start: string | Buffer = START): Promise<SocketClient> {
  const told = await ask(running, `/session?url=${WORLD}`);
  assert.match(told, /^wss?:\/\//);
  const client = await new SocketClient(t, `${told}/client`).open();
  client.socket.send(start);
  return client;
}

/** One that does not ask before. */
async function opens(t: TestContext, { socketUrl }: RunningApp): Promise<SocketClient> {
  const client = await new SocketClient(t, `${socketUrl}/relay/client`).open();
  client.socket.send(START);
  return client;
}

function sentLines({ messages }: SocketClient, prefix: string): string[] {
  return messages.filter((message) => message.startsWith(prefix));
}

test('a client that finds no room gets a URL that fits its ways: no digit before the port, no slash at the end', async (t) => {
  const running = await front(t, [{ load: 99 }]);
  const told = await ask(running, `/session?url=${WORLD}`);
  assert.match(told, new RegExp(`^ws://localhost:${running.port}/relay/[a-zA-Z]+$`));
  assert.notEqual(await ask(running, '/session'), await ask(running, '/session'));
});

test('it sees its place, moves up, and gets the server and its stream on the same connection', async (t) => {
  const running = await front(t, [{ load: 99 }]);
  const [server] = running.scripted;
  assert.ok(server !== undefined);
  const first = await connects(t, running);
  assert.equal(await first.message(1), 'loading: Position 1 in line');
  assert.equal(await first.message(2), 'docker: Position 1 in line');
  const second = await connects(t, running);
  assert.equal(await second.message(1), 'loading: Position 2 in line');
  first.socket.close();
  await eventually('the move', () => second.messages.some((line) => line.startsWith('loading: Position 1')));
  server.load = 5;
  await eventually('the stream', () => second.messages.at(-1) === `webots:ws://localhost/${server.port + 1}`);
  assert.deepEqual(server.clients[0]?.messages, [START], 'the start message as the client wrote it');
  assert.equal(server.clients.length, 1);
  assert.ok(second.messages.includes('loading: Cloning'), 'what the server sends is forwarded');
  second.socket.send('{"reset controller":"x"}');
  await eventually('what the client says', () => server.clients[0]?.messages[1] === '{"reset controller":"x"}');
});

test('a client that closes while it waits is gone, though the end of its connection never comes', async (t) => {
  const running = await front(t, [{ load: 99 }]);
  const first = await connects(t, running);
  await first.message(1);
  const second = await connects(t, running);
  assert.equal(await second.message(1), 'loading: Position 2 in line');
  first.socket.pause();
  first.socket.close();
  await eventually('the move', () => second.messages.some((line) => line.startsWith('loading: Position 1')));
});

test('the connection to the server lives exactly as long as that of the client, both ways', async (t) => {
  const running = await front(t, [{ load: 5 }]);
  const [server] = running.scripted;
  assert.ok(server !== undefined);
  const url = `${running.socketUrl}/relay/client`;
  for (const number of [1, 2]) {
    const client = await new SocketClient(t, url).open();
    client.socket.send(START);
    await eventually('the stream', () => client.messages.some((line) => line.startsWith('webots:')));
    if (number === 1) {
      client.socket.close();
      await eventually('the end at the server', () => server.openClients === 0);
    } else {
      server.clients[1]?.socket.close(1000);
      assert.equal((await client.ends()).code, 1000);
    }
  }
});

test('lines that a client sees are short and contain nothing that it sent', async (t) => {
  const running = await front(t, [{ load: 99 }]);
  const client = await connects(t, running);
  await client.message(2);
  for (const line of client.messages) {
    assert.ok(line.length < 40, line);
    assert.doesNotMatch(line, /robots|arm/);
  }
});

for (const [title, start, reason] of [
  ['no JSON', 'start', /cannot be read/],
  ['JSON that starts nothing', '{"stop":1}', /does not start/],
  ['no project', '{"start":{}}', /which project/],
  ['bytes', Buffer.from([1, 2, 3]), /cannot be read/],
  ['a project that can never run', '{"start":{"url":"https://example.org/a/b"}}', /^error: Only projects on github\.com/],
] as const)
  test(`a start message that is ${title} is refused with a reason`, async (t) => {
    const running = await front(t, [{ load: 99 }]);
    const client = await connects(t, running, start);
    assert.match(await client.message(1), /^error: /);
    assert.match(client.messages[0] ?? '', reason);
    assert.equal((await client.ends()).code, 1000);
  });

test('a start message that is huge, or never comes, ends the connection', async (t) => {
  const running = await front(t, [{ load: 99 }]);
  const huge = await connects(t, running, JSON.stringify({ start: { url: 'x'.repeat(1_000_000) } }));
  assert.equal((await huge.ends()).code, 1009);
  const long = await connects(t, running, JSON.stringify({ start: { url: 'x'.repeat(10_000) } }));
  assert.equal(await long.message(1), 'error: The first message from the client is too long.');
  assert.equal((await long.ends()).code, 1000);
  const silent = await new SocketClient(t, `${running.socketUrl}/relay/client`).open();
  assert.match(await silent.message(1), /^error: The client did not say/);
  assert.equal((await silent.ends()).code, 1000);
});

test('a client that floods while it waits is sent away', async (t) => {
  const running = await front(t, [{ load: 99 }]);
  const client = await connects(t, running);
  for (let i = 0; i < 100; i += 1) client.socket.send('x');
  assert.equal((await client.ends()).code, 1008);
});

test('a waiting client is counted once against the limit of its address, not twice', async (t) => {
  const running = await front(t, [{ load: 99 }], { limits: { rateBurst: 3, ratePerSecond: 0.01 } });
  const headers = { 'X-Forwarded-For': '192.0.2.7' };
  for (let i = 0; i < 3; i += 1) {
    const told = await (await fetch(`${running.url}/session?url=${WORLD}`, { headers })).text();
    const client = await new SocketClient(t, `${told}/client`, { headers }).open();
    client.socket.send(START);
    assert.match(await client.message(1), /^loading: Position/);
  }
  assert.match(await (await fetch(`${running.url}/session`, { headers })).text(), /^Error: too many session requests/i);
  const uninvited = await new SocketClient(t, `${running.socketUrl}/relay/invented/client`, { headers }).open();
  uninvited.socket.send(START);
  assert.match(await uninvited.message(1), /^error: too many session requests/);
});

for (const [title, spoil] of [
  ['refuses', (server: ScriptedSimulationServer) => (server.refusing = true)],
  ['dies before the simulation is there', (server: ScriptedSimulationServer) => (server.script = dies)],
  ['says that it cannot', (server: ScriptedSimulationServer) => (server.script = givesUp)],
] as const)
  test(`a client whose server ${title} gets another one on the same connection`, async (t) => {
    const running = await front(t, [{ load: 5 }, { load: 30 }]);
    const [bad, good] = running.scripted;
    assert.ok(bad !== undefined && good !== undefined);
    spoil(bad);
    const client = await new SocketClient(t, `${running.socketUrl}/relay/client`).open();
    client.socket.send(START);
    await eventually('the stream of the other server', () => client.messages.includes(`webots:ws://localhost/${good.port + 1}`));
    assert.ok(client.messages.includes('loading: Trying another machine'));
    assert.deepEqual(sentLines(client, 'loading: Error:'), [], 'the failure of the first is not shown');
    assert.deepEqual(good.clients[0]?.messages, [START]);
    const metrics = await ask(running, '/metrics');
    assert.match(metrics, /session_server_gateway_outcomes_total\{outcome="second-chance"\} 1/);
    assert.match(metrics, /session_server_gateway_relays\{kind="sessions"\} 1/);
  });

test('a server that is found dead while a client loads on it is left at once', async (t) => {
  const running = await front(t, [{ load: 5, script: loads }, { load: 30 }], { downAfter: 1 });
  const [bad, good] = running.scripted;
  assert.ok(bad !== undefined && good !== undefined);
  const client = await new SocketClient(t, `${running.socketUrl}/relay/client`).open();
  client.socket.send(START);
  await eventually('the first server', () => client.messages.includes('loading: Step 1/5'));
  await bad.stop();
  await eventually('the stream of the other server', () => client.messages.includes(`webots:ws://localhost/${good.port + 1}`));
});

test('two further servers are tried, then the last failure is reported', async (t) => {
  const running = await front(
    t,
    [1, 2, 3, 4].map((load) => ({ load, script: givesUp })),
  );
  const client = await new SocketClient(t, `${running.socketUrl}/relay/client`).open();
  client.socket.send(START);
  assert.equal((await client.ends()).code, 1000);
  assert.equal(client.messages.at(-1), 'error: no Docker image', 'all clients show it');
  assert.equal(running.scripted.flatMap(({ clients }) => clients).length, 3);
  assert.ok(running.scripted.every(({ clients }) => clients.length <= 1));
});

test('the only server there is gets another try when it fails', async (t) => {
  let tries = 0;
  const script: ClientScript = (client, server) => ((tries += 1) === 1 ? dies(client, server) : streams(client, server));
  const running = await front(t, [{ load: 5, script }]);
  const client = await new SocketClient(t, `${running.socketUrl}/relay/client`).open();
  client.socket.send(START);
  await eventually('the stream', () => client.messages.some((line) => line.startsWith('webots:')));
});

test('a client whose server failed waits at the head of the line', async (t) => {
  const running = await front(t, [{ load: 5, script: loads }]);
  const [server] = running.scripted;
  assert.ok(server !== undefined);
  const failing = await new SocketClient(t, `${running.socketUrl}/relay/client`).open();
  failing.socket.send(START);
  await eventually('its first server', () => failing.messages.includes('loading: Step 1/5'));
  server.load = 99;
  await eventually('a full fleet', async () => (await ask(running, '/')) === '0');
  const waiting = await connects(t, running);
  assert.equal(await waiting.message(1), 'loading: Position 1 in line');
  server.clients[0]?.socket.terminate();
  await eventually('the head of the line', () => failing.messages.includes('loading: Position 1 in line'));
  await eventually('the second place', () => sentLines(waiting, 'loading: Position 2').length > 0);
});

test('the end of a session frees its predicted load at once', async (t) => {
  const running = await front(t, [{ load: 20 }]);
  const booked = async () => Number(/server_booked_load_percent\{[^}]*\} (\S+)/.exec(await ask(running, '/metrics'))?.[1]);
  const client = await new SocketClient(t, `${running.socketUrl}/relay/client`).open();
  client.socket.send(START);
  await eventually('the stream', () => client.messages.some((line) => line.startsWith('webots:')));
  assert.ok((await booked()) > 0);
  client.socket.close();
  await eventually('free again', async () => (await booked()) === 0);
});

test('a freed place goes to the first in line at once, before the load is probed again', async (t) => {
  const running = await front(t, [{ load: 5 }], { place: { maxSessions: 1 }, pollInterval: 5, pollTimeout: 1 });
  const [server] = running.scripted;
  assert.ok(server !== undefined);
  const inside = await new SocketClient(t, `${running.socketUrl}/relay/client`).open();
  inside.socket.send(START);
  await eventually('the only place', () => inside.messages.some((line) => line.startsWith('webots:')));
  const next = await connects(t, running);
  assert.equal(await next.message(1), 'loading: Position 1 in line');
  // The next probe is seconds away once there was one.
  const before = server.loadsAsked;
  await eventually('a probe', () => server.loadsAsked > before);
  const asked = server.loadsAsked;
  inside.socket.close();
  await server.client(2);
  assert.equal(server.loadsAsked, asked);
});

/** What an operator does to a server. */
async function pull({ url }: RunningApp, { port }: ScriptedSimulationServer, lever: 'drain' | 'resume', body = {}) {
  const answer = await fetch(`${url}/api/v1/servers/127.0.0.1:${port}/${lever}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.equal(answer.status, 200, await answer.text());
}

test('the API lists the queue and the sessions, and an operator ends one of them', async (t) => {
  const running = await front(t, [{ load: 5, script: streams }], {
    place: { maxSessions: 1 },
    admin: { tokens: [{ name: 'ada', hash: hashOf(TOKEN) }] },
  });
  const list = async (path: string) => JSON.parse(await ask(running, `/api/v1/${path}`)) as Record<string, unknown>;
  const first = await opens(t, running);
  await eventually('the stream', () => first.messages.at(-1)?.startsWith('webots:') === true);
  const second = await opens(t, running);
  await second.message(1);
  const { sessions = [] } = (await list('running-sessions')) as { sessions?: readonly Record<string, unknown>[] };
  assert.deepEqual(
    sessions.map(({ state, project, basis, closable }) => ({ state, project, basis, closable })),
    [{ state: 'running', project: WORLD, basis: 'counted', closable: true }],
  );
  const { clients = [] } = (await list('waiting-requests')) as { clients?: readonly Record<string, unknown>[] };
  assert.deepEqual(
    clients.map(({ position, project, connected }) => ({ position, project, connected })),
    [{ position: 1, project: WORLD, connected: true }],
  );
  const { servers = [] } = (await list('servers')) as { servers?: readonly { readonly sessions: unknown }[] };
  assert.deepEqual(servers[0]?.sessions, { basis: 'estimated', count: 1 }, 'others may come directly, past the gateway');
  const path = `${running.url}/api/v1/running-sessions/${String(sessions[0]?.['id'])}/end`;
  assert.equal((await fetch(path, { method: 'POST' })).status, 401);
  const ended = await fetch(path, {
    method: 'POST',
    headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
    body: '{"reason":"The lesson is over."}',
  });
  assert.deepEqual(await ended.json(), { done: 'closed' });
  assert.deepEqual(await first.closed, { code: 1000, reason: 'The lesson is over.' });
  await eventually('the freed place', () => second.messages.at(-1)?.startsWith('webots:') === true);
});

test('a drain with an end is announced to clients on the server, and again when the end is moved', async (t) => {
  const running = await front(t, [{ load: 5 }], { admin: { tokens: [{ name: 'ada', hash: hashOf(TOKEN) }] } });
  const [server] = running.scripted;
  assert.ok(server !== undefined);
  const client = await new SocketClient(t, `${running.socketUrl}/relay/client`).open();
  client.socket.send(START);
  await eventually('the stream', () => client.messages.some((line) => line.startsWith('webots:')));
  for (const [lasts, announced] of [
    [600, /^shutdownTimeout: (?:600|599)$/],
    [90, /^shutdownTimeout: (?:90|89)$/],
  ] as const) {
    const before = client.messages.length;
    await pull(running, server, 'drain', { lasts });
    assert.match(await client.message(before + 1), announced);
  }
  assert.equal(client.socket.readyState, WebSocket.OPEN);
  assert.equal(server.openClients, 1);
});

test('a drain with an end is announced to a client that is still loading only when its session begins', async (t) => {
  const admin = { tokens: [{ name: 'ada', hash: hashOf(TOKEN) }] };
  const running = await front(t, [{ load: 5, script: loads }, { load: 30 }], { admin });
  const [drained, other] = running.scripted;
  assert.ok(drained !== undefined && other !== undefined);
  const stays = await opens(t, running);
  const first = await drained.client(1);
  const moves = await opens(t, running);
  const second = await drained.client(2);
  await Promise.all([stays.message(1), moves.message(1)]);
  await pull(running, drained, 'drain', { lasts: 600 });
  second.socket.terminate();
  await eventually('the other server', () => moves.messages.includes(`webots:ws://localhost/${other.port + 1}`));
  first.socket.send('webots:ws://localhost/1');
  assert.match(await stays.message(3), /^shutdownTimeout: (?:600|599)$/);
  assert.equal(stays.messages[1], 'webots:ws://localhost/1');
  assert.deepEqual(sentLines(moves, 'shutdownTimeout:'), []);
});

test('a drain that was taken back before the session begins is not announced', async (t) => {
  const admin = { tokens: [{ name: 'ada', hash: hashOf(TOKEN) }] };
  const running = await front(t, [{ load: 5, script: loads }], { admin });
  const [server] = running.scripted;
  assert.ok(server !== undefined);
  const client = await opens(t, running);
  const inside = await server.client(1);
  await pull(running, server, 'drain', { lasts: 600 });
  await pull(running, server, 'resume');
  inside.socket.send('webots:ws://localhost/1');
  inside.socket.send('{"more":1}');
  assert.deepEqual([await client.message(2), await client.message(3)], ['webots:ws://localhost/1', '{"more":1}']);
});

test('a client that was sent to a server directly is looked after too: its /client comes through the same way', async (t) => {
  const running = await frontBehindPort(t);
  const [bad, good] = running.scripted;
  assert.ok(bad !== undefined && good !== undefined);
  bad.script = givesUp;
  const told = await ask(running, `/session?url=${WORLD}`);
  assert.equal(told, `ws://localhost/${bad.port}`);
  // The test's gateway has a port of its own, which clients cannot see in the URL.
  const client = await new SocketClient(t, `${running.socketUrl}/${bad.port}/client`).open();
  client.socket.send(START);
  await eventually('the stream of the other server', () => client.messages.includes(`webots:ws://localhost/${good.port + 1}`));
  assert.equal(good.clients[0]?.request.headers.host, `localhost:${running.port}`, 'the name by which the client came');
  assert.equal(client.socket.readyState, WebSocket.OPEN);
});

/** As behind a real gateway: `localhost/PORT`, reached through a route; the loads are asked there too. */
async function frontBehindPort(t: TestContext) {
  const scripted = await Promise.all([5, 30].map((load) => ScriptedSimulationServer.start(t, { load })));
  const running = await startAppInside(t, {
    simulationServers: scripted.map(({ port }) => `localhost/${port}`),
    waiting: { relay: true },
    gateway: { enabled: true, port: 0, routes: Object.fromEntries(scripted.map(({ port }) => [String(port), '127.0.0.1'])) },
  });
  await eventually('the load of the fleet', async () => (await ask(running, '/load')) !== '-1');
  return { ...running, scripted };
}

test('an unmodified simulation server behind the gateway joins by its public address, and is probed and reached inside', async (t) => {
  const token = 'correct-horse-battery-staple';
  const server = await ScriptedSimulationServer.start(t, { load: 5 });
  // Nothing listens on `sim.example`: it exists only as the name of this gateway.
  const running = await startAppInside(t, {
    server: 'sim.example',
    registration: { token },
    waiting: { relay: true },
    gateway: { enabled: true, port: 0, routes: { [String(server.port)]: '127.0.0.1' } },
  });
  const form = new URLSearchParams({ url: `https://sim.example/${server.port}`, shareIdleTime: '0', allowedRepositories: '' });
  const answer = await fetch(`${running.url}/register/${token}`, { method: 'POST', body: form });
  assert.match(await answer.text(), /^Registered/);
  await eventually(
    'the server to be offered',
    async () => (await ask(running, '/session')) === `ws://sim.example/${server.port}`,
  );
  const client = await new SocketClient(t, `${running.socketUrl}/${server.port}/client`).open();
  client.socket.send(START);
  await eventually('the stream', () => client.messages.some((line) => line.startsWith('webots:')));
});
