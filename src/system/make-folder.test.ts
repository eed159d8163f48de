import assert from 'node:assert/strict';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporary } from '../../test/support/start-program.ts';
import { makeFolder, makeFolderSync } from './make-folder.ts';

const forms = [
  ['at once', (path: string) => Promise.resolve().then(() => makeFolderSync(path))],
  ['without blocking', makeFolder],
] as const;

test('missing folders are made, and the topmost of them is named', async (t) => {
  const folder = temporary(t);
  const path = join(folder, 'a', 'b', 'c');
  assert.equal(await makeFolder(path, 0o700), join(folder, 'a'));
  assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.equal(await makeFolder(path), undefined, 'it is there already');
  assert.equal(await makeFolder(join(path, 'd')), join(path, 'd'));
});

test('a strict umask takes nothing away from the mode that is named', async (t) => {
  const folder = temporary(t);
  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  await makeFolder(join(folder, 'a', 'b'), 0o755);
  await makeFolder(join(folder, 'c'));
  const modes = ['a', 'a/b', 'c'].map((path) => statSync(join(folder, path)).mode & 0o777);
  assert.deepEqual(modes, [0o755, 0o755, 0o700]);
});

for (const [form, make] of forms) {
  test(`missing folders are made, ${form}, and those that exist are left alone`, async (t) => {
    const path = join(temporary(t), 'a', 'b');
    await make(path);
    await make(path);
    assert.ok(statSync(path).isDirectory());
  });

  test(`a file where a folder should be is an error, ${form}`, async (t) => {
    const path = join(temporary(t), 'file');
    writeFileSync(path, '');
    await assert.rejects(make(path), { code: 'EEXIST' });
    await assert.rejects(make(join(path, 'below')), { code: 'ENOTDIR' });
  });

  test(`a folder that cannot be created although its parent exists is an error and not retried indefinitely, ${form}`, async () => {
    await assert.rejects(make('/proc/session-server/below'), { code: 'ENOENT' });
  });

  test(`a folder that exists and may not be made is there, ${form}`, async (t) => {
    const folder = temporary(t);
    mkdirSync(join(folder, 'sealed'), { mode: 0o500 });
    await make(join(folder, 'sealed'));
    await make('/');
  });
}
