import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { classOf } from '../../../test/support/class-scene.ts';
import { writeCalendar } from './calendar.ts';

const START = Date.UTC(2026, 8, 15, 6) / 1000;

test('a lesson is an event with absolute times, its seats and its code, and a change counts up', () => {
  const lesson = classOf({ start: START, seats: 30, revision: 2, project: 'https://github.com/o/r' });
  const lines = writeCalendar([lesson], START).split('\r\n');
  for (const line of [
    ...['UID:r@session-server', 'DTSTART:20260915T060000Z', 'DTEND:20260915T070000Z', 'SEQUENCE:2', 'SUMMARY:Robots'],
    'DESCRIPTION:30 seats\\ncode ROBO1\\nhttps://github.com/o/r',
  ])
    assert.ok(lines.includes(line), line);
  assert.ok(writeCalendar([classOf({ start: START, seats: 1, title: '' })], START).includes('\r\nSUMMARY:Class ROBO1\r\n'));
});

test('no title adds a line, breaks one, or makes one too long, and each is read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 120 }), (title) => {
      const written = writeCalendar([classOf({ start: START, seats: 1, title })], START);
      const lines = written.split('\r\n');
      assert.equal(lines.pop(), '');
      assert.ok(lines.every((line) => Buffer.byteLength(line) <= 75 && !/\p{Cc}/u.test(line)));
      const unfolded = written.replaceAll('\r\n ', '').split('\r\n');
      assert.equal(unfolded.filter((line) => line.startsWith('BEGIN:')).length, 2);
      const summary = unfolded.find((line) => line.startsWith('SUMMARY:'))?.slice('SUMMARY:'.length) ?? '';
      const read = summary.replace(/\\(.)/g, (_whole, sign: string) => (sign === 'n' ? '\n' : sign));
      const expected = title.replace(/\r\n|\r/g, '\n').replace(/[^\P{Cc}\n]/gu, ' ');
      assert.equal(read, title === '' ? 'Class ROBO1' : expected);
    }),
  );
});
