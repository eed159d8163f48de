import assert from 'node:assert/strict';
import { test } from 'node:test';
import { english } from '../../core/languages/classes/en.ts';
import { firstFields, movedTo, wishOf } from './wish.ts';

const NOW = new Date('2026-09-14T10:20:00').getTime();

test('the form begins with the next full hour and a lesson of 90 minutes', () => {
  const { day, from, to } = firstFields(NOW);
  assert.deepEqual([day, from, to], ['2026-09-14', '11:00', '12:30']);
});

test('the fields mean a reservation, and empty ones are left out', () => {
  const fields = { ...firstFields(NOW), title: ' Robots ', seats: '24', code: 'robo-101' };
  assert.deepEqual(wishOf(fields, english), {
    ...{ title: 'Robots', match: 'code', seats: 24, opens: 10, grace: 10, minutes: 90, code: 'robo-101' },
    start: new Date('2026-09-14T11:00:00').toISOString(),
  });
});

test('a class that ends before it begins is explained, and a form that is not complete asks nothing', () => {
  const fields = firstFields(NOW);
  assert.equal(wishOf({ ...fields, to: '10:00' }, english), english.endFirst);
  assert.equal(wishOf({ ...fields, day: '' }, english), undefined);
  assert.equal(wishOf({ ...fields, seats: '' }, english), undefined);
});

test('another time that is proposed has the same length', () => {
  const moved = movedTo(firstFields(NOW), new Date('2026-09-15T08:00:00').toISOString());
  assert.deepEqual([moved.day, moved.from, moved.to], ['2026-09-15', '08:00', '09:30']);
});
