import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdTime, relapsed, type Flapping } from './damping.ts';

const rules = { minHold: 10, maxHold: 900, relapseLifetime: 1800 };

/** When the condition began each time, and how long an end has to last then. */
const cases: readonly (readonly [began: readonly number[], end: number, seconds: number, why: string])[] = [
  [[], 0, 10, 'nothing ever happened'],
  [[0], 5, 10, 'the first time is not a relapse'],
  [[0, 60], 65, 30, 'one relapse'],
  [[0, 60, 120], 125, 90, 'two'],
  [[0, 60, 120, 180, 240, 300, 360], 365, 900, 'never longer than the maximum'],
  [[0, 60], 60 + 1799, 30, 'a relapse is remembered'],
  [[0, 60], 60 + 1800, 10, 'and forgotten after its lifetime'],
  [[0, 60, 120], 120 + 1800, 30, 'one at a time'],
  [[0, 60, 120], 120 + 3 * 1800, 10, 'until none is left'],
  [Array.from({ length: 100 }, (_, index) => index), 100 + 8 * 1800, 10, 'a hundred relapses are forgotten as soon as a few'],
];

test('the end of an incident has to last longer after each relapse, and shorter again after calm', () => {
  for (const [began, end, seconds, why] of cases) {
    let flapping: Flapping | undefined;
    for (const at of began) flapping = relapsed(flapping, at, rules);
    assert.equal(holdTime(flapping, end, rules), seconds, why);
  }
});
