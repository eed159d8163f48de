/** Documents are written in words that readers all over the world know (`support/plain-english.ts`). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markdownFiles, read } from './support/markdown.ts';
import { findings, findingText } from './support/plain-english.ts';

for (const path of markdownFiles())
  test(`${path} is written in plain English`, () => {
    assert.deepEqual(
      findings(read(path)).map((finding) => findingText(path, finding)),
      [],
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
