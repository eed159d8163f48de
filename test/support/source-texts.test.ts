import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comments, readableTexts, testTitles } from './source-texts.ts';

const SOURCE = `/**
 * First comment,
 * in two lines.
 */
import { x } from 'a path of a module';
// Second comment,
// which runs on.
export type Kind = 'a type' | 'another type';
const code = 'kebab-code';
log.warn('a message'); // Third comment.
const text = \`it has \${x('a value')} bytes, // not a comment\`;
const title = 'Levers';
export const page = (
  <section class="two words" title="a title">
    {/* Fourth comment. */}
    {count} left
    <b>Drain</b>
  </section>
);
// Last comment.
`;

test('the texts of a source are its sentences, templates and words on the page', () => {
  assert.deepEqual(
    readableTexts('page.tsx', SOURCE).map(({ line, text }) => [line, text.trim()]),
    [
      [10, 'a message'],
      [11, 'it has … bytes, // not a comment'],
      [11, 'a value'],
      [12, 'Levers'],
      [14, 'a title'],
      [16, 'left'],
      [17, 'Drain'],
    ],
  );
});

test('the comments of a source are without marks, and successive lines are one text', () => {
  assert.deepEqual(comments('page.tsx', SOURCE), [
    { line: 1, text: '\nFirst comment,\nin two lines.' },
    { line: 6, text: 'Second comment,\nwhich runs on.' },
    { line: 10, text: 'Third comment.' },
    { line: 15, text: ' Fourth comment.' },
    { line: 20, text: 'Last comment.' },
  ]);
});

test('the titles of tests are those of tests and groups, also inside of each other', () => {
  const source =
    "describe('a queue', () => {\n  it(`has ${count} places`, () => assert.ok(test, 'not a title'));\n  await t.test(\n    'a part', run);\n});";
  assert.deepEqual(testTitles('queue.test.ts', source), [
    { line: 1, text: 'a queue' },
    { line: 2, text: 'has … places' },
    { line: 4, text: 'a part' },
  ]);
});
