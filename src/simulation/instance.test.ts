import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { takeInstance } from './instance.ts';

test('a folder is used by one server at a time, and its name stays the same', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await takeInstance(folder);
  await assert.rejects(takeInstance(folder), { code: 'in-use' });
  await first.release();
  const second = await takeInstance(folder);
  t.after(() => second.release());
  assert.equal(second.name, first.name);
  assert.match(first.name, /^[0-9a-f]{12}$/);
});
