import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { settingsOf } from '../../test/support/settings.ts';
import { hashOf } from '../config/token.ts';
import type { ReplicasView } from '../core/views/replicas-view.ts';
import type { Replication } from '../engine/replicas/heartbeats.ts';
import { startFollowerServer } from './follower.ts';

const TOKEN = 'sst_a-token-of-prometheus';
const view: ReplicasView = {
  ...{ leader: 'a', term: 3, members: [], missing: [] },
  store: { answers: true, program: 'Redis 7.0.15', latency: 0.001, failures: 0, problems: [] },
};

test('a follower answers health checks, metrics and the list of replicas, and sends everything else away', async (t) => {
  let state: Replication = {
    ...{
      leads: false,
      reachesStore: true,
      term: 3,
      members: [],
      roundTrip: 0.001,
      failures: 2,
      takeovers: 0,
      knownAt: 0,
      polls: 0,
    },
    ...{ leader: undefined, differing: new Map(), foreignFormat: undefined },
  };
  const settings = settingsOf({
    ...{ port: 0, listen: '127.0.0.1', monitor: { access: 'token' } },
    admin: { tokens: [{ name: 'prometheus', hash: hashOf(TOKEN), role: 'reader' }] },
  });
  const server = await startFollowerServer({
    ...{ clock: new FakeClock(), log: new MemoryLog(), newId: () => 'id', settings: () => settings },
    watch: { replication: () => state, view: () => view },
  });
  t.after(() => server.close());
  const ask = async (path: string, token?: string) => {
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { headers });
    return [response.status, await response.text()] as const;
  };
  assert.deepEqual(await ask('/livez'), [200, 'ok\n']);
  assert.deepEqual(await ask('/readyz'), [503, 'no replica leads at the moment\n']);
  assert.deepEqual(await ask('/readyz?of=store'), [200, 'ok\n']);
  assert.deepEqual(await ask('/session'), [503, 'no replica leads at the moment\n']);
  assert.equal((await ask('/metrics'))[0], 401);
  const [status, metrics] = await ask('/metrics', TOKEN);
  assert.equal(status, 200);
  for (const line of ['session_server_replica_leads 0', 'session_server_store_failures_total 2', 'session_server_store_up 1'])
    assert.ok(metrics.includes(`\n${line}\n`), line);
  assert.equal((await ask('/api/v1/replicas'))[0], 401);
  assert.deepEqual(JSON.parse((await ask('/api/v1/replicas', TOKEN))[1]), view);
  state = { ...state, foreignFormat: '2' };
  assert.match((await ask('/readyz'))[1], /format that this version does not know/);
  state = { ...state, reachesStore: false };
  assert.deepEqual(await ask('/readyz?of=store'), [503, 'the shared store does not answer\n']);
});
