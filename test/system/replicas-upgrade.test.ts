/** Two builds side by side: the present one, and one with the next format. Needs Debian's package `redis-server`: `npm run test:system`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { FORMAT } from '../../src/core/replicas/format.ts';
import { eventually } from '../support/eventually.ts';
import { makeNextBuild } from '../support/next-build.ts';
import { RedisServer } from '../support/redis-server.ts';
import { startProgram, type Program } from '../support/start-program.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';

const readiness = (program: Program) => program.get('/readyz').catch(() => '');
const leads = (program: Program) => eventually('it leads', async () => (await readiness(program)) === 'ok\n');

test('versions with neighbouring formats replace each other one by one, and the newer format comes when all know it', async (t) => {
  const redis = await RedisServer.start(t);
  const simulation = await startSimulationServer(t, 99);
  const configuration = (name: string) => ({
    simulationServers: [simulation.address],
    waiting: { resume: 300 },
    replicas: { store: redis.url, name },
  });
  const program = makeNextBuild(t);
  const format = () => redis.command('HGET', '{session-server}:state', 'format');
  const old = await startProgram(t, configuration('old'));
  await leads(old);
  const waiting = new WebSocket(`${old.socketUrl}/session`, 'session-server.v1');
  const [message] = (await once(waiting, 'message')) as [Buffer];
  const { position, resumeToken } = JSON.parse(message.toString()) as { position: number; resumeToken: string };
  assert.equal(position, 1);

  const next = await startProgram(t, configuration('next'), { program });
  await eventually('it follows', async () => (await readiness(next)).includes('old leads'));
  assert.equal(await format(), String(FORMAT));
  await old.stop();
  await leads(next);
  const again = new WebSocket(`${next.socketUrl}/session?resume=${resumeToken}`, 'session-server.v1');
  t.after(() => again.terminate());
  const [kept] = (await once(again, 'message')) as [Buffer];
  const { resumeToken: same } = JSON.parse(kept.toString()) as { resumeToken: string };
  assert.equal(same, resumeToken);
  await eventually('the newer format', async () => (await format()) === String(FORMAT + 1));

  const late = await startProgram(t, configuration('late'));
  await eventually('it says why it cannot lead', async () =>
    (await readiness(late)).includes('format that this version does not know'),
  );
  next.signal('SIGKILL');
  await eventually('the lease is free', async () => (await redis.command('GET', '{session-server}:lease')) === null);
  const repaired = await startProgram(t, configuration('repaired'), { program });
  await leads(repaired);
  assert.doesNotMatch(late.log, /this replica leads from now on/);
});
