import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkCapacity, type Fleet, type Slot } from './capacity.ts';

const HOUR = 3600;
const slot = (seats: number, start: number, hours = 1, title = 'class'): Slot => ({
  ...{ id: `${title} ${start}`, title, seats, start, opens: 600 },
  end: start + hours * HOUR,
});
/** Each server has 100 points, 80 of them to be reserved; a seat costs 8, and one is left out for each server: 9 seats. */
const fleet = (servers: number): Fleet => ({
  eligible: () => Array.from({ length: servers }, (_, i) => `s${i}`),
  pointsOf: () => 100,
  costOf: () => 8,
});

test('as many seats fit as the fleet has left when the others have theirs', () => {
  assert.deepEqual(checkCapacity(slot(18, 100_000), [], fleet(2), 0), { kind: 'fits', free: 18 });
  const other = slot(8, 100_000, 2, 'Vision lab');
  assert.deepEqual(checkCapacity(slot(10, 100_000), [other], fleet(2), 0), { kind: 'fits', free: 10 });
});

test('a refusal says how many seats are free, who has the others, and when there would be enough', () => {
  const other = slot(8, 100_000, 2, 'Vision lab');
  const refused = checkCapacity(slot(11, 100_000), [other], fleet(2), 0);
  assert.ok(refused.kind === 'over-capacity');
  assert.deepEqual([refused.at, refused.free, refused.all], [99_400, 10, 18]);
  assert.deepEqual(refused.others, [{ title: 'Vision lab', seats: 8, end: 100_000 + 2 * HOUR }]);
  assert.equal(refused.alternatives[0], 100_000 - 1.5 * HOUR);
  assert.equal(refused.alternatives.length, 3);
});

test('no proposal is in the past, and nothing is proposed when the fleet is too small', () => {
  const other = slot(8, 100_000, 2);
  const refused = checkCapacity(slot(11, 100_000), [other], fleet(2), 99_000);
  assert.ok(refused.kind === 'over-capacity' && refused.alternatives.every((start) => start - 600 >= 99_000));
  const hopeless = checkCapacity(slot(19, 100_000), [], fleet(2), 0);
  assert.ok(hopeless.kind === 'over-capacity' && hopeless.alternatives.length === 0);
});

test('the moment that fails may come long after the start', () => {
  const refused = checkCapacity(slot(18, 100_000, 3), [slot(1, 100_000 + 2 * HOUR)], fleet(2), 0);
  assert.ok(refused.kind === 'over-capacity');
  assert.equal(refused.at, 100_000 + 2 * HOUR - 600);
});

test('whatever is accepted, at no moment are more seats promised than the fleet has', () => {
  const asked = fc.record({ seats: fc.integer({ min: 1, max: 20 }), start: fc.integer({ min: 10, max: 40 }) });
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 20 }), (wishes) => {
      const made: Slot[] = [];
      for (const { seats, start } of wishes) {
        const one = slot(seats, start * HOUR, 2, `${made.length}`);
        if (checkCapacity(one, made, fleet(3), 0).kind === 'fits') made.push(one);
      }
      for (const { start } of made) {
        const on = made.filter((one) => one.start - one.opens <= start && start < one.end);
        assert.ok(on.reduce((sum, { seats }) => sum + seats, 0) <= 27);
      }
    }),
  );
});
