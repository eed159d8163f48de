import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { watchConfiguration } from './watch.ts';

const limit = { timeout: 20_000 };

test('a file written in place is told once, when it is complete', limit, async (t) => {
  const { path, next, seen } = await watched(t);
  for (const part of ['{"a"', '{"a": 1', '{"a": 1}']) writeFileSync(path, part);
  assert.equal(await next(), '{"a": 1}');
  await writeFile(path, '{"a": 2}');
  assert.equal(await next(), '{"a": 2}');
  assert.deepEqual(seen, ['{"a": 1}', '{"a": 2}']);
});

test('a file replaced by renaming is told, again and again', limit, async (t) => {
  const { folder, path, next } = await watched(t);
  for (const content of ['one', 'two', 'three']) {
    await writeFile(join(folder, 'new.tmp'), content);
    await rename(join(folder, 'new.tmp'), path);
    assert.equal(await next(), content);
  }
});

test('a file deleted and made again at once is told as one change', limit, async (t) => {
  const { path, next, seen } = await watched(t);
  rmSync(path);
  writeFileSync(path, 'again');
  assert.equal(await next(), 'again');
  assert.deepEqual(seen, ['again']);
});

test('a deleted file is told, and told again when it is back', limit, async (t) => {
  const { path, next } = await watched(t);
  await rm(path);
  assert.equal(await next(), 'missing');
  await writeFile(path, 'back');
  assert.equal(await next(), 'back');
});

test('a folder of links that is swapped as a whole is told each time', limit, async (t) => {
  const folder = await temporaryFolder(t);
  const swapTo = async (version: string): Promise<void> => {
    await mkdir(join(folder, version));
    await writeFile(join(folder, version, 'session.json'), version);
    await symlink(version, join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  };
  await swapTo('..1');
  const path = join(folder, 'session.json');
  await symlink(join('..data', 'session.json'), path);
  const { next } = await watched(t, path);
  await swapTo('..2');
  assert.equal(await next(), '..2');
  await rm(join(folder, '..1'), { recursive: true });
  await swapTo('..3');
  assert.equal(await next(), '..3');
});

test('a link to a file in another folder is followed, also after it points elsewhere', limit, async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of ['one', 'two', 'links']) await mkdir(join(folder, name));
  for (const name of ['one', 'two']) await writeFile(join(folder, name, 'real.json'), name);
  const path = join(folder, 'links', 'session.json');
  await symlink(join(folder, 'one', 'real.json'), path);
  const { next } = await watched(t, path);
  await writeFile(join(folder, 'one', 'real.json'), 'one, changed');
  assert.equal(await next(), 'one, changed');
  await symlink(join(folder, 'two', 'real.json'), `${path}.new`);
  await rename(`${path}.new`, path);
  assert.equal(await next(), 'two');
  await writeFile(join(folder, 'two', 'real.json'), 'two, changed');
  assert.equal(await next(), 'two, changed');
});

test('a folder that is replaced with everything in it is told, and watched on', limit, async (t) => {
  const folder = join(await temporaryFolder(t), 'config');
  const path = join(folder, 'session.json');
  await mkdir(folder);
  await writeFile(path, 'before');
  const { next } = await watched(t, path);
  await rm(folder, { recursive: true });
  assert.equal(await next(), 'missing');
  await mkdir(folder);
  await writeFile(path, 'after');
  assert.equal(await next(), 'after');
  await writeFile(path, 'later');
  assert.equal(await next(), 'later');
});

test('what happens to other files of the folder is not told', limit, async (t) => {
  const { folder, path, next, seen } = await watched(t);
  await writeFile(join(folder, 'other.json'), 'x');
  await rm(join(folder, 'other.json'));
  await writeFile(path, 'mine');
  assert.equal(await next(), 'mine');
  assert.deepEqual(seen, ['mine']);
});

interface Watched {
  readonly folder: string;
  readonly path: string;
  /** What the file holds at the next change. */
  readonly next: () => Promise<string>;
  readonly seen: readonly string[];
}

async function watched(t: TestContext, link?: string): Promise<Watched> {
  const folder = await temporaryFolder(t);
  const path = link ?? join(folder, 'session.json');
  if (link === undefined) await writeFile(path, 'before');
  const seen: string[] = [];
  let taken = 0;
  let wake = (): void => undefined;
  const watch = await watchConfiguration(path, {
    restMs: 100,
    changed: () => {
      seen.push(contentOf(path));
      wake();
    },
    failed: (error) => assert.fail(String(error)),
  });
  t.after(() => watch.close());
  const next = async (): Promise<string> => {
    while (seen.length <= taken) await new Promise<void>((resolve) => (wake = resolve));
    return seen[taken++] ?? '';
  };
  return { folder, path, next, seen };
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return 'missing';
  }
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'session-server-watch-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
