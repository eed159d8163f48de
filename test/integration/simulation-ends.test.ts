/** How sessions and servers end, on the bare machine: whatever a simulator, a client or a supervisor does, nothing is left. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startSimulationServer } from '../support/simulation-server.ts';

test('a client is notified when its simulator fails, and nothing of it stays', async (t) => {
  const server = await startSimulationServer(t);
  const crashing = await server.start(server.world('crash-before', 'crash-before'));
  assert.equal((await crashing.ends()).code, 1011);
  assert.equal(crashing.messages.at(-1), 'error: The simulator ended with status 3 before the world was loaded.');
  for (const [status, code] of [
    [7, 1011],
    [0, 1000],
  ] as const) {
    const client = await server.start(server.world('arm'));
    const port = await server.streamPort(client);
    await fetch(`http://127.0.0.1:${port}/end/${status}`).catch(() => undefined);
    assert.equal((await client.ends()).code, code);
    assert.equal(client.messages.at(-1) === 'error: The simulator ended with status 7.', status === 7);
  }
  await server.empty();
  assert.deepEqual(readdirSync(join(server.folder, 'state/run')), []);
});

test('a simulator that does not load its world in time is ended', async (t) => {
  const server = await startSimulationServer(t, { configuration: { limits: { loadTimeout: 3 } } });
  const client = await server.start(server.world('silent', 'silent'));
  assert.equal((await client.ends()).code, 1011);
  assert.equal(client.messages.at(-1), 'error: The simulation did not load in time.');
  await server.empty();
});

test('whatever a simulator does to stay, it is gone when its client leaves', async (t) => {
  const server = await startSimulationServer(t);
  const before = simulators(server.folder);
  for (const trick of ['ignore-term', 'fork-away', 'flood'] as const) {
    const client = await server.start(server.world(trick, trick));
    await server.streamPort(client);
    client.socket.close();
    await server.empty();
    assert.deepEqual(simulators(server.folder), before, trick);
  }
});

test('clients that leave at any moment leave nothing behind', async (t) => {
  const server = await startSimulationServer(t, { configuration: { maxConnections: 20 } });
  const url = server.world('arm');
  await server.streamPort(await server.start(url));
  for (let i = 0; i < 12; i += 1) {
    const client = await server.start(url);
    await eventually(`message ${i % 11}, after ${JSON.stringify(client.messages)}`, () => client.messages.length >= i % 11);
    client.lose();
  }
  await eventually('the end of all but one', async () => (await server.sessions()).length === 1);
  await eventually('the end of their files', () => readdirSync(join(server.folder, 'state/run')).length === 1);
});

test('a server that was killed leaves nothing that the next one does not remove', async (t) => {
  const server = await startSimulationServer(t);
  const client = await server.start(server.world('arm', 'fork-away'));
  await server.streamPort(client);
  server.child.signal('SIGKILL');
  await server.child.ended;
  const next = await startSimulationServer(t, { folder: server.folder });
  assert.deepEqual(readdirSync(join(next.folder, 'state/run')), []);
  assert.deepEqual(simulators(server.folder), []);
});

test('SIGTERM ends all sessions and informs their clients', async (t) => {
  const server = await startSimulationServer(t);
  const client = await server.start(server.world('arm'));
  await server.streamPort(client);
  const ended = await server.stop();
  assert.deepEqual([ended.status, (await client.ends()).code], [0, 1012]);
  assert.deepEqual(simulators(server.folder), []);
});

test('two servers never share a folder', async (t) => {
  const server = await startSimulationServer(t);
  await assert.rejects(startSimulationServer(t, { folder: server.folder }), /another simulation server uses/);
});

/** Pids of the programs that stand for Webots, and what they left. */
function simulators(folder: string): readonly number[] {
  const instance = readFileSync(join(folder, 'state/instance'), 'utf8').trim();
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        const isDead = / [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/, ''));
        if (isDead) return false;
        return (
          command.includes(`${folder}/webots/webots`) ||
          readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`/session-server-sim-${instance}`)
        );
      } catch {
        return false;
      }
    });
}
