/** A disk that answers long after the start. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StateStore } from '../../src/ports.ts';
import { createSharedLookup } from '../../src/probes/shared-lookup.ts';
import { startEdgelessApp } from '../support/edgeless-app.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeProbe } from '../support/fake-probe.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { settingsOf } from '../support/settings.ts';

test('state that arrives late is ignored and never overwritten, and the next start restores it', async () => {
  const clock = new FakeClock();
  const probe = new FakeProbe(clock);
  let ids = 0;
  const environment = {
    ...{ clock, random: () => 0.5, log: new MemoryLog(), version: 'tested' },
    names: createSharedLookup(),
    newId: () => `id${++ids}`,
  };
  const start = (store: StateStore) =>
    startEdgelessApp(settingsOf({ simulationServers: ['a:2000'] }), environment, {
      createProbe: () => probe,
      createStore: () => store,
    });
  const stop = async ({ app }: Awaited<ReturnType<typeof start>>) => {
    const stopped = app.stop();
    await clock.advance(2);
    await stopped;
  };

  const store = new MemoryStore();
  const before = await start(store);
  assert.equal((await before.edge.operatorActions.addServer('b:2000', 'ada')).kind, 'done');
  probe.behaviours.set('b:2000', 'refuses');
  await clock.advance(60);
  await stop(before);
  const saved = new Map(store.documents);
  assert.ok(saved.has('added-servers') && saved.has('notifications'), 'it was not saved');

  const starting = start({
    async read(name) {
      await clock.sleep(4);
      return store.read(name);
    },
    write: (name, value) => store.write(name, value),
    setAside: (name) => store.setAside(name),
  });
  await clock.advance(3);
  const without = await starting;
  assert.equal((await without.edge.operatorActions.drain('a:2000', { by: 'ada' })).kind, 'done');
  await clock.advance(60);
  assert.equal(without.edge.poller.size, 1);
  await stop(without);
  assert.deepEqual(store.documents, saved);

  const after = await start(store);
  assert.equal(after.edge.poller.size, 2);
  await stop(after);
});
