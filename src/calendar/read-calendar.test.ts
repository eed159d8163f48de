/** Calendars as three programs export them, and hostile ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCalendar } from './read-calendar.ts';

const NOW = Date.parse('2026-09-01T00:00:00Z') / 1000;

function calendar(...lines: readonly string[]): string {
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', ...lines, 'END:VCALENDAR', ''].join('\r\n');
}

function event(...lines: readonly string[]): string {
  return ['BEGIN:VEVENT', 'UID:u', 'SUMMARY:Robots', ...lines, 'END:VEVENT'].join('\r\n');
}

/** The starts of each event, or why it has none. */
function starts(text: string, zone?: string): readonly (readonly string[] | string)[] {
  const read = readCalendar(text, { now: NOW, ...(zone !== undefined && { zone }) });
  if (read.kind === 'unreadable') return [read.reason];
  return read.events.map((one) =>
    one.kind === 'event'
      ? one.lessons.map(({ start }) => new Date(start * 1000).toISOString().slice(0, 16))
      : 'reason' in one
        ? one.reason
        : one.kind,
  );
}

test('a series of Google Calendar keeps its time of the day when the clocks change, with exceptions and a moved lesson', () => {
  const text = calendar(
    'PRODID:-//Google Inc//Google Calendar 70.9054//EN',
    'X-WR-TIMEZONE:Europe/Berlin',
    ...['BEGIN:VEVENT', 'DTSTART;TZID=Europe/Berlin:20261013T080000', 'DTEND;TZID=Europe/Berlin:20261013T093000'],
    ...['RRULE:FREQ=WEEKLY;UNTIL=20261110T225959Z;BYDAY=TU', 'EXDATE;TZID=Europe/Berlin:20261020T080000'],
    ...['UID:abc@google.com', 'DESCRIPTION:seats: 30<br>project: https://github.com/o/robo', 'SUMMARY:Robots', 'END:VEVENT'],
    ...['BEGIN:VEVENT', 'DTSTART;TZID=Europe/Berlin:20261104T100000', 'DTEND;TZID=Europe/Berlin:20261104T113000'],
    ...['UID:abc@google.com', 'RECURRENCE-ID;TZID=Europe/Berlin:20261103T080000', 'SUMMARY:Robots', 'END:VEVENT'],
  );
  assert.deepEqual(starts(text), [['2026-10-13T06:00', '2026-10-27T07:00', '2026-11-04T09:00', '2026-11-10T07:00']]);
});

test('Outlook names zones as Windows does, defines them in the file, and counts weekdays of a month by position', () => {
  const text = calendar(
    'PRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN',
    ...['BEGIN:VTIMEZONE', 'TZID:W. Europe Standard Time', 'BEGIN:STANDARD', 'DTSTART:16011028T030000'],
    ...['RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10', 'TZOFFSETFROM:+0200', 'TZOFFSETTO:+0100', 'END:STANDARD', 'END:VTIMEZONE'],
    ...['BEGIN:VEVENT', 'UID:040000008200E00074C5B7101A82E008', 'DTSTART;TZID="W. Europe Standard Time":20260908T080000'],
    ...['DTEND;TZID="W. Europe Standard Time":20260908T093000', 'RRULE:FREQ=MONTHLY;COUNT=3;BYDAY=TU;BYSETPOS=2'],
    ...[
      'SUMMARY;LANGUAGE=de:Robotik',
      'DESCRIPTION:seats: 20\\n',
      'BEGIN:VALARM',
      'TRIGGER:-PT15M',
      'ACTION:DISPLAY',
      'END:VALARM',
    ],
    'END:VEVENT',
  );
  assert.deepEqual(starts(text), [['2026-09-08T06:00', '2026-10-13T06:00', '2026-11-10T07:00']]);
});

test('Apple Calendar folds lines and writes durations, and its series may have no end', () => {
  const text = calendar(
    'PRODID:-//Apple Inc.//macOS 14.0//EN',
    ...['BEGIN:VEVENT', 'UID:5B2F1D3C', 'DTSTART;TZID=America/New_York:20260914T', ' 133000', 'DURATION:PT1H30M'],
    ...['RRULE:FREQ=DAILY;INTERVAL=2;COUNT=4;BYDAY=MO,TU,WE,TH,FR', 'SUMMARY:Robots', 'END:VEVENT'],
  );
  assert.deepEqual(starts(text), [['2026-09-14T17:30', '2026-09-16T17:30', '2026-09-18T17:30', '2026-09-22T17:30']]);
  const endless = starts(calendar(event('DTSTART:20250907T080000Z', 'DTEND:20250907T090000Z', 'RRULE:FREQ=WEEKLY')));
  assert.deepEqual([endless[0]?.length, endless[0]?.[0]], [52, '2026-09-06T08:00']);
});

test('a time that the clocks skip is refused with its day, and one that they show twice is the first of both', () => {
  const at = (time: string) => event(`DTSTART;TZID=Europe/Berlin:${time}`, 'DURATION:PT1H');
  assert.deepEqual(starts(calendar(at('20270328T023000'))), ['The clocks skip its time on 2027-03-28.']);
  assert.deepEqual(starts(calendar(at('20261025T023000'))), [['2026-10-25T00:30']]);
});

test('a time without a zone takes the one of the import, and none is guessed', () => {
  const text = calendar(event('DTSTART:20260915T080000', 'DTEND:20260915T090000'));
  assert.deepEqual(starts(text), ['Its time names no time zone; import it with the parameter "zone".']);
  assert.deepEqual(starts(text, 'Asia/Tokyo'), [['2026-09-14T23:00']]);
  assert.deepEqual(starts(text, 'Mars/Olympus'), ['Its time zone "Mars/Olympus" is unknown.']);
});

test('what cannot be reserved is refused with a sentence, and the events beside it are read', () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['DTSTART;VALUE=DATE:20260915'], /all day/],
    [['DTEND:20260915T090000Z'], /has no start/],
    [['DTSTART:20260915T080000Z'], /has no end/],
    [['DTSTART:20260915T080000Z', 'DTEND:20260915T080000Z'], /not after its start/],
    [['DTSTART:20260231T080000Z', 'DURATION:PT1H'], /cannot be read|format of calendars/],
    [['DTSTART:20200915T080000Z', 'DURATION:PT1H'], /over/],
    [['DTSTART:20260915T080000Z', 'DURATION:PT1H', 'RDATE:20260916T080000Z'], /RDATE/],
    [['DTSTART:20260915T080000Z', 'DURATION:PT1H', 'RRULE:FREQ=SECONDLY'], /daily, weekly or monthly/],
    [['DTSTART:20260915T080000Z', 'DURATION:PT1H', 'RRULE:FREQ=DAILY;BYMINUTE=1,2,3'], /BYMINUTE/],
    [['DTSTART:00010101T080000Z', 'DURATION:PT1H', 'RRULE:FREQ=DAILY'], /five years ago/],
    [['DTSTART:20260915T080000Z', 'DURATION:PT1H', 'RRULE:rubbish'], /RUBBISH, which is not supported/],
    [['DTSTART:20260915T080000Z', 'DURATION:PT1H', 'STATUS:CANCELLED'], /cancelled/],
  ];
  for (const [lines, reason] of cases) {
    const [odd, good] = starts(
      calendar(event(...lines), event('DTSTART:20260915T080000Z', 'DURATION:PT1H').replace('UID:u', 'UID:v')),
    );
    assert.match(String(odd), reason);
    assert.deepEqual(good, ['2026-09-15T08:00']);
  }
});

test('the series of a calendar together have a limit of steps, so that no file keeps the program busy', () => {
  const series = (uid: number, ...lines: readonly string[]) => event(...lines).replace('UID:u', `UID:u${uid}`);
  const times = ['DTSTART:20220101T080000Z', 'DTEND:20220101T090000Z'];
  const endless = Array.from({ length: 200 }, (_, uid) => series(uid, ...times, 'RRULE:FREQ=DAILY;BYDAY=MO;BYSETPOS=5'));
  const reasons = starts(calendar(...endless));
  assert.equal(reasons.filter((reason) => reason === 'Its series cannot be read.').length, 2);
  assert.equal(reasons.filter((reason) => String(reason).startsWith('The calendar has too many or too long series')).length, 198);
  const weekly = Array.from({ length: 3 }, (_, uid) => series(uid, ...times, 'RRULE:FREQ=WEEKLY'));
  assert.deepEqual(
    starts(calendar(...weekly)).map((one) => one.length),
    [52, 52, 52],
  );
});

test('hostile files are refused or read, and never followed without end', () => {
  const lesson = event('DTSTART:20260915T080000Z', 'DURATION:PT1H');
  assert.match(String(starts('<html>')), /not a calendar/);
  assert.match(String(starts(calendar('X'.repeat(300_000)))), /larger than/);
  assert.match(String(starts(calendar(...Array.from({ length: 201 }, () => lesson)))), /201 events/);
  const many = Array.from({ length: 200 }, (_, i) => lesson.replace('UID:u', `UID:${i}`));
  assert.equal(starts(calendar(...many)).length, 200);
  const series = (i: number) =>
    event('DTSTART:20260915T080000Z', 'DURATION:PT1H', 'RRULE:FREQ=DAILY').replace('UID:u', `UID:${i}`);
  const long = starts(calendar(series(1), series(2)));
  assert.deepEqual(
    [long[0]?.length, String(long[1])],
    [352, 'The calendar has more than 366 lessons that are not over; import it in parts.'],
  );
  const zone = [
    'BEGIN:VTIMEZONE',
    'TZID:Evil',
    'BEGIN:STANDARD',
    'DTSTART:00010101T000000',
    'RRULE:FREQ=SECONDLY;INTERVAL=0',
  ].concat('TZOFFSETFROM:+0000', 'TZOFFSETTO:+0000', 'END:STANDARD', 'END:VTIMEZONE');
  assert.match(
    String(starts(calendar(...zone, event('DTSTART;TZID=Evil:20260915T080000', 'DURATION:PT1H')))),
    /"Evil" is unknown/,
  );
  const nested = [...Array<string>(5000).fill('BEGIN:VALARM'), ...Array<string>(5000).fill('END:VALARM')];
  assert.deepEqual(starts(calendar(event('DTSTART:20260915T080000Z', 'DURATION:PT1H', ...nested))), [['2026-09-15T08:00']]);
  for (const odd of ['BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u', `BEGIN:VCALENDAR\r\n${'BEGIN:VEVENT\r\n'.repeat(9000)}`])
    assert.deepEqual(starts(odd), []);
  assert.match(String(starts(calendar(event(`DTSTART;${'X="'.repeat(20_000)}:20260915T080000Z`)))), /format|no start|no end/);
});
