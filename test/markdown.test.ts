/** Pages can be read in a terminal of 120 columns, and every link on them names a file and a heading that exist. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { anchorsOf, cellsOf, isTableRow, linksOf, markdownFiles, proseLines, read, root } from './support/markdown.ts';

/** Columns of a line of prose. */
const MAX_LINE = 120;
/** Characters of a cell; the rule for writers is about 60. */
const MAX_CELL = 70;

const files = markdownFiles();

test('the tree has documents to look at', () => {
  for (const path of ['README.md', 'docs/README.md', 'docs/reference/configuration.md']) assert.ok(files.includes(path), path);
});

for (const path of files) {
  test(`${path} fits into ${MAX_LINE} columns, and its cells into ${MAX_CELL} characters`, () => {
    const lines = proseLines(read(path));
    const long = lines
      // A single word, such as a link, cannot be broken.
      .filter((line) => !isTableRow(line) && line.text.length > MAX_LINE && /\S\s+\S/.test(line.text.slice(0, MAX_LINE).trim()))
      .map(({ number, text }) => `${path}:${number}: ${text.length} columns`);
    const wide = lines.filter(isTableRow).flatMap((line) =>
      cellsOf(line)
        .filter((cell) => !/^[-:]+$/.test(cell) && shownLength(cell) > MAX_CELL)
        .map((cell) => `${path}:${line.number}: ${shownLength(cell)} characters: ${cell}`),
    );
    assert.deepEqual([...long, ...wide], []);
  });

  test(`every link of ${path} has its file and its heading`, () => {
    const broken = linksOf(read(path)).flatMap(({ line, target }) => {
      const problem = problemOf(path, target);
      return problem === undefined ? [] : [`${path}:${line}: ${target}: ${problem}`];
    });
    assert.deepEqual(broken, []);
  });
}

test('a link without its file or its heading is noticed', () => {
  assert.equal(problemOf('docs/README.md', '../README.md'), undefined);
  assert.equal(problemOf('docs/README.md', 'nothing.md'), 'there is no such file');
  assert.equal(problemOf('docs/README.md', '../README.md#nothing'), 'there is no such heading');
  assert.equal(problemOf('docs/README.md', '#nothing'), 'there is no such heading');
  assert.equal(problemOf('docs/README.md', 'https://example.org/nothing'), undefined, 'other sites are not asked');
});

/** A reader sees the text of a link and not its address. */
function shownLength(cell: string): number {
  return cell.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').length;
}

/** `undefined`: the link is good. */
function problemOf(page: string, target: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(root, file))) return 'there is no such file';
  if (anchor === undefined || !file.endsWith('.md')) return undefined;
  return anchorsOf(read(file)).has(anchor) ? undefined : 'there is no such heading';
}
