import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chown, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { createFileStore } from './file.ts';

test('a written document is read, also by the next process', async (t) => {
  const folder = join(await temporaryFolder(t), 'made', 'when', 'needed');
  const log = new MemoryLog();
  await createFileStore({ folder, log }).write('learned', { fleet: 1.5 });
  assert.deepEqual(await createFileStore({ folder, log }).read('learned'), { fleet: 1.5 });
  assert.deepEqual(await readdir(folder), ['learned.json']);
  assert.deepEqual(log.lines, []);
});

test('a document that was never written is absent, without a warning', async (t) => {
  const log = new MemoryLog();
  assert.equal(await createFileStore({ folder: await temporaryFolder(t), log }).read('learned'), undefined);
  assert.deepEqual(log.lines, []);
});

test('writes of one document follow each other: the last one stays', async (t) => {
  const store = createFileStore({ folder: await temporaryFolder(t), log: new MemoryLog() });
  await Promise.all(Array.from({ length: 20 }, (_, i) => store.write('n', i)));
  assert.equal(await store.read('n'), 19);
});

for (const [title, prepare] of [
  ['truncated', (path: string) => writeFile(path, '{"fleet": 1.')],
  ['empty', (path: string) => writeFile(path, '')],
  ['too large', (path: string) => writeFile(path, JSON.stringify('x'.repeat(2000)))],
  ['a folder', (path: string) => mkdir(path)],
  ['a pipe', (path: string) => promisify(execFile)('mkfifo', [path])],
  ['a link', (path: string) => symlink('/etc/hostname', path)],
] as const) {
  test(`a file that is ${title} is set aside with a line in the log, and the service continues`, async (t) => {
    const folder = await temporaryFolder(t);
    await prepare(join(folder, 'learned.json'));
    const log = new MemoryLog();
    const store = createFileStore({ folder, log, maxBytes: 1000 });
    assert.equal(await store.read('learned'), undefined);
    assert.equal(log.complaints.length, 1);
    assert.deepEqual(await readdir(folder), ['learned.json.damaged']);
    await store.write('learned', 1);
    assert.equal(await store.read('learned'), 1);
  });
}

test('a file that the program cannot use is renamed, with a line in the log that says why', async (t) => {
  const folder = await temporaryFolder(t);
  const log = new MemoryLog();
  const store = createFileStore({ folder, log });
  await store.write('learned', { version: 99 });
  await store.setAside('learned', 'it is of version 99');
  assert.equal(await store.read('learned'), undefined);
  assert.deepEqual(await readdir(folder), ['learned.json.foreign']);
  assert.deepEqual(
    log.lines.map(({ level, fields }) => [level, fields]),
    [['warn', { reason: 'it is of version 99' }]],
  );
});

test('a file of another user is not believed', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'learned.json');
  await writeFile(path, '1');
  const log = new MemoryLog();
  // Only root can give files away; without that right, another user's file is one this process cannot make, and the rule is tried by the other cases.
  if (process.getuid?.() === 0) await chown(path, 12_345, 12_345);
  const found = await createFileStore({ folder, log }).read('learned');
  assert.equal(found, process.getuid?.() === 0 ? undefined : 1);
});

test('a folder that cannot be written gives an error with a code, and leaves nothing behind', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'file'), '');
  const store = createFileStore({ folder: join(folder, 'file'), log: new MemoryLog() });
  await assert.rejects(store.write('learned', 1), { code: 'state-not-written' });
});
