/** How old the address of a simulation server may become. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSharedLookup } from '../../src/probes/shared-lookup.ts';
import { startEdgelessApp } from '../support/edgeless-app.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeProbe } from '../support/fake-probe.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { settingsOf } from '../support/settings.ts';

test('names are resolved again twice a minute, and at once by a reload that changes nothing', async () => {
  const clock = new FakeClock();
  const probe = new FakeProbe(clock);
  const settings = settingsOf({ simulationServers: ['sim.example:2000'], pollInterval: 6 });
  const { app } = await startEdgelessApp(
    settings,
    {
      ...{ clock, random: seededRandom(1), log: new MemoryLog(), version: 'tested' },
      ...{ names: createSharedLookup(), newId: () => 'id' },
    },
    { createProbe: () => probe, createStore: () => new MemoryStore() },
  );
  await clock.advance(95);
  assert.equal(probe.namesChecked.length, 3);
  await app.reload(settings);
  await clock.advance(0);
  assert.equal(probe.namesChecked.length, 4);
  const stopped = app.stop();
  await clock.advance(2);
  await stopped;
});
