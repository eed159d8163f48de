/** Which Chromium the tests of the page use. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findChromium } from '../support/chromium.ts';
import { temporary } from '../support/start-program.ts';

test('the named one comes first, then that of the package, then an installed one', async (t) => {
  const [named, folder] = [join(temporary(t), 'mine'), temporary(t)];
  writeFileSync(named, '');
  writeFileSync(join(folder, 'chromium'), '');
  assert.equal((await findChromium({ CHROMIUM_PATH: named, PATH: folder })).path, named);
  const packaged = await findChromium({ CHROMIUM_PATH: '', PATH: folder }, true);
  assert.match(packaged.path, /session-server-chromium-/);
  assert.ok(existsSync(packaged.path), packaged.path);
  assert.equal((await findChromium({ PATH: `/nowhere:${folder}` }, false)).path, join(folder, 'chromium'));
  await assert.rejects(findChromium({ PATH: '/nowhere' }, false), /^Error: There is no Chromium on this machine/);
});

test('a named one that is missing is an error that says what to do, and no other is taken', async () => {
  await assert.rejects(findChromium({ CHROMIUM_PATH: '/nowhere/chromium', PATH: process.env['PATH'] }), {
    message: /^There is no file at CHROMIUM_PATH, \/nowhere\/chromium\. .*apt-get install chromium/,
  });
});
