import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { createHistoryFile } from './history-file.ts';

async function contentOf(file: ReturnType<typeof createHistoryFile>): Promise<Buffer | undefined> {
  const pieces: Uint8Array[] = [];
  const there = await file.read((piece) => {
    pieces.push(piece.slice());
    return true;
  });
  return there ? Buffer.concat(pieces) : undefined;
}

test('a written history is read again, larger than any piece', async (t) => {
  const folder = join(await temporaryFolder(t), 'state');
  const file = createHistoryFile(folder);
  assert.equal(await contentOf(file), undefined);
  const pieces = Array.from({ length: 50 }, (_, index) => new Uint8Array(70_000).fill(index));
  await file.write(pieces);
  assert.deepEqual(await contentOf(file), Buffer.concat(pieces));
  await file.write([new Uint8Array([1, 2])]);
  assert.deepEqual(await contentOf(file), Buffer.from([1, 2]));
  assert.deepEqual(await readdir(folder), ['history.bin']);
  assert.equal((await stat(join(folder, 'history.bin'))).mode & 0o777, 0o600);
});

test('reading ends when enough was seen', async (t) => {
  const file = createHistoryFile(await temporaryFolder(t));
  await file.write([new Uint8Array(5_000_000)]);
  let taken = 0;
  await file.read(() => ++taken < 2);
  assert.equal(taken, 2);
});

test('a writing that fails in the middle leaves the old file and nothing else', async (t) => {
  const folder = await temporaryFolder(t);
  const file = createHistoryFile(folder);
  await file.write([new Uint8Array([7])]);
  const failing = function* (): Iterable<Uint8Array> {
    yield new Uint8Array(10);
    throw new Error('no more');
  };
  await assert.rejects(file.write(failing()), { code: 'history-not-written' });
  assert.deepEqual(await contentOf(file), Buffer.from([7]));
  assert.deepEqual(await readdir(folder), ['history.bin']);
});

test('a folder that cannot be one is a failure with a code', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'state'), '');
  const file = createHistoryFile(join(folder, 'state'));
  await assert.rejects(file.write([]), { code: 'history-not-written' });
  await assert.rejects(
    file.read(() => true),
    { code: 'history-not-read' },
  );
});

test('a link, a folder or a pipe in the place of the file is not followed', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'secret'), 'secret');
  await symlink(join(folder, 'secret'), join(folder, 'history.bin'));
  await assert.rejects(
    createHistoryFile(folder).read(() => true),
    { code: 'history-not-read' },
  );
  await mkdir(join(folder, 'pipe'));
  await promisify(execFile)('mkfifo', [join(folder, 'pipe', 'history.bin')]);
  await assert.rejects(
    createHistoryFile(join(folder, 'pipe')).read(() => true),
    { code: 'history-not-read' },
  );
  await mkdir(join(folder, 'other', 'history.bin'), { recursive: true });
  await assert.rejects(
    createHistoryFile(join(folder, 'other')).read(() => true),
    { code: 'history-not-read' },
  );
});

test('a file that is set aside keeps its content under another name', async (t) => {
  const folder = await temporaryFolder(t);
  const file = createHistoryFile(folder);
  await file.write([new Uint8Array([9])]);
  const aside = await file.setAside();
  assert.deepEqual(await readFile(aside), Buffer.from([9]));
  assert.equal(await contentOf(file), undefined);
});
