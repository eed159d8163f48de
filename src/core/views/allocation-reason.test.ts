import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allocationReason, type Allocation } from './allocation-reason.ts';

const open: Allocation = {
  address: 'a/2000',
  load: 20.4,
  predicted: 28.4,
  admittance: 'open',
  laterTier: false,
  lastResort: false,
  besideKept: false,
};

test('the reason of an allocation compares the server only with those it was chosen from', () => {
  const figures = ': load 20 %, with this session 28 %.';
  const cases: readonly (readonly [Partial<Allocation>, string])[] = [
    [{}, 'a/2000 had the most room'],
    [{ admittance: undefined }, 'a/2000 had the most room'],
    [{ admittance: 'dedicated' }, 'a/2000 had the most room of the servers for this repository'],
    [{ laterTier: true }, 'a/2000 had the most room of the servers for everybody, and none of those for this repository had any'],
    [
      { admittance: 'shared', laterTier: true },
      'a/2000 shares its idle time, had the most room of those that do, and no other server had any',
    ],
    [{ lastResort: true }, 'a/2000 is suspected of failing and was taken because no other server had room'],
    [{ besideKept: true }, 'a/2000 had the most room, apart from servers that are kept for those who wait'],
  ];
  for (const [changes, reason] of cases) assert.equal(allocationReason({ ...open, ...changes }), reason + figures);
});
