import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem } from '../problem.ts';
import { validate } from '../validate.ts';

function problems(languages: unknown): string[] {
  const result = validate({ simulationServers: [], languages });
  return [...result.problems, ...result.warnings].map(formatProblem);
}

test('a language has texts by their names, and the same values in braces as English', () => {
  assert.deepEqual(problems({ it: { start: 'Avvia', waiting: '{position} in coda' }, 'pt-BR': {}, 'zh-Hant-TW': {} }), []);
});

test('each mistake in a language is reported with how to fix it', () => {
  const cases: [unknown, RegExp][] = [
    [{ it: { strat: 'Avvia' } }, /^languages\.it\.strat: .*did you mean "start"\?/],
    [{ it: { language: 'it' } }, /^languages\.it\.language: .*there is no text with this name/],
    [{ it: { waiting: 'in coda' } }, /^languages\.it\.waiting: .*\{position\}/],
    [{ it: { start: 'Avvia {name}' } }, /^languages\.it\.start: .*without braces/],
    [{ it: { 'classes.sart': 'Avvia' } }, /did you mean "classes\.start"\?/],
    [{ it: { 'classes.made': 'Fatto' } }, /^languages\.it\[\"classes\.made\"\]: .*\{code\}/],
    [{ it: { start: '' } }, /^languages\.it\.start: /],
    [{ it: { start: 'a'.repeat(601) } }, /^languages\.it\.start: /],
    [{ it: { start: 3 } }, /^languages\.it\.start: /],
    [{ italiano: {} }, /^languages/],
    [{ it: 'Avvia' }, /^languages\.it: /],
    [
      Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`x${String.fromCharCode(97 + (i % 26))}-a${i + 10}`, {}])),
      /^languages/,
    ],
    ['it', /^languages: /],
  ];
  for (const [languages, expected] of cases) assert.match(problems(languages).join('\n'), expected);
});
