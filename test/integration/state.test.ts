/** What survives a restart, and what becomes of files that cannot be trusted. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { realAdapters, startApp } from '../../src/app/index.ts';
import { schema } from '../../src/config/schema.ts';
import { toSettings } from '../../src/config/settings.ts';
import { hashOf } from '../../src/config/token.ts';
import type { Edge } from '../../src/http/edge.ts';
import type { StateStore } from '../../src/ports.ts';
import { eventually, inTime } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { createSharedLookup } from '../../src/probes/shared-lookup.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { runProgram, startProgram, subfolder, temporary, type Program } from '../support/start-program.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';

const TOKEN = 'sst_of-the-state';

const metric = async (program: Program, name: string) =>
  Number(new RegExp(`^session_server_${name}(?:\\{[^}]*\\})? ([-0-9.e]+)$`, 'm').exec(await program.get('/metrics'))?.[1]);

/** What a session server that has learned much leaves behind: here a session costs 20 points, which is not in its configuration. */
async function learned(t: Parameters<typeof startProgram>[0], folder: string) {
  const server = await startSimulationServer(t, 10);
  const configuration = { simulationServers: [server.address], allocation: { cost: 8 } };
  const program = await startProgram(t, configuration, { folder });
  await eventually('the load', async () => (await program.get('/load')) === '10');
  return { server, configuration, program };
}

test('learned costs and bookings survive a restart', async (t) => {
  const folder = temporary(t);
  const { configuration, program, server } = await learned(t, folder);
  await program.get('/session');
  await program.get('/session');
  assert.equal(await metric(program, 'server_booked_load_percent'), 16);
  assert.equal((await program.stop()).status, 0);

  const path = join(folder, 'state', 'learned.json');
  const saved = JSON.parse(readFileSync(path, 'utf8')) as { fleet: { log: number; variance: number } };
  // Learning takes minutes; a lesson is put in its place.
  saved.fleet = { ...saved.fleet, log: Math.log(20), variance: 0.01 };
  writeFileSync(path, JSON.stringify(saved));

  const next = await startProgram(t, configuration, { folder });
  await eventually('the load', async () => (await next.get('/load')) === '10');
  assert.ok(Math.abs((await metric(next, 'cost_percent')) - 20) < 0.1);
  assert.equal(await metric(next, 'server_bookings'), 2, 'what was handed out a moment ago still counts');
  // 10 + 2 * 20 booked, and a third of 20 fits; a fourth does not (90).
  assert.equal(await next.get('/session'), `ws://${server.address}`);
  assert.match(await next.get('/session'), /^Error: no simulation server available/);
  assert.deepEqual(
    readdirSync(join(folder, 'state')).filter((name) => /damaged|foreign|tmp/.test(name)),
    [],
  );
});

test('decisions survive a restart: the page can say why a student was refused before it', async (t) => {
  const folder = temporary(t);
  const { configuration, program } = await learned(t, folder);
  await program.get('/session');
  await program.get('/session?url=https://github.com/a/b/blob/main/worlds/$(reboot).wbt');
  const decided = async (of: Program) =>
    (JSON.parse(await of.get('/api/v1/decisions')) as { decisions: { id: string; kind: string; reason: string }[] }).decisions;
  const before = await decided(program);
  assert.deepEqual(
    before.map(({ kind }) => kind),
    ['refused', 'allocated'],
  );
  await program.stop();
  const next = await startProgram(t, configuration, { folder });
  assert.deepEqual(await decided(next), before);
  await eventually('the hand-out in the last hour of its server', async () =>
    (await next.get('/api/v1/servers')).includes('"handOutsLastHour":1'),
  );
});

test('state files cannot be read by other users', async (t) => {
  const folder = temporary(t);
  const { program } = await learned(t, folder);
  await program.get('/session');
  await program.stop();
  const state = join(folder, 'state');
  assert.equal(statSync(state).mode & 0o077, 0);
  for (const name of readdirSync(state)) assert.equal(statSync(join(state, name)).mode & 0o077, 0, name);
});

for (const [what, content, aside] of [
  ['is damaged', '{"format": "session-server/ledger", "vers', 'learned.json.damaged'],
  ['is empty', '', 'learned.json.damaged'],
  ['is of another version', '{"format": "session-server/ledger", "version": 99, "fleet": {}}', 'learned.json.foreign'],
  ['is of another program', '{"hello": "world"}', 'learned.json.foreign'],
  ['is JSON and nothing of ours', '[1, 2, 3]', 'learned.json.foreign'],
] as const) {
  test(`a state file that ${what} is set aside with a line in the log, and the service continues`, async (t) => {
    const folder = temporary(t);
    const state = subfolder(folder, 'state');
    writeFileSync(join(state, 'learned.json'), content);
    const { program, server } = await learned(t, folder);
    assert.equal(readFileSync(join(state, aside), 'utf8'), content);
    assert.match(program.log, /\[WARNING\] {2}the state file \S*learned\.json cannot be used and was renamed to /);
    assert.equal(await program.get('/session'), `ws://${server.address}`);
    await program.stop();
    assert.equal((JSON.parse(readFileSync(join(state, 'learned.json'), 'utf8')) as { version: number }).version, 1);
    assert.equal(readFileSync(join(state, aside), 'utf8'), content);
  });
}

test('a waiting line and a list of servers of another version are set aside, not overwritten', async (t) => {
  const folder = temporary(t);
  const state = subfolder(folder, 'state');
  const line = '{"version":2,"tickets":[{"id":"x"}]}';
  const servers = '{"version":2,"servers":[]}';
  writeFileSync(join(state, 'waiting-line.json'), line);
  writeFileSync(join(state, 'registered-servers.json'), servers);
  const registration = { token: 'a-token-of-registration-0123456789' };
  const program = await startProgram(t, { simulationServers: [], registration }, { folder });
  assert.match(program.log, /\[WARNING\] {2}the state file \S*waiting-line\.json cannot be used and was renamed to /);
  assert.match(program.log, /\[WARNING\] {2}the state file \S*registered-servers\.json cannot be used and was renamed to /);
  await program.stop();
  assert.equal(readFileSync(join(state, 'waiting-line.json.foreign'), 'utf8'), line);
  assert.equal(readFileSync(join(state, 'registered-servers.json.foreign'), 'utf8'), servers);
});

test('every state file may be nonsense at once', async (t) => {
  const folder = temporary(t);
  const before = await learned(t, folder);
  await before.program.get('/session');
  await before.program.stop();
  const state = join(folder, 'state');
  const names = new Set([
    ...readdirSync(state),
    ...['waiting-line', 'drains', 'added-servers', 'incidents', 'outbox', 'decisions', 'registered-servers'].map(
      (name) => `${name}.json`,
    ),
  ]);
  const records = '{"version": 1, "__proto__": {"x": 1}, "open": 5, "tickets": {}, "servers": "x"}';
  for (const content of ['{', 'null', '[{"version": 1}]', records]) {
    for (const name of names) writeFileSync(join(state, name), content);
    const { program, server } = await learned(t, folder);
    assert.equal(await program.get('/session'), `ws://${server.address}`, content);
    assert.equal(program.stderr, '', content);
    assert.equal((await program.stop()).status, 0, content);
  }
  assert.ok(existsSync(join(state, 'learned.json.damaged')));
});

test('pipes in the place of all state files delay nothing: they are set aside, and the service continues', async (t) => {
  const folder = temporary(t);
  const state = subfolder(folder, 'state');
  const names = ['learned.json', 'waiting-line.json', 'registered-servers.json', 'history.bin'];
  for (const name of names) execFileSync('mkfifo', [join(state, name)]);
  const { program, server } = await learned(t, folder);
  assert.equal(await program.get('/session'), `ws://${server.address}`);
  assert.match(program.log, /learned\.json cannot be used and was renamed to /);
  assert.equal((await program.stop()).status, 0);
  assert.ok(statSync(join(state, 'learned.json.damaged')).isFIFO());
  for (const name of ['learned.json', 'history.bin']) assert.ok(statSync(join(state, name)).isFile(), name);
});

/** A session server on a fake clock whose disk is this store; `edge` is there as soon as clients can ask. */
async function startOn(t: TestContext, store: StateStore, simulationServers: string[]) {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const folder = temporary(t);
  const settings = toSettings(
    schema.parse({
      ...{ ssl: false, port: 0, listen: '127.0.0.1', portRewrite: false, simulationServers },
      admin: { tokens: [{ name: 'ada', hash: hashOf(TOKEN) }] },
      logDir: join(folder, 'log'),
    }),
    { webhookSecrets: new Map() },
    { env: {}, cwd: folder, home: folder, readFile: () => Promise.resolve({ kind: 'missing', code: 'ENOENT' }) },
  );
  let edgeStarted: (edge: Edge) => void = () => undefined;
  const edge = new Promise<Edge>((resolve) => (edgeStarted = resolve));
  const starting = startApp(
    settings,
    { ...{ clock, log, version: '0' }, names: createSharedLookup(), random: () => 0.5, newId: randomUUID },
    {
      ...realAdapters,
      createStore: () => store,
      async startEdge(options) {
        const started = await realAdapters.startEdge(options);
        edgeStarted(started);
        return started;
      },
    },
  );
  const { port } = await edge;
  let stopping: Promise<void> | undefined;
  const stop = () =>
    (stopping ??= (async () => {
      // It may still wait for the disk.
      await clock.advance(10);
      const stopped = (await starting).stop();
      await clock.advance(2);
      await inTime('the stop', stopped);
    })());
  t.after(stop);
  return { clock, log, starting, url: `http://127.0.0.1:${port}`, stop };
}

test('a disk that does not answer delays the first answers by a second at most, and is not written', async (t) => {
  const server = await startSimulationServer(t, 10);
  const store = new MemoryStore();
  store.read = () => new Promise(() => undefined);
  const { clock, log, starting, url, stop } = await startOn(t, store, [server.address]);
  const get = async (path: string) => (await fetch(`${url}${path}`)).text();
  const first = get('/session');
  const explained = get('/session?url=https://github.com/owner/name');
  await eventually('the requests', async () => (await fetch(`${url}/livez`)).ok);
  await clock.advance(1);
  assert.equal(await inTime('the first answer', first), 'Error: no simulation server available at the moment.');
  assert.equal(
    await inTime('the reason', explained),
    'Error: no simulation server available at the moment. 1 server: one has not answered yet',
  );

  await clock.advance(5);
  await inTime('the start', starting);
  await clock.advance(1);
  await eventually('the load', async () => {
    await clock.advance(0.1);
    return (await get('/load')) === '10';
  });
  assert.equal(log.complaints.filter((line) => /the state folder did not answer within 3 s/.test(line)).length, 1);
  await stop();
  assert.equal(store.writes, 0);
});

test('a disk that answers slowly costs no client its place in line, and no client learns that there is no server', async (t) => {
  const server = await startSimulationServer(t, 97);
  const store = new MemoryStore();
  const before = await startOn(t, store, [server.address]);
  const waitsBefore = new SocketClient(t, `${before.url.replace('http', 'ws')}/session`, { subprotocol: 'session-server.v1' });
  await waitsBefore.open();
  await eventually('a place in line', async () => {
    await before.clock.advance(0.1);
    return waitsBefore.messages.length > 0;
  });
  const { resumeToken } = JSON.parse(waitsBefore.messages[0] ?? '') as { readonly resumeToken: string };
  await before.stop();
  assert.ok(store.documents.has('waiting-line'));

  const reads: (() => void)[] = [];
  const slow = {
    read: (name: string) => new Promise<void>((resolve) => reads.push(resolve)).then(() => store.read(name)),
    write: store.write.bind(store),
    setAside: store.setAside.bind(store),
  };
  const { clock, url, starting, stop } = await startOn(t, slow, [server.address]);
  const body = JSON.stringify({ wait: true });
  const headers = { 'Content-Type': 'application/json' };
  const waiting = fetch(`${url}/api/v1/sessions`, { method: 'POST', headers, body });
  const asking = fetch(`${url}/session`).then((response) => response.text());
  await eventually('the requests', async () => (await fetch(`${url}/livez`)).ok);
  const resumed = new SocketClient(t, `${url.replace('http', 'ws')}/session?resume=${resumeToken}`, {
    subprotocol: 'session-server.v1',
  });
  await resumed.open();
  await clock.advance(2);
  assert.equal(await asking, 'Error: no simulation server available at the moment.');
  assert.equal(resumed.messages.length, 0);

  let started = false;
  void starting.then(() => (started = true));
  await eventually('the start', async () => {
    for (const read of reads.splice(0)) read();
    await clock.advance(0.01);
    return started;
  });
  await eventually('the place in line', async () => {
    await clock.advance(0.1);
    return resumed.messages.length > 0;
  });
  assert.equal((JSON.parse(resumed.messages[0] ?? '') as { position: number }).position, 1);
  const { status } = await inTime('the other place', waiting);
  assert.equal(status, 202);
  assert.equal(((await (await waiting).json()) as { position: number }).position, 2);
  await stop();
});

test('a second session server does not start with the same state, and after a crash the next one does at once', async (t) => {
  const folder = temporary(t);
  const { program } = await learned(t, folder);
  const second = await runProgram(t, [join(folder, 'session.json')], { cwd: folder });
  assert.equal(second.status, 1);
  assert.match(
    second.stderr,
    new RegExp(`^error: stateDir: .*/state — another session server \\(process ${program.pid}\\) uses it`),
  );
  process.kill(program.pid, 'SIGKILL');
  await program.ended;
  const next = await startProgram(t, {}, { folder });
  assert.equal(await next.get('/livez'), 'ok\n');
});
