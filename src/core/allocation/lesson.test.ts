import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { explain, type Expected, type Lesson, type Party, type Seen } from './lesson.ts';

const handOut = (changes: Partial<Expected> = {}): Expected => ({
  ...{ project: undefined, points: 6, cost: 8, shown: 0.75, hidden: 0.25, share: 0.98, chance: 0.95 },
  ...changes,
});

function party(count: number, changes: Partial<Expected> = {}, teaches: Party['teaches'] = (evidence) => evidence > 0): Party {
  return { belief: 0.97, teaches, handOuts: Array.from({ length: count }, () => handOut(changes)) };
}

const rise = (change: number): Seen => ({ change, gone: 0, goneOf: new Map(), noise: 12 });
/** As of costs of which nothing is known. */
const unknownCosts = (of: ReadonlyMap<string | undefined, number>) => [...of.values()].reduce((a, b) => a + b, 0) ** 2;

function arrived({ parties }: Lesson, party = 0): number {
  return parties[party]?.arrived[0] ?? NaN;
}

/** The sum of the steps by which the lesson would move a cost. */
function step({ costs }: Lesson): number {
  return costs.reduce((sum, { weight, surprise, believable }) => sum + weight * surprise * (surprise < 0 ? believable : 1), 0);
}

test('a rise as expected says that they came, no rise that they did not', () => {
  const came = explain([party(4)], rise(24), unknownCosts);
  const silent = explain([party(4)], rise(0), unknownCosts);
  assert.ok(arrived(came) > 0.9 && (came.parties[0]?.evidence ?? 0) > 0);
  assert.ok(arrived(silent) < arrived(came) && (silent.parties[0]?.evidence ?? 0) < 0);
});

test('silence lowers no cost, a rise that is smaller than expected does', () => {
  assert.equal(step(explain([party(4)], rise(0), unknownCosts)), 0);
  assert.ok(step(explain([party(4)], rise(12), unknownCosts)) < 0);
});

test('of two groups, the one whose hand-outs fit the rise has come', () => {
  const lesson = explain([party(2), party(8)], rise(12), () => 4);
  assert.ok(arrived(lesson, 0) > 0.9, `${arrived(lesson, 0)}`);
  assert.ok(arrived(lesson, 1) < 0.3, `${arrived(lesson, 1)}`);
});

test('five groups are weighed, of which the smallest is expected as far as it is likely', () => {
  const lesson = explain([party(5), party(4), party(3), party(2), party(1, { chance: 0.5 })], rise(60), unknownCosts);
  assert.equal(lesson.costs.length, 16);
  assert.equal(lesson.parties[4]?.evidence, 0);
});

test('a load that fell is not evidence against clients that never came', () => {
  const [still, fell] = [0, -20].map((change) => explain([party(4)], rise(change), unknownCosts));
  assert.ok(still && fell && arrived(fell) <= arrived(still) + 1e-9);
});

test('no window is evidence beyond a limit, and no figure leaves its range', () => {
  const parties = fc.array(
    fc.record({
      count: fc.integer({ min: 1, max: 6 }),
      points: fc.double({ min: 0.01, max: 60, noNaN: true }),
      belief: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(parties, fc.double({ min: -100, max: 100, noNaN: true }), (all, change) => {
      const lesson = explain(
        all.map(({ count, points, belief }) => ({ ...party(count, { points }), belief })),
        rise(change),
        unknownCosts,
      );
      for (const { evidence, arrived: chances } of lesson.parties) {
        assert.ok(Math.abs(evidence) <= 2, `evidence ${evidence}`);
        for (const chance of chances) assert.ok(chance >= 0 && chance <= 1, `chance ${chance}`);
      }
      const weights = lesson.costs.reduce((sum, { weight }) => sum + weight, 0);
      assert.ok(Math.abs(weights - 1) < 1e-9, `weights ${weights}`);
    }),
  );
});
