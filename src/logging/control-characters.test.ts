import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { printable, printableJson } from './control-characters.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 60 });

test('line ends, terminal commands and marks that change the direction of writing are escaped', () => {
  assert.equal(printable('a\r\nb\tc'), 'a\\r\\nb\\tc');
  assert.equal(printable('\u001b[31mred\u0007\u007f'), '\\x1b[31mred\\x07\\x7f');
  assert.equal(printable('\u0085\u009b2J'), '\\x85\\x9b2J');
  assert.equal(printable('a\u2028b\u2029c\u202ed\u2066e\ufefff'), 'a\\u2028b\\u2029c\\u202ed\\u2066e\\ufefff');
  assert.equal(printable('half \ud83d of a pair'), 'half \\ud83d of a pair');
});

test('text in any language stays as it is', () => {
  for (const text of ['', 'host/2000 (load = 20.5%)', 'Grüße, 世界, שלום, 🤖', 'C:\\new']) assert.equal(printable(text), text);
});

test('no text leaves a character that a program could take for the end of a line', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      assert.doesNotMatch(printable(text), /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u);
    }),
  );
});

test('JSON stays the same JSON on one line', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const line = printableJson(`${JSON.stringify({ text })}\n`);
      assert.deepEqual(JSON.parse(line), { text });
      assert.doesNotMatch(line.slice(0, -1), /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u);
      assert.ok(line.endsWith('\n'));
    }),
  );
});
