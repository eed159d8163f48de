import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DemoFleet } from '../../../test/support/monitor-source.ts';
import { applied, difference } from './monitor-delta.ts';
import type { MonitorSnapshot } from './monitor-view.ts';

const action = fc.oneof(
  fc.record({ kind: fc.constant('advance' as const), seconds: fc.integer({ min: 0, max: 30 }) }),
  fc.record({ kind: fc.constant('drain' as const), which: fc.nat(9) }),
  fc.record({ kind: fc.constant('resume' as const), which: fc.nat(9) }),
  fc.record({ kind: fc.constant('remove' as const), which: fc.nat(9) }),
  fc.record({
    kind: fc.constant('add' as const),
    address: fc.constantFrom('new:1', '__proto__', 'constructor', 'sim01.example.org/2000'),
  }),
  fc.record({ kind: fc.constant('label' as const), which: fc.nat(9), label: fc.string() }),
  fc.record({ kind: fc.constant('incident' as const), which: fc.nat(9) }),
);

function act(fleet: DemoFleet, step: typeof action extends fc.Arbitrary<infer T> ? T : never): void {
  const id = 'which' in step ? fleet.ids[step.which] : undefined;
  switch (step.kind) {
    case 'advance':
      fleet.advance(step.seconds);
      return;
    case 'add':
      if (!fleet.ids.includes(step.address.replace('/', ':'))) fleet.add(step.address);
      return;
    case 'drain':
      if (id !== undefined) fleet.drain(id, { since: fleet.now, by: 'ada', reason: 'disk', until: null });
      return;
    case 'resume':
      if (id !== undefined) fleet.resume(id);
      return;
    case 'remove':
      if (id !== undefined) fleet.remove(id);
      return;
    case 'label':
      if (id !== undefined) fleet.set(id, { labels: { room: step.label } });
      return;
    case 'incident':
      if (id !== undefined) fleet.incident({ kind: 'down', serverId: id, server: id });
  }
}

test('a viewer that has the old snapshot and every delta has the new snapshot', () => {
  fc.assert(
    fc.property(fc.array(fc.array(action, { maxLength: 5 }), { maxLength: 10 }), (ticks) => {
      const fleet = new DemoFleet({ servers: 6 });
      let before = fleet.snapshot();
      let viewer = json(before);
      for (const steps of ticks) {
        for (const step of steps) act(fleet, step);
        const after = fleet.snapshot();
        const delta = difference(before, after);
        if (delta !== undefined) viewer = applied(viewer, json(delta));
        else viewer = { ...viewer, at: after.at };
        assert.deepEqual(viewer, json(after));
        before = after;
      }
    }),
  );
});

test('only what changed is sent', () => {
  const fleet = new DemoFleet({ servers: 3 });
  const before = fleet.snapshot();
  const [first, second] = fleet.ids;
  assert.ok(first !== undefined && second !== undefined);
  fleet.now += 1;
  assert.equal(difference(before, fleet.snapshot()), undefined);
  fleet.set(second, { load: 77.7 });
  assert.deepEqual({ ...difference(before, fleet.snapshot())?.servers }, { [second]: { load: 77.7 } });
  assert.equal(difference(before, fleet.snapshot())?.order, undefined);
});

test('an incident that ends replaces the one that lasted, in its place', () => {
  const fleet = new DemoFleet({ servers: 1 });
  const [id = ''] = fleet.ids;
  const incident = fleet.incident({ kind: 'down', serverId: id, server: id });
  fleet.incident({ kind: 'full', serverId: id, server: id });
  const before = fleet.snapshot();
  const after: MonitorSnapshot = {
    ...before,
    incidents: before.incidents.map((entry) => (entry.id === incident.id ? { ...entry, ended: 5 } : entry)),
  };
  const delta = difference(before, after);
  assert.equal(delta?.incidents?.length, 1);
  assert.deepEqual(applied(before, delta), after);
});

test('an unchanged part keeps its identity, so that it is not drawn again', () => {
  const fleet = new DemoFleet({ servers: 3 });
  const before = fleet.snapshot();
  const [first = ''] = fleet.ids;
  fleet.set(first, { load: 50.5 });
  const after = applied(before, difference(before, fleet.snapshot()) ?? { at: 0 });
  assert.notEqual(after.servers[0], before.servers[0]);
  assert.equal(after.servers[1], before.servers[1]);
  assert.equal(after.decisions, before.decisions);
});

function json<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
