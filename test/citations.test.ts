/** Citations of documents, in comments and on pages, name a file and a heading that exist. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokenCitations, headingsOf, type Repository } from './support/citations.ts';

const root = join(import.meta.dirname, '..');
const repository: Repository = {
  exists: (path) => existsSync(join(root, path)),
  read: (path) => readFileSync(join(root, path), 'utf8'),
};
const folders = ['src', 'test', 'bench', 'scripts', 'bin', 'config', 'docs'];
/** This file is left out: its samples are broken on purpose. */
const files = [...readdirSync(root), ...folders.flatMap(pathsIn)].filter(
  (path) => /\.(?:tsx?|mjs|md)$/.test(path) && path !== 'test/citations.test.ts',
);

const sample: Repository = {
  exists: (path) => ['docs/design/protocol.md', 'docs/agent.md', 'README.md', 'docs'].includes(path),
  read: () => '# Protocol\n\n```\n## Not a heading\n```\n\n## HTTP\n\n## `WebSocket` and more\n',
};

test('every citation names a file and a heading that exist', () => {
  assert.ok(files.length > 300, `only ${files.length} files were read`);
  assert.deepEqual(
    files.flatMap((path) => brokenCitations(path, repository.read(path), repository)),
    [],
  );
});

test('the code cites the protocol and the study of the allocation', () => {
  const code = files.filter((path) => path.startsWith('src/')).map((path) => repository.read(path));
  for (const page of ['docs/design/protocol.md, "', 'docs/design/allocation.md, "'])
    assert.ok(code.filter((text) => text.includes(page)).length > 5, page);
});

test('a heading is a line of its own outside code, and its marks do not count', () => {
  assert.deepEqual(headingsOf(sample.read('')), ['Protocol', 'HTTP', 'WebSocket and more']);
});

for (const [text, fault] of [
  ['/** Fixed by clients (docs/design/protocol.md, "HTTP"). */', undefined],
  ['/** Fixed (docs/design/protocol.md, "HTTP" and "WebSocket and more"). */', undefined],
  ['/**\n * Fixed by clients (docs/design/protocol.md,\n * "WebSocket and\n * more").\n */', undefined],
  ['// See docs/agent.md.', undefined],
  ["const url = 'https://example.org/missing.md'; const path = 'missing.md';", undefined],
  ['/** RFC 9110 § 9.2.1, and a word in CAPITALS. */', undefined],
  ['/** (docs/design/protocol.md, "FTP") */', 'src/a.ts cites docs/design/protocol.md, "FTP", but there is no such heading'],
  [
    '/** (docs/design/protocol.md, "HTTP" and "FTP") */',
    'src/a.ts cites docs/design/protocol.md, "FTP", but there is no such heading',
  ],
  [
    '// (docs/design/protocol.md,\n// "Not a heading")',
    'src/a.ts cites docs/design/protocol.md, "Not a heading", but there is no such heading',
  ],
  ['print(\'see docs/missing.md, "HTTP"\');', 'src/a.ts cites docs/missing.md, which does not exist'],
  ['// See docs/missing.md.', 'src/a.ts cites docs/missing.md, which does not exist'],
  ['/** Fixed by clients (PROTOCOL § 3). */', 'src/a.ts cites PROTOCOL § 3 without its file'],
  ['/** Fixed by clients (PROTOCOL §§ 3 and 4). */', 'src/a.ts cites PROTOCOL §§ 3 without its file'],
  ['/** The queue (ALLOCATION, "Queue"). */', 'src/a.ts cites ALLOCATION, "Queue" without its file'],
] as const)
  test(`in code, ${JSON.stringify(text)} ${fault === undefined ? 'is fine' : 'is found'}`, () => {
    assert.deepEqual(brokenCitations('src/a.ts', text, sample), fault === undefined ? [] : [fault]);
  });

for (const [text, fault] of [
  ['[the protocol](design/protocol.md#websocket-and-more), [home](../README.md), [all](./), [here](#http)', undefined],
  ['[elsewhere](https://example.org/a.md#b)', undefined],
  ['```\n[nothing](missing.md)\n```', undefined],
  ['[gone](missing.md)', 'docs/agent.md links to missing.md, which does not exist'],
  ['[gone](design/protocol.md#ftp)', 'docs/agent.md links to design/protocol.md#ftp, but there is no such heading'],
  ['[gone](#ftp)', 'docs/agent.md links to #ftp, but there is no such heading'],
  ['Read `docs/gone.md`.', 'docs/agent.md cites docs/gone.md, which does not exist'],
] as const)
  test(`on a page, ${JSON.stringify(text)} ${fault === undefined ? 'is fine' : 'is found'}`, () => {
    const faults = brokenCitations('docs/agent.md', text, sample);
    assert.deepEqual(faults.slice(0, 1), fault === undefined ? [] : [fault]);
  });

function pathsIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path));
}
