import assert from 'node:assert/strict';
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { runProgram } from '../launcher/run.ts';
import type { Checkout } from '../ports.ts';
import { createCopies } from './copy.ts';
import { replaceFile } from './replace-file.ts';

const never = new AbortController().signal;

async function fixture(t: TestContext) {
  const folder = await temporaryFolder(t);
  const from = join(folder, 'checkout');
  mkdirSync(join(from, 'worlds'), { recursive: true });
  writeFileSync(join(from, 'worlds/arm.wbt'), 'world');
  symlinkSync('/etc/passwd', join(from, 'secret'));
  const copies = createCopies({ folder: join(folder, 'run'), launcher: { run: runProgram } });
  const checkout = { folder: from } as Checkout;
  return { folder, from, copies, checkout };
}

test('a copy is private: links stay links, and what is written does not reach the checkout', async (t) => {
  const { from, copies, checkout } = await fixture(t);
  const workspace = await copies.open('one', checkout, never);
  assert.equal(readFileSync(join(workspace.folder, 'worlds/arm.wbt'), 'utf8'), 'world');
  assert.ok(lstatSync(join(workspace.folder, 'secret')).isSymbolicLink(), 'a link');
  assert.equal(readlinkSync(join(workspace.folder, 'secret')), '/etc/passwd');
  writeFileSync(join(workspace.folder, 'worlds/arm.wbt'), 'changed');
  assert.equal(readFileSync(join(from, 'worlds/arm.wbt'), 'utf8'), 'world');
});

test('the bytes that a session wrote are counted, and none of them stay', async (t) => {
  const { copies, checkout } = await fixture(t);
  const workspace = await copies.open('one', checkout, never);
  writeFileSync(join(workspace.folder, 'big'), Buffer.alloc(100_000, 1));
  const other = await copies.open('two', checkout, never);
  const [used = 0, none] = await Promise.all([workspace.usage(), other.usage()]);
  assert.ok(used >= 100_000, 'counted');
  assert.ok((none ?? Infinity) <= 4096, 'for each session, but for the folder that it is in');
  await other.close();
  assert.deepEqual(await copies.list(), ['one']);
  await workspace.close();
  assert.deepEqual(await copies.list(), []);
});

test('a session that hides its files in folders without end, or locks them away, leaves nothing', async (t) => {
  const { copies, checkout } = await fixture(t);
  const workspace = await copies.open('one', checkout, never);
  const dig = 'for (let i = 0; i < 300; i += 1) { fs.mkdirSync("x".repeat(100)); process.chdir("x".repeat(100)); }';
  const beside = join(workspace.folder, '..');
  const { status, stderr } = await runProgram([process.execPath, '-e', dig], { cwd: beside });
  assert.equal(status, 0, stderr);
  mkdirSync(join(beside, 'locked/deeper'), { recursive: true });
  chmodSync(join(beside, 'locked'), 0);
  await workspace.close();
  assert.deepEqual(await copies.list(), []);
});

test('what a session writes beside its project is counted, too', async (t) => {
  const { copies, checkout } = await fixture(t);
  const workspace = await copies.open('one', checkout, never);
  mkdirSync(join(workspace.folder, '../session'));
  writeFileSync(join(workspace.folder, '../session/big'), Buffer.alloc(200_000, 1));
  assert.ok(((await workspace.usage()) ?? 0) >= 200_000);
  await workspace.close();
});

test('a copy that is no longer needed stops, and is removed by its id', async (t) => {
  const { copies, checkout } = await fixture(t);
  await assert.rejects(copies.open('one', checkout, AbortSignal.abort()));
  await copies.remove('one');
  assert.deepEqual(await copies.list(), []);
});

test('a file is replaced in place, and never through a link on the way to it', async (t) => {
  const { folder } = await fixture(t);
  const project = join(folder, 'project');
  mkdirSync(join(project, 'controllers/arm'), { recursive: true });
  mkdirSync(join(folder, 'outside'));
  writeFileSync(join(folder, 'outside/arm.py'), 'precious');
  writeFileSync(join(project, 'controllers/arm/arm.py'), 'a longer text than the new one');
  assert.equal(await replaceFile(project, 'controllers/arm/arm.py', Buffer.from('new')), true);
  assert.equal(readFileSync(join(project, 'controllers/arm/arm.py'), 'utf8'), 'new');
  symlinkSync(join(folder, 'outside'), join(project, 'controllers/link'));
  symlinkSync(join(folder, 'outside/arm.py'), join(project, 'controllers/arm/link.py'));
  for (const path of ['controllers/link/arm.py', 'controllers/arm/link.py', 'controllers/arm', 'controllers/none/x.py'])
    assert.equal(await replaceFile(project, path, Buffer.from('evil')), false, path);
  assert.equal(readFileSync(join(folder, 'outside/arm.py'), 'utf8'), 'precious');
  assert.ok(!existsSync(join(project, 'controllers/none')), 'nothing is made');
});
