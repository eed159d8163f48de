/** The test runner lets files share a process only where no hook of one file can run around the tests of another. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { groupTests, sharesProcess } from '../scripts/test-groups.mjs';

const PLAIN = "import { describe, test, type TestContext } from 'node:test';\ntest('works', () => {});\n";
const WITH_HOOK = "import { beforeEach, test } from 'node:test';\nif (true) {\n  beforeEach(() => {});\n}\n";

test('a file that only defines tests shares its process', () => {
  assert.equal(sharesProcess(PLAIN), true);
  assert.equal(sharesProcess("import type { TestContext } from 'node:test';\n"), true);
  assert.equal(sharesProcess("import {\n  describe,\n  test,\n} from 'node:test';\n"), true);
  assert.equal(sharesProcess(''), true);
});

test('a file that can reach a hook has a process of its own, however the hook is written', () => {
  for (const source of [
    WITH_HOOK,
    "import { test, after as later } from 'node:test';\n",
    "import {\n  test,\n  afterEach,\n} from 'node:test';\n",
    "import test from 'node:test';\n",
    "import * as runner from 'node:test';\n",
    "import { test } from 'node:test';\n  test.beforeEach(() => {});\n",
    "const { before } = await import('node:test');\n",
    'import { before } from "node:test";\n',
  ])
    assert.equal(sharesProcess(source), false, source);
});

test('the files of a folder share its processes in turn, and slow groups come first', () => {
  const names = (folder: string) => ['a', 'b', 'c', 'd', 'e'].map((name) => `${folder}/${name}.test.ts`);
  const files = [...names('src/core'), 'test/docs.test.ts', ...names('test/integration'), 'test/simulation/day.test.ts'];
  const own = 'src/engine/z.test.ts';
  const groups = groupTests([...files, own], (file) => (file === own ? WITH_HOOK : PLAIN));
  assert.deepEqual(
    groups.map(([name, members]) => `${name} ${members.length}`),
    [
      'test/simulation-a 1',
      ...['a 1', 'b 1', 'c 1', 'd 1', 'e 1'].map((rest) => `test/integration-${rest}`),
      ...['a 2', 'b 2', 'c 1'].map((rest) => `src-${rest}`),
      `${own} 1`,
      'test-a 1',
    ],
  );
  assert.deepEqual(groups.flatMap(([, members]) => members).toSorted(), [...files, own].toSorted());
});

test('code that tests share takes hooks as arguments and imports none', () => {
  for (const folder of ['support', 'conformance'])
    for (const name of readdirSync(join(import.meta.dirname, folder)))
      if (!name.endsWith('.test.ts'))
        assert.equal(sharesProcess(readFileSync(join(import.meta.dirname, folder, name), 'utf8')), true, name);
});
