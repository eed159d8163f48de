import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importEvents } from './calendar-import.ts';

test('other requests get their turn after each event, however many there are', async () => {
  let turns = 0;
  const unused = () => assert.fail('nothing is reserved');
  const event = { kind: 'refused', uid: 'u', title: 'Robots', rule: 'event-unreadable', reason: 'It has no time.' } as const;
  const imported = await importEvents(
    [event, event, event],
    { name: 'noether' },
    {
      ...{ reservations: { make: unused, views: unused }, otherHosts: [], now: 0, apply: true },
      giveWay: () => Promise.resolve((turns += 1)),
    },
  );
  assert.deepEqual([turns, imported.length], [3, 3]);
});
