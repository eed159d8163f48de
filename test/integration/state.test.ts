/** What survives a restart, and what becomes of files that cannot be trusted. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { realAdapters, startApp } from '../../src/app.ts';
import { schema } from '../../src/config/schema.ts';
import { toSettings } from '../../src/config/settings.ts';
import type { Edge } from '../../src/http/edge.ts';
import { eventually, inTime } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { createSharedLookup } from '../../src/probes/shared-lookup.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { startProgram, subfolder, temporary, type Program } from '../support/start-program.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';

const metric = async (program: Program, name: string) =>
  Number(new RegExp(`^session_server_${name}(?:\\{[^}]*\\})? ([-0-9.e]+)$`, 'm').exec(await program.get('/metrics'))?.[1]);

/** What a session server that has learned much leaves behind: here a session costs 20 points, which it was not told. */
async function learned(t: Parameters<typeof startProgram>[0], folder: string) {
  const server = await startSimulationServer(t, 10);
  const configuration = { simulationServers: [server.address], allocation: { cost: 8 } };
  const program = await startProgram(t, configuration, { folder });
  await eventually('the load', async () => (await program.get('/load')) === '10');
  return { server, configuration, program };
}

test('what was learned and booked survives a restart', async (t) => {
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

test('what was decided survives a restart: the page can say why a student was refused before it', async (t) => {
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

test('state files can be read by nobody else', async (t) => {
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
  test(`a state file that ${what} is set aside with a line in the log, and the service goes on`, async (t) => {
    const folder = temporary(t);
    const state = subfolder(folder, 'state');
    writeFileSync(join(state, 'learned.json'), content);
    const { program, server } = await learned(t, folder);
    assert.equal(readFileSync(join(state, aside), 'utf8'), content);
    assert.match(program.log, /\[WARNING\] {2}the state file \S*learned\.json cannot be used and is set aside as /);
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
  assert.match(program.log, /\[WARNING\] {2}the state file \S*waiting-line\.json cannot be used and is set aside as /);
  assert.match(program.log, /\[WARNING\] {2}the state file \S*registered-servers\.json cannot be used and is set aside as /);
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

test('pipes in the place of all state files delay nothing: they are set aside, and the service goes on', async (t) => {
  const folder = temporary(t);
  const state = subfolder(folder, 'state');
  const names = ['learned.json', 'waiting-line.json', 'registered-servers.json', 'history.bin'];
  for (const name of names) execFileSync('mkfifo', [join(state, name)]);
  const { program, server } = await learned(t, folder);
  assert.equal(await program.get('/session'), `ws://${server.address}`);
  assert.match(program.log, /learned\.json cannot be used and is set aside as /);
  assert.equal((await program.stop()).status, 0);
  assert.ok(statSync(join(state, 'learned.json.damaged')).isFIFO());
  for (const name of ['learned.json', 'history.bin']) assert.ok(statSync(join(state, name)).isFile(), name);
});

test('a disk that does not answer delays the first answers by a second at most, and is written no more', async (t) => {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const server = await startSimulationServer(t, 10);
  const store = new MemoryStore();
  store.read = () => new Promise(() => undefined);
  let edgeStarted: (edge: Edge) => void = () => undefined;
  const edge = new Promise<Edge>((resolve) => (edgeStarted = resolve));
  const folder = temporary(t);
  const settings = toSettings(
    schema.parse({
      ...{ ssl: false, port: 0, listen: '127.0.0.1', portRewrite: false, simulationServers: [server.address] },
      logDir: join(folder, 'log'),
    }),
    { webhookSecrets: new Map() },
    { env: {}, cwd: folder, home: folder, readFile: () => Promise.resolve({ kind: 'missing', code: 'ENOENT' }) },
  );
  const starting = startApp(
    settings,
    { ...{ clock, log, version: '0' }, names: createSharedLookup(), random: () => 0.5, newId: () => 'id' },
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
  const first = fetch(`http://127.0.0.1:${port}/session`).then((response) => response.text());
  await eventually('the request', async () => (await fetch(`http://127.0.0.1:${port}/livez`)).ok);
  await clock.advance(1);
  assert.equal(await inTime('the first answer', first), 'Error: no simulation server available at the moment.');

  await clock.advance(5);
  const app = await inTime('the start', starting);
  await clock.advance(1);
  await eventually('the load', async () => {
    await clock.advance(0.1);
    return (await (await fetch(`http://127.0.0.1:${port}/load`)).text()) === '10';
  });
  assert.match(log.complaints.join('\n'), /the state folder did not answer within 3 s/);
  const stopped = app.stop();
  await clock.advance(2);
  await inTime('the stop', stopped);
  assert.equal(store.writes, 0);
});
