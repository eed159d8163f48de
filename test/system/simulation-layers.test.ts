/** Layers for the files of sessions, mounted for real. Needs the right to mount. */
import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { runProgram } from '../../src/simulation/launcher/run.ts';
import type { Workspaces } from '../../src/simulation/ports.ts';
import { tryOverlay } from '../../src/simulation/workspaces/overlay.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const never = new AbortController().signal;

async function fixture(t: TestContext) {
  const opened: Workspaces[] = [];
  // Before the folder is removed.
  t.after(() => Promise.all(opened.map((one) => one.close())));
  const folder = await temporaryFolder(t);
  const checkout = { folder: join(folder, 'checkout') };
  mkdirSync(join(checkout.folder, 'worlds'), { recursive: true });
  writeFileSync(join(checkout.folder, 'worlds/arm.wbt'), 'world');
  const runs: (string | undefined)[] = [];
  const launcher = {
    run: (argv: readonly string[]) => {
      runs.push(argv[0]);
      return runProgram(argv);
    },
  };
  const limits = { disk: 4_000_000, files: 1000 };
  const open = async () => {
    const tried = await tryOverlay({ folder: join(folder, 'run'), launcher, limits: () => limits });
    assert.ok(tried.kind === 'works', JSON.stringify(tried));
    opened.push(tried.workspaces);
    return tried.workspaces;
  };
  const mounted = () => readFileSync('/proc/self/mountinfo', 'utf8').split(` ${folder}/`).length - 1;
  return { folder, checkout, runs, limits, open, mounted };
}

test('the layer of a small project is used again, with nothing of the session before', async (t) => {
  const { checkout, runs, limits, open, mounted } = await fixture(t);
  const workspaces = await open();
  assert.equal(mounted(), 0, 'nothing of the trial stays');
  const first = await workspaces.open('one', checkout, never);
  writeFileSync(join(first.folder, 'worlds/arm.wbt'), 'changed');
  writeFileSync(join(first.folder, '../beside'), 'of the first');
  assert.equal(readFileSync(join(checkout.folder, 'worlds/arm.wbt'), 'utf8'), 'world', 'the checkout is as it was');
  await first.close();
  assert.deepEqual(await workspaces.list(), []);
  const before = runs.length;
  const second = await workspaces.open('two', checkout, never);
  assert.equal(runs.length, before, 'nothing was mounted');
  assert.equal(readFileSync(join(second.folder, 'worlds/arm.wbt'), 'utf8'), 'world');
  assert.deepEqual(readdirSync(join(second.folder, '..')), ['project']);
  assert.throws(() => writeFileSync(join(second.folder, 'big'), Buffer.alloc(limits.disk)), { code: 'ENOSPC' });
  limits.disk *= 2;
  const third = await workspaces.open('three', checkout, never);
  writeFileSync(join(third.folder, 'big'), Buffer.alloc(limits.disk / 2));
  assert.ok(((await third.usage()) ?? 0) >= limits.disk / 2);
  await Promise.all([second.close(), third.close()]);
  await workspaces.close();
  assert.equal(mounted(), 0, 'nothing stays mounted');
});

test('a layer that something still uses, or that cannot be emptied, is not used again', async (t) => {
  const { checkout, runs, open } = await fixture(t);
  const workspaces = await open();
  const first = await workspaces.open('one', checkout, never);
  const held = openSync(join(first.folder, 'held'), 'w');
  await assert.rejects(first.close(), { code: 'mount' });
  closeSync(held);
  await workspaces.remove('one');
  const second = await workspaces.open('two', checkout, never);
  const dig = 'for (let i = 0; i < 60; i += 1) { fs.mkdirSync("x".repeat(100)); process.chdir("x".repeat(100)); }';
  await runProgram([process.execPath, '-e', dig], { cwd: second.folder });
  const before = runs.length;
  await second.close();
  // Others are mounted meanwhile for sessions to come.
  assert.deepEqual(
    runs.slice(before).filter((program) => program === 'umount'),
    ['umount'],
  );
  assert.deepEqual(await workspaces.list(), []);
});

test('a larger project lies below the layer, and what a killed server left waiting is removed by the next', async (t) => {
  const { folder, checkout, open, mounted } = await fixture(t);
  writeFileSync(join(checkout.folder, 'large'), Buffer.alloc(500_000));
  const small = { folder: join(folder, 'small') };
  mkdirSync(small.folder);
  const killed = await open();
  await (await killed.open('one', small, never)).close();
  await eventually('layers for sessions to come', () => mounted() === 8);
  const workspaces = await open();
  assert.equal(mounted(), 0);
  const workspace = await workspaces.open('two', checkout, never);
  assert.ok(((await workspace.usage()) ?? Infinity) < 100_000, 'nothing was copied');
  writeFileSync(join(workspace.folder, 'worlds/arm.wbt'), 'changed');
  assert.equal(readFileSync(join(checkout.folder, 'worlds/arm.wbt'), 'utf8'), 'world');
  await workspace.close();
  assert.deepEqual(await workspaces.list(), []);
});
