import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { lockFolder } from './folder-lock.ts';

/** Another process, which holds the lock until it is killed. */
async function holder(t: TestContext, folder: string) {
  const program = `
    import { lockFolder } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'folder-lock.ts')).href)};
    const lock = await lockFolder(${JSON.stringify(folder)});
    setInterval(() => undefined, 1000);
    console.log(lock.kind);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  assert.equal(said.toString().trim(), 'locked');
  return {
    pid: child.pid,
    async kill() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

test('one process gets the lock, the next one learns which, and a killed one leaves nothing in the way', async (t) => {
  const folder = await temporaryFolder(t);
  const other = await holder(t, folder);
  assert.deepEqual(await lockFolder(folder), { kind: 'held', holder: String(other.pid) });
  await other.kill();
  const lock = await lockFolder(folder);
  assert.ok(lock.kind === 'locked');
  assert.equal((await lockFolder(folder)).kind, 'held');
  await lock.release();
  assert.deepEqual(readdirSync(folder), []);
  const again = await lockFolder(folder);
  assert.ok(again.kind === 'locked');
  await again.release();
});

test('of many that come at once after a crash exactly one gets the lock', async (t) => {
  const folder = await temporaryFolder(t);
  const other = await holder(t, folder);
  await other.kill();
  const locks = await Promise.all(Array.from({ length: 20 }, () => lockFolder(folder)));
  assert.equal(locks.filter(({ kind }) => kind === 'locked').length, 1);
  for (const lock of locks) if (lock.kind === 'locked') await lock.release();
});

test('a folder with a long path is locked, and one that cannot be used is reported', async (t) => {
  const folder = join(await temporaryFolder(t), 'x'.repeat(120), 'y'.repeat(120));
  const lock = await lockFolder(folder);
  assert.ok(lock.kind === 'locked');
  await lock.release();
  const file = join(await temporaryFolder(t), 'file');
  writeFileSync(file, '');
  assert.equal((await lockFolder(join(file, 'state'))).kind, 'impossible');
});
