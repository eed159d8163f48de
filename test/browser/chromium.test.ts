/** Which Chromium the tests of the page use. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findChromium } from '../support/chromium.ts';
import { temporary } from '../support/start-program.ts';

test('the one that is named comes before an installed one, and that before the one of the package', async (t) => {
  const [named, folder] = [join(temporary(t), 'mine'), temporary(t)];
  writeFileSync(named, '');
  writeFileSync(join(folder, 'chromium'), '');
  assert.equal((await findChromium({ CHROMIUM_PATH: named, PATH: folder })).path, named);
  assert.equal((await findChromium({ CHROMIUM_PATH: '', PATH: `/nowhere:${folder}` })).path, join(folder, 'chromium'));
  const packaged = await findChromium({ PATH: '/nowhere' });
  assert.match(packaged.path, /session-server-chromium-/);
  assert.ok(existsSync(packaged.path), packaged.path);
});

test('a named one that is missing is an error that says what to do, and no other is taken', async () => {
  await assert.rejects(findChromium({ CHROMIUM_PATH: '/nowhere/chromium', PATH: process.env['PATH'] }), {
    message: /^There is no file at CHROMIUM_PATH, \/nowhere\/chromium\. .*apt-get install chromium/,
  });
});
