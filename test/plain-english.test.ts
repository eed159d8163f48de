/** Documents, messages, pages and comments are written in words that readers all over the world know (`support/plain-english.ts`). */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { markdownFiles, read, root } from './support/markdown.ts';
import { findings, findingText } from './support/plain-english.ts';
import { comments, readableTexts, testTitles, type SourceText } from './support/source-texts.ts';

const INSTALLED_FILES = 'src/install/templates/';
/** Files that people read before they start the program. */
const OTHER_FILES = ['compose.yml', 'Dockerfile', 'package.json', 'docs/prometheus-alerts.yml', 'docs/grafana.json'] as const;
/** What these say about words is about the words themselves. */
const ABOUT_WORDS = ['test/support/plain-english.ts', 'test/plain-english.test.ts', 'test/support/source-texts.test.ts'];
const PROGRAM = /(?<!\.test)\.tsx?$/;
const SCRIPT = /\.(?:tsx?|mts|mjs)$/;
const TEST = /\.tsx?$/;

for (const path of markdownFiles())
  test(`${path} is written in plain English`, () => {
    assert.deepEqual(
      findings(read(path)).map((finding) => findingText(path, finding)),
      [],
    );
  });

test('texts of the program are written in plain English', () => {
  assert.deepEqual(findingsInSources(readableTexts, ['src'], PROGRAM), []);
});

test('comments are written in plain English', () => {
  assert.deepEqual(findingsInSources(comments, ['src', 'test', 'bench', 'scripts'], SCRIPT), []);
});

test('titles of tests are written in plain English', () => {
  assert.deepEqual(findingsInSources(testTitles, ['src', 'test'], TEST), []);
});

test('files that setup installs, and other files that operators read, are written in plain English', () => {
  const installed = filesIn('src').filter((path) => path.startsWith(INSTALLED_FILES) && !SCRIPT.test(path));
  assert.notDeepEqual(installed, []);
  const paths = [...installed, ...OTHER_FILES];
  assert.deepEqual(
    paths.flatMap((path) => findings(read(path)).map((finding) => findingText(path, finding))),
    [],
  );
});

test('a sentence in a source is found with its line', () => {
  const source = `import './front of.ts';\n\nlog.warn(\n  \`no \${kind}, mend it\`,\n);\n/** Hangs on it. */\nconst a = 'front';\n`;
  assert.deepEqual(
    readableTexts('a.ts', source).flatMap((text) => findingsIn('a.ts', text)),
    ['a.ts:4: "mend": write fix'],
  );
  assert.deepEqual(
    comments('a.ts', source).flatMap((text) => findingsIn('a.ts', text)),
    ['a.ts:6: "Hangs on": write depends on'],
  );
});

for (const [text, found] of [
  ['Mend it, and ask again.', ['Mend']],
  ['Such a token pulls no lever.', ['pulls no lever', 'lever']],
  ['A front maps it.', ['front']],
  ['A web server in front of the program.', []],
  ['The name leads to this machine.', ['leads to']],
  ['Who does not read is cut.', ['Who', 'is cut']],
  ['The rule:\n\n- Who has waited goes first.', ['- Who']],
  ['Who may read this page?', []],
  ['It is no number.', ['is no number']],
  ['There is no such server. It is no longer listed.', []],
  ['Most bytes of a request body.', ['Most bytes']],
  ['Most of them are idle.', []],
  ['The key `front` and\n\n```\nmend it\n```\n', []],
  ['It stands in the log.', ['stands in']],
  ['It cannot stand in `simulationServers`.', ['cannot stand', 'stand in']],
  ['A program listens at the port.', ['listens at']],
  ['Nothing listens at the moment.', []],
  ['A slow client is cut off.', ['is cut off']],
] as const)
  test(`of ${JSON.stringify(text)} ${found.length === 0 ? 'nothing' : found.join(', ')} is found`, () => {
    assert.deepEqual(
      findings(text).map(({ words }) => words),
      found,
    );
  });

test('a finding names its line', () => {
  assert.deepEqual(
    findings('One.\n\nTwo, and mended.').map(({ line }) => line),
    [3],
  );
});

type Read = (path: string, source: string) => readonly SourceText[];

function findingsInSources(textsOf: Read, folders: readonly string[], kind: RegExp): readonly string[] {
  const paths = folders.flatMap(filesIn).filter((path) => kind.test(path) && !ABOUT_WORDS.includes(path));
  assert.notDeepEqual(paths, []);
  return paths.flatMap((path) => textsOf(path, read(path)).flatMap((text) => findingsIn(path, text)));
}

function findingsIn(path: string, { line, text }: SourceText): readonly string[] {
  return findings(text).map((finding) => findingText(path, { ...finding, line: line + finding.line - 1 }));
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}
