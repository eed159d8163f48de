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
  besideReserved: false,
  ofClass: false,
};

test('the reason of an allocation compares the server only with those it was chosen from', () => {
  const figures = ': load 20%, with this session 28%.';
  const cases: readonly (readonly [Partial<Allocation>, string])[] = [
    [{}, 'a/2000 had the most room'],
    [{ admittance: undefined }, 'a/2000 had the most room'],
    [{ admittance: 'dedicated' }, 'a/2000 had the most room of the servers dedicated to this repository'],
    [
      { laterTier: true },
      'a/2000 had the most room of the servers open to all projects; none of those dedicated to this repository had room',
    ],
    [
      { admittance: 'shared', laterTier: true },
      'a/2000 had the most room of the servers that share idle time; no other server had room',
    ],
    [{ lastResort: true }, 'a/2000 is suspected of failing and was taken because no other server had room'],
    [{ besideReserved: true }, 'a/2000 had the most room, apart from servers reserved for clients already waiting'],
  ];
  for (const [changes, reason] of cases) assert.equal(allocationReason({ ...open, ...changes }), reason + figures);
  const seat = ' It has a seat that is reserved for a class.';
  assert.equal(allocationReason({ ...open, ofClass: true }), `a/2000 had the most room${figures}${seat}`);
});
