import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { overQuota, type Quota } from './quota.ts';

const quota: Quota = { seats: 40, seatHoursPerWeek: 120, daysAhead: 180 };
/** A Monday, 08:00 UTC. */
const MONDAY = Date.UTC(2026, 8, 14, 8) / 1000;
const HOUR = 3600;
const DAY = 86_400;
const lesson = (start: number, seats = 30, hours = 1.5) => ({ seats, start, end: start + hours * HOUR, opens: 600 });

test('a teacher may reserve up to the seats, the seat hours of a week and the days of the quota', () => {
  assert.equal(overQuota(lesson(MONDAY, 40), [], quota, MONDAY - 180 * DAY), undefined);
  assert.deepEqual(overQuota(lesson(MONDAY, 41), [], quota, MONDAY), { kind: 'quota', what: 'seats', max: 40, wanted: 41 });
  assert.deepEqual(overQuota(lesson(MONDAY), [], quota, MONDAY - 181 * DAY), {
    ...{ kind: 'quota', what: 'days-ahead', max: 180, wanted: 181 },
  });
  const own = [lesson(MONDAY + DAY), lesson(MONDAY + 2 * DAY)];
  assert.deepEqual(overQuota(lesson(MONDAY), own, quota, MONDAY), { kind: 'quota', what: 'seat-hours', max: 120, wanted: 135 });
  assert.equal(overQuota(lesson(MONDAY - DAY), own, quota, MONDAY), undefined, 'Sunday belongs to the week before');
});

test('seats that are held long before a short lesson count like seats of a long one', () => {
  const early = (start: number) => ({ ...lesson(start, 40, 5 / 60), opens: 7200 });
  const own = [early(MONDAY + DAY)];
  assert.equal(overQuota(early(MONDAY), own, { ...quota, seatHoursPerWeek: 154 }, MONDAY), undefined);
  assert.deepEqual(overQuota(early(MONDAY), own, { ...quota, seatHoursPerWeek: 153 }, MONDAY)?.wanted, 154);
});

test('reservations of one teacher count together while their doors are open', () => {
  const later = lesson(MONDAY + 1.5 * HOUR, 20);
  assert.equal(overQuota(later, [lesson(MONDAY, 30)], quota, MONDAY)?.what, 'seats', 'its doors open before the first one ends');
  assert.equal(overQuota({ ...later, opens: 0 }, [lesson(MONDAY, 30)], quota, MONDAY), undefined);
});

test('whatever is accepted in a row, a teacher never has more seats at once than the quota allows', () => {
  const wish = fc.record({ start: fc.integer({ min: 0, max: 20 * HOUR }), seats: fc.integer({ min: 1, max: 40 }) });
  fc.assert(
    fc.property(fc.array(wish, { maxLength: 20 }), (wishes) => {
      const own: ReturnType<typeof lesson>[] = [];
      for (const { start, seats } of wishes) {
        const one = lesson(MONDAY + start, seats);
        if (overQuota(one, own, { ...quota, seatHoursPerWeek: 1e6 }, MONDAY) === undefined) own.push(one);
      }
      for (const { start } of own) {
        const on = own.filter((use) => use.start - use.opens <= start && start < use.end);
        assert.ok(on.reduce((sum, { seats }) => sum + seats, 0) <= quota.seats);
      }
    }),
  );
});
