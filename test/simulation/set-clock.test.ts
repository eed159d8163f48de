/** The machine's clock is set, or it was wrong at the start and is corrected. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSharedLookup } from '../../src/probes/shared-lookup.ts';
import { startEdgelessApp } from '../support/edgeless-app.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeProbe } from '../support/fake-probe.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { settingsOf } from '../support/settings.ts';

test('after the clock was set by an hour the page says the same of how long states and incidents have lasted', async () => {
  const clock = new FakeClock();
  const probe = new FakeProbe(clock);
  const surroundings = {
    ...{ clock, random: () => 0.5, log: new MemoryLog(), version: 'tested' },
    names: createSharedLookup(),
    newId: () => 'id',
  };
  const { app, edge } = await startEdgelessApp(settingsOf({ simulationServers: ['a:2000'] }), surroundings, {
    createProbe: () => probe,
    createStore: () => new MemoryStore(),
  });
  await clock.advance(10);
  probe.behaviours.set('a:2000', 'refuses');
  await clock.advance(60);
  const lasting = () => {
    const { at, servers, incidents } = edge.monitorViews.snapshot();
    return [...servers.map(({ since }) => at - since), ...incidents.map(({ began }) => at - began)].map(Math.round);
  };
  const before = lasting();
  assert.equal(before.length, 2, 'a server, and an incident of it');
  for (const hours of [1, -1]) {
    clock.jumpWallTime(hours * 3600);
    assert.deepEqual(lasting(), before, `${hours} hours`);
  }

  const stopped = app.stop();
  await clock.advance(2);
  await stopped;
});
