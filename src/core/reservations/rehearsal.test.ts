import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Slot } from './capacity.ts';
import { rehearse, type RehearsalFleet } from './rehearsal.ts';

const START = 100_000;
const slot = (seats: number): Slot => ({ id: 'new', title: '', seats, start: START, end: START + 5400, opens: 600 });
/** 80 of 100 points of each server may be reserved. A seat costs 8 at most, and 5 at least; one is left out for each server. */
const fleet = (servers: number): RehearsalFleet => ({
  eligible: () => Array.from({ length: servers }, (_, index) => `s${index}`),
  pointsOf: () => 100,
  costOf: () => 8,
  costRange: () => ({ low: 5, high: 8, isLearned: true }),
});

test('the answer is a range of seats, and is certain only where the whole range agrees', () => {
  assert.deepEqual(rehearse(slot(18), [], fleet(2), 0), {
    seats: { from: 18, to: 30 },
    answer: 'yes',
    changes: [],
    isGuess: false,
  });
  assert.equal(rehearse(slot(25), [], fleet(2), 0).answer, 'perhaps');
  assert.equal(rehearse(slot(31), [], fleet(2), 0).answer, 'no');
});

test('changes that bring enough come first, and each says how many seats there would be', () => {
  const other: Slot = { ...slot(8), id: 'other', end: START + 3600 };
  const { changes, answer } = rehearse(slot(15), [other], fleet(2), 0);
  assert.equal(answer, 'perhaps');
  assert.deepEqual(
    changes.map(({ kind, seats }) => [kind, seats]),
    [
      ['other-time', 15],
      ['two-groups', 15],
      ['one-more-server', 19],
    ],
  );
  const hopeless = rehearse(slot(90), [], fleet(2), 0);
  assert.deepEqual(hopeless.changes, [{ kind: 'one-more-server', like: 's0', seats: 27 }]);
});

test('a project that hardly ran here is called a guess, and a fleet that may not run it has no seats', () => {
  const guess: RehearsalFleet = { ...fleet(2), costRange: () => ({ low: 4, high: 12, isLearned: false }) };
  assert.equal(rehearse(slot(5), [], guess, 0).isGuess, true);
  const none = rehearse(slot(5), [], { ...fleet(2), eligible: () => [] }, 0);
  assert.deepEqual([none.seats, none.answer, none.changes], [{ from: 0, to: 0 }, 'no', []]);
});
