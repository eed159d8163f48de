import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { MemoryStore } from '../../test/support/memory-store.ts';
import { DEFAULT_ALLOCATION } from '../core/allocation/allocation-parameters.ts';
import { Ledger } from '../core/allocation/ledger.ts';
import { startStateSaver } from './state-saver.ts';

const SERVERS = ['a:2000', 'b:2000', 'c:2000', 'd:2000'];

function fleet(): Ledger {
  const ledger = new Ledger(DEFAULT_ALLOCATION, () => 0.5);
  for (const id of SERVERS) ledger.add(id, {}, 0);
  return ledger;
}

test('a server is not suspected after a clean restart because its sessions have ended', async () => {
  const clock = new FakeClock(0);
  const store = new MemoryStore();
  const before = fleet();
  const stateSaver = startStateSaver({
    ...{ clock, log: new MemoryLog(), store },
    documents: [{ name: 'learned', version: () => before.revision, save: () => before.save(clock.now(), clock.wallTime()) }],
  });
  const loadAt = (id: string, now: number) => (id === 'a:2000' && now >= 70 && now < 1000 ? 42 : 2);
  while (clock.now() <= 1100) {
    for (const id of SERVERS) before.report(id, loadAt(id, clock.now()), clock.now());
    if (clock.now() === 5 || (clock.now() >= 60 && clock.now() < 80))
      before.book({ id: '' }, { tiers: [['a:2000']] }, clock.now());
    await clock.advance(5);
  }
  assert.deepEqual(before.suspects(), []);
  await stateSaver.stop();

  const after = fleet();
  after.restore(await store.read('learned'), clock.now(), clock.wallTime() + 2);
  for (let round = 1; round <= 4; round += 1) for (const id of SERVERS) after.report(id, 2, clock.now() + 5 * round);
  assert.deepEqual(after.suspects(), []);
});

test('an urgent document is written as soon as it changes, and delays no other', async () => {
  const clock = new FakeClock(0);
  const store = new MemoryStore();
  let version = 0;
  const document = (name: string) => ({ name, version: () => version, save: () => version });
  const stateSaver = startStateSaver({
    ...{ clock, log: new MemoryLog(), store },
    documents: [document('often'), { ...document('once'), urgent: true }],
  });
  const written = () => Object.fromEntries(store.documents);
  for (version = 1; version <= 9; version += 1) {
    stateSaver.hurry();
    await clock.advance(1);
    assert.deepEqual(written(), { once: String(version) });
  }
  await clock.advance(1);
  assert.deepEqual(written(), { often: '10', once: '10' });
  await stateSaver.stop();
});
