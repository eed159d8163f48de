import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import type { Clock } from '../ports.ts';
import { watchConfiguration } from './watch.ts';

test('a file that is written in place is reported once, after it stayed the same for a second', async (t) => {
  const { path, look, seen } = await watched(t);
  await writeFile(path, '{"a"');
  await look();
  await writeFile(path, '{"a": 1}');
  await look();
  assert.deepEqual(seen, []);
  await look();
  await look();
  assert.deepEqual(seen, ['{"a": 1}']);
  await writeFile(path, '{"a": 22}');
  await look(2);
  assert.deepEqual(seen, ['{"a": 1}', '{"a": 22}']);
});

test('a file that is replaced by renaming is reported, again and again', async (t) => {
  const { folder, path, look, seen } = await watched(t);
  for (const content of ['one', 'two', 'three']) {
    await writeFile(join(folder, 'new.tmp'), content);
    await rename(join(folder, 'new.tmp'), path);
    await look(2);
  }
  assert.deepEqual(seen, ['one', 'two', 'three']);
});

test('a deleted file is reported, and reported again when it is back', async (t) => {
  const { path, look, seen } = await watched(t);
  await rm(path);
  await look(2);
  await writeFile(path, 'back');
  await look(2);
  assert.deepEqual(seen, ['missing', 'back']);
});

test('a folder of links that is swapped as a whole is reported each time', async (t) => {
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
  const { look, seen } = await watched(t, path);
  await swapTo('..2');
  await look(2);
  await rm(join(folder, '..1'), { recursive: true });
  await swapTo('..3');
  await look(2);
  assert.deepEqual(seen, ['..2', '..3']);
});

test('a link to a file in another folder is followed, also after it points elsewhere', async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of ['one', 'two']) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'real.json'), name);
  }
  const path = join(folder, 'session.json');
  await symlink(join(folder, 'one', 'real.json'), path);
  const { look, seen } = await watched(t, path);
  await writeFile(join(folder, 'one', 'real.json'), 'one, changed');
  await look(2);
  await symlink(join(folder, 'two', 'real.json'), `${path}.new`);
  await rename(`${path}.new`, path);
  await look(2);
  await writeFile(join(folder, 'two', 'real.json'), 'two, changed');
  await look(2);
  assert.deepEqual(seen, ['one, changed', 'two', 'two, changed']);
});

test('a folder that is replaced with everything in it is reported', async (t) => {
  const folder = join(await temporaryFolder(t), 'config');
  const path = join(folder, 'session.json');
  await mkdir(folder);
  await writeFile(path, 'before');
  const { look, seen } = await watched(t, path);
  await rm(folder, { recursive: true });
  await look(2);
  await mkdir(folder);
  await writeFile(path, 'after');
  await look(2);
  assert.deepEqual(seen, ['missing', 'after']);
});

test('changes of other files in the folder are not reported', async (t) => {
  const { folder, look, seen } = await watched(t);
  await writeFile(join(folder, 'other.json'), 'x');
  await look(2);
  assert.deepEqual(seen, []);
});

interface Watched {
  readonly folder: string;
  readonly path: string;
  /** Lets so many seconds pass, with one look each. */
  readonly look: (times?: number) => Promise<void>;
  /** What the file held at each change that was reported. */
  readonly seen: readonly string[];
}

async function watched(t: TestContext, link?: string): Promise<Watched> {
  const folder = await temporaryFolder(t);
  const path = link ?? join(folder, 'session.json');
  if (link === undefined) await writeFile(path, 'before');
  const seen: string[] = [];
  const clock = new SteppedClock();
  const watch = await watchConfiguration(path, { clock, changed: () => seen.push(contentOf(path)) });
  t.after(() => watch.stop());
  const look = async (times = 1): Promise<void> => {
    for (let i = 0; i < times; i += 1) await clock.nextSleep();
  };
  return { folder, path, look, seen };
}

/** A clock on which the next second passes when the test says so. */
class SteppedClock implements Clock {
  #wake = (): void => undefined;
  #asleep = (): void => undefined;

  now(): number {
    return 0;
  }

  wallTime(): number {
    return 0;
  }

  sleep(_seconds: number, signal?: AbortSignal): Promise<void> {
    this.#asleep();
    return new Promise((resolve) => {
      this.#wake = resolve;
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Resolves when the loop sleeps again: it has looked at the file by then. */
  nextSleep(): Promise<void> {
    return new Promise((resolve) => {
      this.#asleep = resolve;
      this.#wake();
    });
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return 'missing';
  }
}
