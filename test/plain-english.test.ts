/** Documents, messages, pages and comments are written in words that readers all over the world know (`support/plain-english.ts`). */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { markdownFiles, read, root } from './support/markdown.ts';
import { findings, findingText } from './support/plain-english.ts';
import { comments, readableTexts, type SourceText } from './support/source-texts.ts';

const INSTALLED_FILES = 'src/install/templates/';

for (const path of markdownFiles())
  test(`${path} is written in plain English`, () => {
    assert.deepEqual(
      findings(read(path)).map((finding) => findingText(path, finding)),
      [],
    );
  });

test('what people read of the program is written in plain English', () => {
  assert.deepEqual(findingsInSources(readableTexts), []);
});

test('comments are written in plain English', () => {
  assert.deepEqual(findingsInSources(comments), []);
});

test('files that setup installs are written in plain English', () => {
  const paths = sources().filter((path) => path.startsWith(INSTALLED_FILES));
  assert.notDeepEqual(paths, []);
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
  ['Who does not read is cut.', ['Who']],
  ['The rule:\n\n- Who has waited goes first.', ['- Who']],
  ['Who may read this page?', []],
  ['It is no number.', ['is no number']],
  ['There is no such server. It is no longer listed.', []],
  ['Most bytes of a request body.', ['Most bytes']],
  ['Most of them are idle.', []],
  ['The key `front` and\n\n```\nmend it\n```\n', []],
  ['It stands in the log.', ['stands in']],
  ['It cannot stand in `simulationServers`.', ['cannot stand', 'stand in']],
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

function findingsInSources(textsOf: Read): readonly string[] {
  const paths = sources().filter((path) => /(?<!\.test)\.tsx?$/.test(path));
  assert.notDeepEqual(paths, []);
  return paths.flatMap((path) => textsOf(path, read(path)).flatMap((text) => findingsIn(path, text)));
}

function findingsIn(path: string, { line, text }: SourceText): readonly string[] {
  return findings(text).map((finding) => findingText(path, { ...finding, line: line + finding.line - 1 }));
}

function sources(): readonly string[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .map((path) => `src/${path}`)
    .sort();
}
