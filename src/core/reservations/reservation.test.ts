import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { statusOf, type Reservation } from './reservation.ts';
import { normalizedCode, withoutCode } from './code.ts';

const class30: Reservation = {
  ...{ id: 'r', title: 'Robots', code: 'ROBO101', match: 'code', seats: 30, start: 10_000, end: 15_000 },
  ...{ opens: 600, grace: 600, owner: 'ada', revision: 0, released: false },
};
const status = (now: number, taken: number, came = taken, changed: Partial<Reservation> = {}) =>
  statusOf({ ...class30, ...changed }, { taken, came }, now, 3600);

test('it goes from planned to over by the time alone when every member comes', () => {
  const states = [5000, 6000, 9500, 10_100, 12_000, 15_000].map((now) => status(now, 30).state);
  assert.deepEqual(states, ['planned', 'gathering', 'open', 'running', 'running', 'over']);
});

test('free seats are held until the grace ends, and then go back in as long again', () => {
  assert.deepEqual(
    [9000, 10_600, 10_900, 11_199, 11_200].map((now) => status(now, 15).outstanding),
    [15, 15, 7, 0, 0],
  );
  assert.deepEqual([status(10_900, 15).state, status(11_200, 15).state], ['easing', 'released']);
});

test('when no member came at all, all seats go back at the end of the grace', () => {
  assert.equal(status(10_600, 0).outstanding, 30);
  assert.deepEqual([status(10_601, 0).outstanding, status(10_601, 0).state], [0, 'released']);
});

test('when all left again, the seats still ease', () => {
  assert.equal(status(10_900, 0, 3).outstanding, 15);
});

test('released by its teacher, it holds nothing', () => {
  assert.deepEqual(status(9500, 10, 10, { released: true }), { taken: 10, came: 10, outstanding: 0, state: 'released' });
});

test('at twice the grace after the start, at the latest, nothing is held, and never more than its seats', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 20_000 }), fc.nat(40), fc.nat(3000), (now, taken, grace) => {
      const { outstanding } = status(now, taken, taken, { grace });
      assert.ok(outstanding >= 0 && outstanding <= 30);
      if (now > class30.start + 2 * grace) assert.equal(outstanding, 0);
    }),
  );
});

test('a code is the same in any case, with hyphens or without', () => {
  assert.equal(normalizedCode('robo-101'), 'ROBO101');
  assert.equal(normalizedCode('ab-1'), undefined);
  assert.equal(normalizedCode('ROBO 101'), undefined);
});

test('a code in the path is taken off it, whatever it looks like', () => {
  assert.deepEqual(withoutCode('/c/robo-101/session'), { path: '/session', code: 'robo-101' });
  assert.deepEqual(withoutCode('/c/%20x/session'), { path: '/session', code: '%20x' });
  assert.deepEqual(withoutCode(`/c/${'x'.repeat(101)}/session`), { path: '/session', code: `${'x'.repeat(100)}…` });
  assert.equal(normalizedCode(withoutCode(`/c/ROBO${'-'.repeat(100)}/session`).code ?? ''), undefined, 'it is not a code');
  for (const path of ['/session', '/c/', '/c/robo', '/cc/robo/session']) assert.deepEqual(withoutCode(path), { path });
});
