import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fieldsOf, mondayOf, toDate, weeksFrom } from './local-time.ts';

const zone = process.env['TZ'];
before(() => {
  process.env['TZ'] = 'Europe/Berlin';
});
after(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

test('a time that the clocks skip does not exist, and one that they repeat is the first of both', () => {
  assert.equal(toDate('2027-03-28', '02:30'), undefined);
  assert.equal(toDate('2027-03-28', '03:00')?.toISOString(), '2027-03-28T01:00:00.000Z');
  assert.equal(toDate('2026-10-25', '02:30')?.toISOString(), '2026-10-25T00:30:00.000Z');
});

test('fields of a form are read back as they were written', () => {
  const date = new Date('2026-09-15T06:00:00Z');
  const { day, time } = fieldsOf(date);
  assert.deepEqual([day, time], ['2026-09-15', '08:00']);
  assert.deepEqual(toDate(day, time), date);
  assert.equal(toDate('', '08:00'), undefined);
  assert.equal(toDate('2026-02-30', '08:00'), undefined);
});

test('weeks begin on Monday, also when the clocks change in them', () => {
  const monday = new Date('2026-10-19T00:00:00+02:00');
  for (const time of ['2026-10-19T00:00:00+02:00', '2026-10-25T23:59:00+01:00'])
    assert.deepEqual(mondayOf(new Date(time)), monday);
  assert.deepEqual(weeksFrom(monday, 1), new Date('2026-10-26T00:00:00+01:00'));
  assert.deepEqual(weeksFrom(weeksFrom(monday, 1), -1), monday);
});
