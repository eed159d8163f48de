import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_LESSONS, weeklyStarts, type Weekly } from './weekly.ts';

const at = (text: string) => Date.parse(text) / 1000;

function starts(first: string, weekly: Partial<Weekly> & Pick<Weekly, 'until'>): readonly string[] | string {
  const found = weeklyStarts(at(first), { zone: 'Europe/Berlin', except: [], ...weekly });
  if (found.kind === 'no-such-time') return found.day;
  return found.kind === 'starts' ? found.starts.map((start) => new Date(start * 1000).toISOString()) : found.kind;
}

test('a lesson at eight stays at eight when summer begins and ends', () => {
  assert.deepEqual(starts('2027-03-23T08:00:00+01:00', { until: '2027-03-30' }), [
    ...['2027-03-23T07:00:00.000Z', '2027-03-30T06:00:00.000Z'],
  ]);
  assert.deepEqual(starts('2026-10-20T08:00:00+02:00', { until: '2026-10-27' }), [
    ...['2026-10-20T06:00:00.000Z', '2026-10-27T07:00:00.000Z'],
  ]);
});

test('days without a lesson are left out, the first and the last one too', () => {
  const weekly = { until: '2026-09-29', except: ['2026-09-15', '2026-09-29'] };
  assert.deepEqual(starts('2026-09-15T08:00:00+02:00', weekly), ['2026-09-22T06:00:00.000Z']);
  assert.equal(starts('2026-09-15T08:00:00+02:00', { until: '2026-09-15', except: ['2026-09-15'] }), 'none');
  assert.equal(starts('2026-09-15T08:00:00+02:00', { until: '2026-09-14' }), 'none');
});

test('a time that the clocks skip is refused with its day, and one that they repeat is the first of both', () => {
  assert.equal(starts('2027-03-21T02:30:00+01:00', { until: '2027-04-30' }), '2027-03-28');
  assert.deepEqual(starts('2027-03-21T02:30:00+01:00', { until: '2027-03-28', except: ['2027-03-28'] }), [
    '2027-03-21T01:30:00.000Z',
  ]);
  assert.deepEqual(starts('2026-10-18T02:30:00+02:00', { until: '2026-10-25' }), [
    ...['2026-10-18T00:30:00.000Z', '2026-10-25T00:30:00.000Z'],
  ]);
  assert.equal(starts('2026-09-27T02:15:00+10:30', { zone: 'Australia/Lord_Howe', until: '2026-10-31' }), '2026-10-04');
});

test('a zone that does not exist and a series without an end are refused', () => {
  assert.equal(starts('2026-09-15T08:00:00Z', { zone: 'Mars/Base', until: '2026-10-01' }), 'unknown-zone');
  assert.equal(starts('2026-09-15T08:00:00Z', { until: '2999-01-01' }), 'too-many-lessons');
});

test('in every zone the clocks show the same time at each lesson, a week apart', () => {
  const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Africa/Casablanca'];
  const first = fc
    .integer({ min: at('2026-01-01T00:00:00Z') / 60, max: at('2028-03-01T00:00:00Z') / 60 })
    .map((minutes) => minutes * 60);
  fc.assert(
    fc.property(first, fc.constantFrom(...zones), fc.integer({ min: 1, max: MAX_LESSONS }), (start, zone, weeks) => {
      const until = new Date((start + weeks * 7 * 86_400) * 1000).toISOString().slice(0, 10);
      const found = weeklyStarts(start, { zone, until, except: [] });
      if (found.kind !== 'starts') return;
      const clock = new Intl.DateTimeFormat('en-GB', { timeZone: zone, weekday: 'short', hour: '2-digit', minute: '2-digit' });
      assert.equal(new Set(found.starts.map((one) => clock.format(one * 1000))).size, 1);
      for (const [index, one] of found.starts.slice(1).entries()) {
        const apart = one - (found.starts[index] ?? 0) - 7 * 86_400;
        assert.ok(Math.abs(apart) <= 2 * 3600);
      }
    }),
  );
});
