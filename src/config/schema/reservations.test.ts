import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkReservations } from './reservations.ts';

test('announced ends without the relay cause a warning, and nothing else does', () => {
  const keys = [true, false].flatMap((announcedEnds) =>
    [true, false].map((relay) =>
      checkReservations({ reservations: { announcedEnds }, waiting: { relay } }).map(({ key }) => key),
    ),
  );
  assert.deepEqual(keys, [[], ['reservations.announcedEnds'], [], []]);
  assert.deepEqual(checkReservations({}), []);
});
