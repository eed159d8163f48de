/** Simulation servers that join the running program by themselves, as the original's do and by JSON. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { hashOf } from '../../src/config/token.ts';
import { ClientSocketServer } from '../support/client-socket-server.ts';
import { eventually } from '../support/eventually.ts';
import { rawRequest } from '../support/raw-http.ts';
import { startProgram, temporary, type RunningProgram, type Scope } from '../support/start-program.ts';
import { startProgramInside } from '../support/start-program-inside.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';

const TOKEN = 'correct-horse-battery-staple';
const NONE = /^Error: /;
/** Everything of a test is on this machine. */
const HERE = { token: TOKEN, allowLoopback: true };

function start(scope: Scope, registration: Readonly<Record<string, unknown>> = HERE, folder?: string): Promise<RunningProgram> {
  const configuration = { registration, pollInterval: 1, allocation: { cost: 0.3, learning: false } };
  return startProgramInside(scope, configuration, folder === undefined ? {} : { folder });
}

/** As the original sends it. */
async function notify(program: RunningProgram, fields: Readonly<Record<string, string>>, token = TOKEN, headers = {}) {
  const response = await fetch(`${program.url}/register/${token}`, {
    method: 'POST',
    body: new URLSearchParams({ shareIdleTime: '0', allowedRepositories: '', ...fields }),
    headers,
    signal: AbortSignal.timeout(30_000),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

async function register(program: RunningProgram, body: unknown, token = TOKEN) {
  const response = await fetch(`${program.url}/api/v1/register`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(30_000),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

function offered(program: RunningProgram, server: { address: string }): Promise<unknown> {
  return eventually(`${server.address} to be offered`, async () => (await program.get('/session')) === `ws://${server.address}`);
}

function gone(program: RunningProgram): Promise<unknown> {
  return eventually('the fleet to be empty', async () => (await program.get('/api/v1/servers')).includes('"servers":[]'));
}

describe('a simulation server of the original', () => {
  test('joins with the URL of the session server in its notify list', async (t) => {
    const server = await ClientSocketServer.start(t);
    const program = await start(t);
    assert.match(await program.get('/session'), NONE);
    const answer = await notify(program, { url: `http://${server.address}` });
    assert.deepEqual([answer.status, answer.text.split('.')[0]], [200, 'Registered']);
    await offered(program, server);
    assert.ok(server.clients > 0, 'a WebSocket was opened, to see whether it can be');
    assert.equal(server.requests[0]?.url, '/load');
  });

  test('is not offered before it serves clients, and is once it does', async (t) => {
    const server = await ClientSocketServer.start(t);
    server.load = 'HTTP 500';
    const program = await start(t);
    await notify(program, { url: `http://${server.address}` });
    await eventually('the first question', () => server.requests.length > 0);
    assert.match(await program.get('/session'), NONE);
    await eventually('the reason in the log', () =>
      program.log.includes('is not offered yet: its answer to /load is not a number'),
    );
    server.load = 20;
    await offered(program, server);
  });

  test('that opens no WebSocket is not offered', async (t) => {
    const server = await ClientSocketServer.start(t);
    server.opens = false;
    const program = await start(t);
    await notify(program, { url: `http://${server.address}` });
    await eventually('the reason in the log', () =>
      program.log.includes('its WebSocket /client does not open: it answers status 403'),
    );
    assert.match(await program.get('/session'), NONE);
  });

  test('says which projects it runs, and how idle it must be for others', async (t) => {
    const server = await ClientSocketServer.start(t);
    server.load = 40;
    const program = await start(t);
    const form = { url: `http://${server.address}`, allowedRepositories: 'https://github.com/mine,https://github.com/ours/it' };
    await notify(program, { ...form, shareIdleTime: '0' });
    const url = (owner: string) => `/session?url=https://github.com/${owner}/it/blob/main/worlds/w.wbt`;
    await eventually('its own project', async () => (await program.get(url('mine'))) === `ws://${server.address}`);
    assert.match(await program.get(url('theirs')), /^Error:/);
    await notify(program, { ...form, shareIdleTime: '60' });
    await eventually('a guest', async () => (await program.get(url('theirs'))) === `ws://${server.address}`);
  });

  test('survives a restart of the session server', async (t) => {
    const folder = temporary(t);
    const server = await ClientSocketServer.start(t);
    const first = await start(t, HERE, folder);
    await notify(first, { url: `http://${server.address}`, allowedRepositories: 'github.com/mine' });
    const mine = '/session?url=https://github.com/mine/it/blob/main/worlds/w.wbt';
    await eventually('it to be offered', async () => (await first.get(mine)) === `ws://${server.address}`);
    await first.stop();
    const second = await start(t, HERE, folder);
    await eventually('it to be offered again', async () => (await second.get(mine)) === `ws://${server.address}`);
    assert.match(await second.get(mine.replace('mine', 'theirs')), /^Error:/);
  });

  test('that announced itself and does not serve yet is known after a crash, and offered once it serves', async (t) => {
    const folder = temporary(t);
    const server = await ClientSocketServer.start(t);
    const { port, address } = server;
    await server.stop();
    const first = await startProgram(t, { registration: HERE }, { folder });
    await notify(first, { url: `http://${address}` });
    const state = join(folder, 'state', 'registered-servers.json');
    await eventually('it to be written down', () => existsSync(state) && readFileSync(state, 'utf8').includes(address));
    first.signal('SIGKILL');
    await first.ended;
    const second = await start(t, HERE, folder);
    assert.match(await second.get('/session'), NONE);
    await offered(second, await ClientSocketServer.start(t, { port }));
  });

  test('that is in the configuration already is reported as such', async (t) => {
    const server = await startSimulationServer(t, 5);
    const program = await startProgramInside(t, { simulationServers: [server.address], registration: HERE });
    const { status, text } = await notify(program, { url: `http://${server.address}` });
    assert.equal(status, 200);
    assert.match(text, /already in the fleet/);
  });
});

describe('a simulation server that sends heartbeats', () => {
  test('joins, learns how often to register again, and leaves when it goes silent', async (t) => {
    const server = await ClientSocketServer.start(t);
    const program = await start(t, { ...HERE, heartbeat: 1, missedHeartbeats: 2 });
    const { status, body } = await register(program, { url: `http://${server.address}`, labels: { room: 'B12' } });
    assert.deepEqual([status, body], [202, { id: server.address, state: 'checking', heartbeatSeconds: 1 }]);
    await offered(program, server);
    assert.equal(
      (await register(program, { url: `http://${server.address}`, labels: { room: 'B12' } })).body['state'],
      'registered',
    );
    await gone(program);
    await eventually('the reason in the log', () =>
      program.log.includes('left the fleet: it has not registered again for 2 heartbeats'),
    );
  });

  test('leaves when it deregisters', async (t) => {
    const server = await ClientSocketServer.start(t);
    const program = await start(t);
    const { body } = await register(program, { url: `http://${server.address}` });
    await offered(program, server);
    const deregister = () =>
      fetch(`${program.url}/api/v1/register/${String(body['id'])}`, {
        method: 'DELETE',
        headers: { Authorization: `Bearer ${TOKEN}` },
      });
    assert.equal((await deregister()).status, 204);
    assert.match(await program.get('/session'), NONE);
    assert.equal((await deregister()).status, 404);
  });

  test('is refused with a reason when its rules cannot be understood', async (t) => {
    const program = await start(t);
    for (const body of [
      { url: 'https://a/2000', weight: -1 },
      { url: 'https://a/2000', allowedRepositories: ['a b'] },
      { url: 'https://a/2000', shareIdleTime: 1000 },
      { url: 'https://a/2000?x=1' },
      { url: 'https://a/2000', unknown: true },
      {},
      '{',
      '[]',
    ]) {
      const { status, body: answer } = await register(program, body);
      assert.equal(status, 400, JSON.stringify(body));
      assert.ok(typeof answer['reason'] === 'string' && answer['reason'] !== '', JSON.stringify(answer));
    }
  });
});

test('a registered server that stays down is forgotten, and not because of one failure', async (t) => {
  const server = await ClientSocketServer.start(t);
  const program = await start(t, { ...HERE, forgetAfter: 10 });
  await notify(program, { url: `http://${server.address}` });
  await offered(program, server);
  server.load = 'broken';
  await eventually('one failed probe', async () => NONE.test(await program.get('/session')));
  server.load = 10;
  await offered(program, server);
  assert.doesNotMatch(program.log, /left the fleet/);
  assert.match(await program.get('/api/v1/servers'), new RegExp(server.address));
});

test('a registered server that is down can be removed by an operator, and one that answers cannot', async (t) => {
  const server = await ClientSocketServer.start(t);
  const admin = { tokens: [{ name: 'ada', hash: hashOf('sst_of-registration') }] };
  const program = await startProgramInside(t, { registration: HERE, admin, pollInterval: 1, downAfter: 1 });
  await notify(program, { url: `http://${server.address}` });
  await offered(program, server);
  const remove = async () => {
    const response = await fetch(`${program.url}/api/v1/servers/${encodeURIComponent(server.address)}`, {
      method: 'DELETE',
      headers: { Authorization: 'Bearer sst_of-registration' },
      signal: AbortSignal.timeout(30_000),
    });
    return [response.status, ((await response.json()) as { code?: string }).code];
  };
  assert.deepEqual(await remove(), [409, 'registered-server']);
  server.load = 'broken';
  const removable = () => program.get('/api/v1/servers').then((text) => text.includes('"removable":true'));
  await eventually('it to be down', removable);
  assert.deepEqual(await remove(), [200, undefined]);
  await gone(program);
  assert.match(program.log, /removed by ada/);
});

describe('addresses', () => {
  async function refusedFor(t: TestContext, registration: Readonly<Record<string, unknown>>, address: string) {
    const program = await start(t, registration);
    await notify(program, { url: `http://${address}` });
    return eventually('the reason in the log', () => /is not offered yet: (.*?)(?: \{|\n|$)/.exec(program.log)?.[1]);
  }

  test('of this machine are rejected unless the configuration says so', async (t) => {
    const server = await ClientSocketServer.start(t);
    const reason = await refusedFor(t, { token: TOKEN }, server.address);
    assert.match(reason, /127\.0\.0\.1 is a loopback address, and registration\.allowLoopback is false/);
    assert.equal(server.requests.length, 0, 'it was not even asked');
  });

  test('are judged by where their names lead', async (t) => {
    const server = await ClientSocketServer.start(t);
    assert.match(await refusedFor(t, { token: TOKEN }, `localhost:${server.port}`), /is a loopback address/);
    assert.equal(server.requests.length, 0);
  });

  test('that resolve to this machine or to nothing are rejected, however they are written', async (t) => {
    const program = await start(t, { token: TOKEN });
    for (const [address, kind] of [
      ['169.254.169.254', 'link-local'],
      ['0.0.0.0:2000', 'unspecified'],
      ['224.0.0.1:2000', 'multicast'],
      ['[::1]:2000', 'loopback'],
      ['[::ffff:127.0.0.1]:2000', 'loopback'],
      ['[fe80::1]:2000', 'link-local'],
    ] as const) {
      await notify(program, { url: `http://${address}` });
      const reason = () =>
        program.log.split('\n').find((line) => line.includes(`${address} simulation server registered and is not`));
      assert.match(await eventually(`the reason against ${address}`, reason), new RegExp(kind));
    }
  });

  test('of a private network are rejected when the configuration says so', async (t) => {
    assert.match(await refusedFor(t, { token: TOKEN, allowPrivate: false }, '10.255.255.1:2000'), /private network/);
  });

  for (const host of ['127.0.0.1', 'localhost'])
    test(`that are no longer allowed are not offered after a reload, as ${host}`, async (t) => {
      const server = await ClientSocketServer.start(t);
      const address = `${host}:${server.port}`;
      const program = await start(t);
      await notify(program, { url: `http://${address}` });
      await offered(program, { address });
      await program.reconfigure({ registration: { token: TOKEN } });
      await eventually('no server to be offered', async () => NONE.test(await program.get('/session')));
      await program.reconfigure({ registration: HERE });
      await offered(program, { address });
    });

  test('that are no longer allowed are not offered after a restart', async (t) => {
    const folder = temporary(t);
    const server = await ClientSocketServer.start(t);
    const first = await start(t, HERE, folder);
    await notify(first, { url: `http://${server.address}` });
    await offered(first, server);
    await first.stop();
    const asked = server.requests.length;
    const second = await start(t, { token: TOKEN }, folder);
    await eventually('the reason in the log', () =>
      second.log.includes('is not offered yet: 127.0.0.1 is a loopback address, and registration.allowLoopback is false'),
    );
    assert.match(await second.get('/session'), NONE);
    assert.equal(server.requests.length, asked, 'it was not even asked');
  });

  test('that redirect elsewhere are not followed', async (t) => {
    const other = await startSimulationServer(t, 5);
    const server = await startSimulationServer(t, (_, response) => {
      response.writeHead(302, { location: `http://${other.address}/load` }).end();
    });
    assert.match(await refusedFor(t, HERE, server.address), /it redirects, which a registered server may not/);
    assert.equal(other.requests, 0);
  });
});

describe('who may register', () => {
  test('no server without a token in the configuration', async (t) => {
    const program = await start(t, {});
    assert.equal((await notify(program, { url: 'https://a/2000' })).status, 403);
    assert.deepEqual((await register(program, { url: 'https://a/2000' })).body['code'], 'no-registration');
  });

  test('no server with a wrong token; the right one is accepted whatever others behind the address sent', async (t) => {
    const program = await start(t);
    const from = { 'X-Forwarded-For': '198.51.100.7' };
    const guess = (token: string) => notify(program, { url: 'https://a/2000' }, token, from);
    const statuses = new Set<number>();
    for (let i = 0; i < 30; i += 1) statuses.add((await guess(`wrong-token-number-${i}`)).status);
    assert.deepEqual([...statuses], [401, 429]);
    assert.equal((await guess(TOKEN)).status, 200);
    assert.equal(program.log.includes(TOKEN), false, 'the token is not in the log');
  });

  test('no server by GET, without a form, with a form that is too large, or with two addresses', async (t) => {
    const program = await start(t);
    const path = `${program.url}/register/${TOKEN}`;
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    assert.equal((await fetch(path)).status, 405);
    assert.equal((await fetch(path, { method: 'POST', body: '{}' })).status, 415);
    assert.equal((await fetch(path, { method: 'POST', body: `url=${'a'.repeat(70_000)}`, headers: form })).status, 413);
    assert.equal(
      (await fetch(path, { method: 'POST', body: 'url=https://a/2000&url=https://b/2000', headers: form })).status,
      400,
    );
    assert.equal((await fetch(path, { method: 'POST', body: '%%%&&&=', headers: form })).status, 400);
    const raw = await rawRequest(t, program.port, `POST /register/${TOKEN} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
    assert.equal(raw.status, 415);
  });
});

test('a flood of registrations is limited in number and does not delay sessions', async (t) => {
  const server = await startSimulationServer(t, 5);
  const program = await startProgramInside(t, {
    simulationServers: [server.address],
    registration: { ...HERE, maxServers: 50 },
  });
  await eventually('the configured server', async () => (await program.get('/session')) === `ws://${server.address}`);
  const statuses = new Map<number, number>();
  for (let batch = 0; batch < 10; batch += 1) {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => notify(program, { url: `http://192.0.2.1:${2000 + batch * 20 + i}` })),
    );
    for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  assert.deepEqual(Object.fromEntries(statuses), { 200: 50, 409: 150 });
  assert.equal(await program.get('/session'), `ws://${server.address}`);
});

test('switching registration off removes the registered servers', async (t) => {
  const server = await ClientSocketServer.start(t);
  const program = await start(t);
  await notify(program, { url: `http://${server.address}` });
  await offered(program, server);
  await program.reconfigure({ registration: {} });
  await gone(program);
});
