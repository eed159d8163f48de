import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isShort, isUnused, type ClassFacts } from './class-notices.ts';

const facts = (changed: Partial<ClassFacts['reservation']> & { came?: number; predicted?: number } = {}): ClassFacts => {
  const { came = 0, predicted, ...reservation } = changed;
  return {
    reservation: { id: 'r', series: 's', start: 10_000, end: 13_600, seats: 30, ...reservation },
    status: { came, outstanding: 30 },
    predicted,
  };
};

test('a class is short from two hours before its start until its end, if fewer seats will be free than are held', () => {
  const short = facts({ predicted: 29 });
  assert.deepEqual(
    [2799, 2800, 13_599, 13_600].map((now) => isShort(short, now)),
    [false, true, true, false],
  );
  assert.equal(isShort(facts({ predicted: 30 }), 9000), false);
  assert.equal(isShort(facts(), 9000), false);
});

test('a class is unused when it and the lesson before it ended without a student', () => {
  const before = facts({ id: 'q', start: 1000, end: 4600 });
  const later = facts({ id: 's', start: 20_000, end: 23_600 });
  const one = facts();
  assert.deepEqual(
    [13_599, 13_600, 13_900].map((now) => isUnused(one, [before, one, later], now)),
    [false, true, false],
  );
  assert.equal(isUnused(one, [facts({ id: 'q', start: 1000, end: 4600, came: 3 }), one], 13_600), false);
  assert.equal(isUnused(facts({ came: 1 }), [before], 13_600), false);
  assert.equal(isUnused(one, [one], 13_600), false, 'the first lesson');
});
