/** A disk that answers at the start, one document after the other, long after everybody was asked for the first time. */
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

test('an incident lasts that is read before the server that was added, of which it is', async () => {
  const clock = new FakeClock();
  const probe = new FakeProbe(clock);
  const settings = settingsOf({ simulationServers: ['a:2000'] });
  let ids = 0;
  const surroundings = {
    ...{ clock, random: () => 0.5, log: new MemoryLog(), version: 'tested' },
    names: createSharedLookup(),
    newId: () => `id${++ids}`,
  };
  const start = (store: StateStore) =>
    startEdgelessApp(settings, surroundings, { createProbe: () => probe, createStore: () => store });

  const store = new MemoryStore();
  const before = await start(store);
  assert.equal((await before.edge.levers.addServer('b:2000', 'ada')).kind, 'done');
  probe.behaviours.set('b:2000', 'refuses');
  await clock.advance(60);
  const lasting = ({ edge }: typeof before) =>
    edge.notifying.incidents(10).filter(({ serverId, ended }) => serverId === 'b:2000' && ended === null).length;
  assert.equal(lasting(before), 1);
  const stopped = before.app.stop();
  await clock.advance(2);
  await stopped;

  // Everybody was asked once only after the incident was read.
  probe.behaviours.set('a:2000', 'hangs');
  const starting = start({
    async read(name) {
      await clock.sleep(name === 'notifications' ? 4 : 16);
      return store.read(name);
    },
    write: (name, value) => store.write(name, value),
    setAside: (name) => store.setAside(name),
  });
  await clock.advance(3);
  const after = await starting;
  await clock.advance(12);
  assert.equal(lasting(after), 1, 'while it is not known that the server is there');
  await clock.advance(60);
  assert.equal(after.edge.poller.size, 2);
  assert.equal(lasting(after), 1);
  probe.behaviours.set('b:2000', 20);
  await clock.advance(60);
  assert.equal(lasting(after), 0);

  const stoppedAgain = after.app.stop();
  await clock.advance(2);
  await stoppedAgain;
});
