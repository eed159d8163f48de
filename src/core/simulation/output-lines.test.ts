import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OutputLines, type OutputLimits } from './output-lines.ts';

const LIMITS = { line: 10, perSecond: 1000, linesPerSecond: 1000 };

const linesOf = (parts: readonly string[], limits: OutputLimits = LIMITS, seconds = parts.map(() => 1)) => {
  const lines: string[] = [];
  const output = new OutputLines(limits, (line) => lines.push(line));
  parts.forEach((part, index) => {
    output.add(part, seconds[index] ?? 1);
  });
  output.end();
  return lines;
};

test('lines are the same however the output is divided into pieces', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 10 }).filter((text) => !/[\r\n]/.test(text))), fc.nat(7), (lines, size) => {
      const text = lines.map((line) => `${line}\n`).join('');
      const pieces = text.match(new RegExp(`[^]{1,${size + 1}}`, 'g')) ?? [];
      assert.deepEqual(linesOf(pieces), lines);
    }),
  );
});

test('the end of a line that is too long is dropped, and the next line is whole', () => {
  assert.deepEqual(linesOf(['0123456789abc', 'def\nnext\n']), ['0123456789', 'next']);
});

test('a flood is dropped until the second is over', () => {
  assert.deepEqual(linesOf(['aaaa\nbbbb\ncc', 'dddd\n.\n'], { ...LIMITS, perSecond: 10 }, [1, 2]), ['aaaa', 'bbbb', '.']);
});

test('a flood of empty lines is dropped until the second is over', () => {
  assert.deepEqual(linesOf(['\n\n\n\n', '.\n'], { ...LIMITS, linesPerSecond: 2 }, [1, 2]), ['', '', '.']);
});

test('a last line without an end is a line', () => {
  assert.deepEqual(linesOf(['a\r\nb']), ['a', 'b']);
});

test('a line that is written in the first second of the clock is read', () => {
  assert.deepEqual(linesOf(['.\n'], LIMITS, [0]), ['.']);
});
