/** Metrics of what takes minutes to come about: learned costs, suspicions, waits. That they can be scraped is tried in `test/integration/metrics.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addGauges, createMetrics } from '../../src/http/metrics.ts';
import { createSharedLookup } from '../../src/probes/shared-lookup.ts';
import { startEdgelessApp } from '../support/edgeless-app.ts';
import { readExposition } from '../support/exposition.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeProbe } from '../support/fake-probe.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { settingsOf } from '../support/settings.ts';

const [HOLE, HEAVY] = ['hole:2000', 'heavy:2000'];
const SERVERS = [HOLE, HEAVY, 'c:2000', 'd:2000'];

test('metrics show learned costs, suspected servers, and how long the first client in line has waited', async () => {
  const clock = new FakeClock();
  const probe = new FakeProbe(clock);
  for (const id of SERVERS) probe.behaviours.set(id, 40);
  let ids = 0;
  const surroundings = {
    ...{ clock, random: () => 0.5, log: new MemoryLog(), version: 'tested' },
    names: createSharedLookup(),
    newId: () => `id-${(ids += 1)}`,
  };
  const { app, edge } = await startEdgelessApp(settingsOf({ simulationServers: SERVERS }), surroundings, {
    createProbe: () => probe,
    createStore: () => new MemoryStore(),
  });
  const { ledger, queue, prospects, line } = edge;
  const { registry } = createMetrics();
  addGauges(registry, {
    ...edge,
    availability: prospects.availability,
    waiting: () => queue.length,
    notifying: () => ({ notifiers: [], made: {}, saveFailures: 0 }),
    longestWait: () => line.longestWait(clock.now()),
    meanLoad: () => undefined,
    connections: () => 0,
    sockets: () => 0,
    limits: () => ({ clients: 10, descriptors: undefined, metricsServers: 10 }),
  });
  const value = async (name: string, server?: string) =>
    readExposition(await registry.metrics())
      .get(`session_server_${name}`)
      ?.samples.find(({ labels }) => labels['server'] === server)?.value;
  const told = async () => ({
    cost: await value('cost_percent'),
    costThere: await value('server_cost_percent', HEAVY),
    suspected: await value('suspected_servers'),
    longestWait: await value('longest_wait_seconds'),
  });
  await clock.advance(2);
  assert.deepEqual(await told(), { cost: 8, costThere: 8, suspected: 0, longestWait: 0 });

  // Two sessions that bring twenty points each, where eight are expected.
  for (const id of ['first', 'second']) ledger.book({ id }, { tiers: [[HEAVY]] }, clock.now());
  await clock.advance(20);
  probe.behaviours.set(HEAVY, 80);
  await clock.advance(100);
  const { cost, costThere } = await told();
  assert.equal(cost, ledger.fleetCost().value);
  assert.equal(costThere, ledger.account(HEAVY)?.cost.value);
  assert.ok(cost > 9 && costThere !== undefined && costThere > cost, `${cost} on the fleet, ${costThere} on the server`);

  probe.behaviours.set(HOLE, 2);
  for (let i = 0; i < 30 && ledger.suspects().length === 0; i += 1) {
    ledger.book({ id: `lost ${i}` }, { tiers: [[HOLE]] }, clock.now());
    await clock.advance(10);
  }
  assert.equal((await told()).suspected, 1);

  for (const id of SERVERS) probe.behaviours.set(id, 97);
  await clock.advance(10);
  const { signal: gone } = new AbortController();
  const waiter = { gone, keepPlace: false, changed: () => undefined, settled: () => undefined };
  await queue.wait({ address: { address: '192.0.2.1', limitKey: undefined } }, waiter);
  await clock.advance(42);
  assert.equal((await told()).longestWait, 42);

  const stopped = app.stop();
  await clock.advance(2);
  await stopped;
});
