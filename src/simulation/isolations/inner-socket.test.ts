import assert from 'node:assert/strict';
import { renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { InnerSocket } from './inner-socket.ts';

async function listening(t: TestContext, path: string, word: string): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => undefined).end(word));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(() => server.close());
}

test('a link to a socket of this machine is not the socket of a session', async (t) => {
  const folder = await temporaryFolder(t);
  await listening(t, join(folder, 'precious'), 'precious');
  symlinkSync(join(folder, 'precious'), join(folder, 's'));
  const inner = new InnerSocket(join(folder, 's'));
  assert.equal(await inner.isListening(), false);
});

test('what is put in the place of the socket later is not reached', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 's');
  const inner = new InnerSocket(path);
  assert.equal(await inner.isListening(), false, 'not there yet');
  await listening(t, path, 'own');
  await listening(t, join(folder, 'precious'), 'precious');
  assert.equal(await inner.isListening(), true);
  renameSync(path, join(folder, 'away'));
  symlinkSync(join(folder, 'precious'), path);
  assert.equal(await wordAt(inner.path), 'own');
  unlinkSync(path);
  await inner.close();
  assert.equal(await inner.isListening(), false, 'not after its end');
});

function wordAt(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    connect({ path })
      .setEncoding('utf8')
      .on('data', (part: string) => (text += part))
      .on('end', () => resolve(text))
      .on('error', reject);
  });
}
