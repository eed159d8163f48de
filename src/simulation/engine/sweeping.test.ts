import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { Sweeping } from './sweeping.ts';

function fixture(found: string[], living: readonly string[]) {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const removed: string[] = [];
  const keeper = {
    name: 'program',
    list: () => Promise.resolve([...found]),
    remove: (id: string) => {
      if (id === 'stuck') return Promise.reject(new Error('it does not end'));
      removed.push(id);
      found.splice(found.indexOf(id), 1);
      return Promise.resolve();
    },
  };
  const sweeping = new Sweeping({ clock, log, keepers: [keeper], living: () => new Set(living) });
  return { clock, log, removed, sweeping };
}

test('leftovers without a session are ended, and processes of a session continue', async () => {
  const { sweeping, removed } = fixture(['mine', 'old'], ['mine']);
  assert.equal(await sweeping.sweep(), 1);
  assert.deepEqual(removed, ['old']);
});

test('a leftover that cannot be ended does not stop the removal of the others, and is tried again', async () => {
  const { sweeping, removed, log } = fixture(['stuck', 'old'], []);
  assert.equal(await sweeping.sweep(), 1);
  assert.deepEqual(removed, ['old']);
  assert.ok(
    log.complaints.some((line) => line.includes('stuck')),
    'it is logged',
  );
  assert.equal(await sweeping.sweep(), 0);
});

test('while running it compares every 30 s and counts what it finds', async (t) => {
  const found: string[] = [];
  const { sweeping, clock } = fixture(found, []);
  sweeping.start();
  t.after(() => sweeping.stop());
  await clock.advance(31);
  assert.equal(sweeping.found, 0);
  found.push('lost');
  await clock.advance(30);
  assert.equal(sweeping.found, 1);
});
