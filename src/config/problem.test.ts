import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatKey, formatProblem, showValue } from './problem.ts';

test('a problem is one line, though its parts hold line breaks, escapes and turns of direction', () => {
  const line = formatProblem({ key: 'a\nb', value: '\u001b[31m', expected: '\u2028\u0085', fix: '\u202etxt\ufeff' });
  assert.equal(line, 'a\\u000ab: \\u001b[31m — expected \\u2028\\u0085; \\u202etxt\\ufeff');
});

test('keys are written as in the documentation', () => {
  assert.equal(formatKey(['simulationServers', 3, 'weight']), 'simulationServers[3].weight');
  assert.equal(formatKey(['webhooks', 0, 'headers', 'X-Key']), 'webhooks[0].headers.X-Key');
  assert.equal(formatKey(['a b', 'c"d']), '["a b"]["c\\"d"]');
  assert.equal(formatKey(['x'.repeat(100)]), `["${'x'.repeat(60)}…"]`);
});

const values: readonly (readonly [value: unknown, shown: string])[] = [
  [undefined, 'missing'],
  [null, 'null'],
  ['', '"" (empty)'],
  ['a"b', '"a\\"b"'],
  ['😀'.repeat(70), `"${'😀'.repeat(60)}…"`],
  [false, 'false'],
  [Infinity, 'Infinity'],
  [[], 'an empty list'],
  [[1, 2], '[1, 2]'],
  [['secret'], 'a list of 1'],
  [{ a: 'secret' }, 'an object in braces'],
  ['https://user:pass@host/x', '"https://…@host/x"'],
  ['https://token@host/x', '"https://…@host/x"'],
  ['user:pass@host:2000', '"…@host:2000"'],
  ['ann@host', '"ann@host"'],
];

for (const [value, shown] of values)
  test(`a value of type ${typeof value} is shown as ${shown.slice(0, 40)}`, () => {
    assert.equal(showValue(value), shown);
  });
