import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFormat, englishOf, staleInWords } from './format.ts';

const english = createFormat({ locale: 'en-US', timeZone: 'UTC' });
const german = createFormat({ ...englishOf(['de-DE', 'de', 'en-US']), timeZone: 'Europe/Berlin' });

/** Intl puts a narrow space before AM and PM, or not, as its data is. */
function plain(text: string): string {
  return text.replaceAll(/\s/g, (space) => (space === '\n' ? space : ' '));
}

function at(time: string): number {
  return Date.parse(time) / 1000;
}

function ticks(from: string, increment: number, count: number, format = english): string[] {
  return format
    .ticks(
      Array.from({ length: count }, (_, index) => at(from) + index * increment),
      increment,
    )
    .map(plain);
}

test('a time of another day is shown with its day, and one of this day without', () => {
  const now = at('2026-11-28T00:30:00Z');
  assert.equal(plain(english.moment(at('2026-11-28T00:10:00Z'), now)), '12:10:00 AM');
  assert.equal(plain(english.moment(at('2026-11-27T23:50:00Z'), now)), 'Nov 27, 11:50 PM');
  assert.equal(plain(english.moment(at('2025-11-28T00:10:00Z'), now)), 'Nov 28, 12:10 AM');
});

test('a day is a day of the viewer', () => {
  assert.equal(german.dayOf(at('2026-11-27T23:30:00Z')), german.dayOf(at('2026-11-28T22:30:00Z')));
  assert.notEqual(german.dayOf(at('2026-11-28T22:30:00Z')), german.dayOf(at('2026-11-28T23:30:00Z')));
});

test('a page that went stale says since when with the day, because it may be looked at days later', () => {
  assert.equal(
    plain(staleInWords(Date.parse('2026-11-27T18:22:46Z'), english)),
    'Connection lost at Nov 27, 06:22:46 PM. Reconnecting…',
  );
});

test('numbers and dates are English, as the words of the page, in the variant of a viewer whose language it is', () => {
  const british = createFormat({ ...englishOf(['en-GB']), timeZone: 'UTC' });
  const start = at('2026-11-22T18:22:24Z');
  assert.deepEqual([german.load(20.5), german.count(12_000), british.load(20.5)], ['20.5%', '12,000', '20.5%']);
  assert.match(plain(british.started(start)), /^Sunday,? 22 November 2026 at 18:22:24$/);
  assert.equal(plain(british.dayAndClock(start)), '22 Nov, 18:22:24');
  assert.deepEqual(englishOf(['en-US@posix']), englishOf([]));
});

test('the start is shown in the clock of the viewer, as all times beside it', () => {
  const start = at('2026-11-22T18:22:24Z');
  assert.equal(plain(english.started(start)), 'Sunday, November 22, 2026 at 06:22:24 PM');
  assert.equal(plain(german.started(start)), 'Sunday, November 22, 2026 at 19:22:24');
});

test('a bucket is shown to the second only when it is shorter than a minute, and with its day unless it is of today', () => {
  const now = at('2026-11-28T12:00:00Z');
  const today = at('2026-11-28T08:10:20Z');
  const earlier = at('2026-11-22T08:00:00Z');
  const said = [english.bucket(today, 10, now), english.bucket(today, 600, now), english.bucket(earlier, 7200, now)];
  assert.deepEqual(said.map(plain), ['08:10:20 AM', '08:10 AM', 'Nov 22, 08:00 AM']);
  assert.equal(plain(english.bucket(at('2026-11-27T23:59:50Z'), 10, now)), 'Nov 27, 11:59:50 PM');
});

test('the ticks of an axis keep their minutes and have the day below the first and where a day begins', () => {
  assert.deepEqual(ticks('2026-11-27T20:00:00Z', 3 * 3600, 3, german), ['21:00\nNov 27', '00:00\nNov 28', '03:00']);
  assert.deepEqual(ticks('2026-11-27T21:00:00Z', 3 * 3600, 3), ['09:00 PM\nNov 27', '12:00 AM\nNov 28', '03:00 AM']);
});

test('ticks a day apart say the day alone, and ticks less than a minute apart the seconds', () => {
  assert.deepEqual(ticks('2026-11-27T00:00:00Z', 86_400, 2), ['Nov 27', 'Nov 28']);
  assert.deepEqual(ticks('2026-11-27T08:00:00Z', 10, 2), ['08:00:00 AM\nNov 27', '08:00:10 AM']);
});
