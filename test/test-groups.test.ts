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

test('files of one folder share a process, tests of whole programs share four, and slow groups come first', () => {
  const sources: Record<string, string> = {
    'src/engine/b.test.ts': PLAIN,
    'src/core/a.test.ts': PLAIN,
    'src/core/b.test.ts': PLAIN,
    'src/core/c.test.ts': WITH_HOOK,
    'test/docs.test.ts': PLAIN,
    ...Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [`test/integration/${name}.test.ts`, PLAIN])),
  };
  const groups = groupTests(Object.keys(sources), (file) => sources[file] ?? '');
  assert.deepEqual(
    groups.map(([, files]) => files.length),
    [2, 1, 1, 1, 2, 1, 1, 1],
  );
  assert.deepEqual(groups.flatMap(([, files]) => files).toSorted(), Object.keys(sources).toSorted());
  const together = groups.find(([, files]) => files.includes('src/core/a.test.ts'))?.[1];
  assert.deepEqual(together, ['src/core/a.test.ts', 'src/core/b.test.ts']);
});

test('code that tests share takes hooks as arguments and imports none', () => {
  for (const folder of ['support', 'conformance'])
    for (const name of readdirSync(join(import.meta.dirname, folder)))
      if (!name.endsWith('.test.ts'))
        assert.equal(sharesProcess(readFileSync(join(import.meta.dirname, folder, name), 'utf8')), true, name);
});
