import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkJson } from './json-text.ts';

function faultOf(text: string): string {
  const check = checkJson(text);
  return check.kind === 'ok' ? 'ok' : `${check.line}:${check.column} ${check.fault}; ${check.fix}`;
}

const faults: readonly (readonly [text: string, expected: string])[] = [
  ['{"a": 1,}', '1:8 a comma after the last entry; remove this comma'],
  ['{"a": [1, 2,\n]}', '1:12 a comma after the last entry; remove this comma'],
  ['{\n  "a": 1\n  "b": 2\n}', '3:3 no comma between two entries; put a comma before this'],
  ['["x" "y"]', '1:6 no comma between two entries; put a comma before this'],
  ['{"a" 1}', '1:6 no colon after a key; write a colon between key and value'],
  ['{"a" = 1}', '1:6 no colon after a key; write a colon between key and value'],
  ['{a: 1}', '1:2 a key without quotes; put the key between double quotes'],
  ["{'a': 1}", '1:2 a single quote; use double quotes'],
  ['{"a": \'x\'}', '1:7 a single quote; use double quotes'],
  ['{“a”: 1}', '1:2 a typographic quote; use straight double quotes'],
  ['{\u00a0"a": 1}', '1:2 the invisible character U+00A0 (no-break space); remove it'],
  ['{"a"\u200b: 1}', '1:5 the invisible character U+200B (zero width space); remove it'],
  ['{"a":\u3000 1}', '1:6 the invisible character U+3000 (ideographic space); remove it'],
  ['{"a": 1\u202f, "b": 2}', '1:8 the invisible character U+202F (narrow no-break space); remove it'],
  ['{}\u2060', '1:3 the invisible character U+2060; remove it'],
  ['// note\n{}', '1:1 a comment, which JSON does not allow; remove it'],
  ['{ /* x */ "a": 1}', '1:3 a comment, which JSON does not allow; remove it'],
  ['{"a": 1 # x\n}', '1:9 a comment, which JSON does not allow; remove it'],
  ['{"a": 1, // x\n "b": 2}', '1:10 a comment, which JSON does not allow; remove it'],
  ['{"ssl": True}', '1:9 true that is not in lower case; write true'],
  ['{"ssl": falsey}', '1:9 text without quotes; put it between double quotes'],
  ['{"ssl": no}', '1:9 no, which is not part of JSON; write false'],
  ['{"x": None}', '1:7 None, which is not part of JSON; remove the key'],
  ['{"x": localhost}', '1:7 text without quotes; put it between double quotes'],
  ['{"port": 01999}', '1:10 not a number in JSON; write it like 5, 0.5 or -1, or between double quotes'],
  ['{"port": .5}', '1:10 not a number in JSON; write it like 5, 0.5 or -1, or between double quotes'],
  ['{"ip": 10.0.0.1}', '1:8 not a number in JSON; write it like 5, 0.5 or -1, or between double quotes'],
  ['{"logDir": "C:\\log"}', '1:15 a backslash that has no meaning in JSON; write a backslash twice: \\\\'],
  ['{"a": "x\n}', '1:7 text whose closing quote is missing; put a double quote at its end'],
  ['{"a": "x', '1:7 text whose closing quote is missing; put a double quote at its end'],
  ['{"a": "x\ty"}', '1:9 a tab inside quoted text; write \\t, or a space'],
  ['{"a": 1;}', '1:8 a semicolon; separate entries by commas'],
  ['{"a": }', '1:7 no value; write a value before this'],
  ['{"a": 1, , "b": 2}', '1:10 a comma with nothing before it; remove this comma'],
  ['{"a": [1}', '1:9 } in place of ]; check which bracket is open here'],
  ['{"a": 1}\n}', '2:1 more text after the end of the configuration; remove what follows the last bracket'],
  ['{\r\n"a": 1', '2:7 the end of the file inside the bracket opened at line 1, column 1; write the rest, and "}" at its end'],
  ['{"a": [', '1:8 the end of the file inside the bracket opened at line 1, column 7; write the rest, and "]" at its end'],
  ['{"a":', '1:6 the end of the file in place of a value; write the rest of the configuration'],
  ['server: x', '1:1 text without quotes; put it between double quotes'],
  ['{"😀": x}', '1:7 text without quotes; put it between double quotes'],
];

for (const [text, expected] of faults)
  test(`${JSON.stringify(text)} is explained with line and column`, () => {
    assert.equal(faultOf(text), expected);
  });

test('a text nested a million levels deep is refused without exhausting the stack', () => {
  assert.match(faultOf('['.repeat(1_000_000)), /^1:65 nested deeper than 64 levels/);
  assert.match(faultOf('{"a":'.repeat(1_000_000)), /nested deeper than 64 levels/);
});

test('a text of five million characters is read', () => {
  assert.equal(faultOf(JSON.stringify({ a: 'x'.repeat(5_000_000), b: '\\"'.repeat(10_000) })), 'ok');
});

test('a key given twice is noted with its path and the line of the second time, in any spelling', () => {
  const check = checkJson('{"a": 1,\n "b": [{"c": 1,\n "\\u0063": 2}],\n "a": 3}');
  assert.deepEqual(check, {
    kind: 'ok',
    duplicates: [
      { path: ['b', 0, 'c'], line: 3 },
      { path: ['a'], line: 4 },
    ],
  });
});

test('texts that JSON.parse reads are read, and no others', () => {
  const json = fc.json({ maxDepth: 5 });
  const mutated = fc.tuple(
    json,
    fc.nat(),
    fc.constantFrom('', ',', '"', '}', ']', '\\', '0', '.', 'e', '\n', ' ', '-', ':', '/'),
  );
  fc.assert(
    fc.property(fc.oneof(json, fc.string(), mutated.map(mutate)), (text) => {
      assert.equal(checkJson(text).kind === 'ok', isJson(text));
    }),
    { numRuns: 3000 },
  );
});

test('no message about a fault quotes the text around it, because it may hold a password', () => {
  const secret = 'hunter2secret';
  const text = `{"mailSenderPassword": "${secret}", "simulationServers": ["localhost:2000"]}`;
  fc.assert(
    fc.property(fc.nat(text.length), fc.constantFrom('', '"', ',', "'", '}', '\\'), (at, character) => {
      const fault = faultOf(text.slice(0, at) + character + text.slice(at + 1));
      for (let start = 0; start + 4 <= secret.length; start++) assert.ok(!fault.includes(secret.slice(start, start + 4)), fault);
    }),
  );
});

function mutate([text, at, character]: [string, number, string]): string {
  const where = at % (text.length + 1);
  return text.slice(0, where) + character + text.slice(where + (at % 2));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
