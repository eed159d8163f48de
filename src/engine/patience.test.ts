import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { MemoryStore } from '../../test/support/memory-store.ts';
import type { HistoryFile } from '../ports.ts';
import { withPatience } from './patience.ts';

class HungStore extends MemoryStore {
  reads = 0;

  override read(): Promise<unknown> {
    this.reads += 1;
    return new Promise(() => undefined);
  }
}

const noHistory: HistoryFile = {
  read: () => Promise.resolve(false),
  write: () => Promise.resolve(),
  setAside: () => Promise.resolve('history.bin.damaged'),
};

test('what can be read is read, and written, as without patience', async () => {
  const store = new MemoryStore();
  const log = new MemoryLog();
  const memory = withPatience({ store, historyFile: noHistory }, { clock: new FakeClock(), log });
  await memory.store.write('learned', { fleet: 1 });
  assert.deepEqual(await memory.store.read('learned'), { fleet: 1 });
  assert.equal(await memory.store.read('waiting-line'), undefined);
  assert.equal(await memory.historyFile.read(() => true), false);
  assert.deepEqual(log.lines, []);
});

test('a disk that does not answer is given up once and for all, said once, and nothing on it is overwritten', async () => {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const store = new HungStore();
  const memory = withPatience({ store, historyFile: noHistory }, { clock, log });
  const reading = memory.store.read('learned');
  await clock.advance(3);
  assert.equal(await reading, undefined);
  assert.equal(await memory.store.read('waiting-line'), undefined);
  assert.equal(await memory.historyFile.read(() => true), false);
  assert.equal(store.reads, 1);
  assert.equal(log.complaints.length, 1, log.complaints.join('\n'));
  await assert.rejects(memory.store.write('learned', 1), { code: 'state-not-read' });
  await assert.rejects(memory.historyFile.write([]), { code: 'state-not-read' });
  assert.equal(store.writes, 0);
});

test('a reading that fails by itself is a failure as before, and others are still tried', async () => {
  const log = new MemoryLog();
  const failing: HistoryFile = {
    ...noHistory,
    read: () => Promise.reject(Object.assign(new Error('no'), { code: 'history-not-read' })),
  };
  const memory = withPatience({ store: new MemoryStore(), historyFile: failing }, { clock: new FakeClock(), log });
  await assert.rejects(
    memory.historyFile.read(() => true),
    { code: 'history-not-read' },
  );
  await memory.store.write('learned', 1);
  assert.equal(await memory.store.read('learned'), 1);
});

test('without a history there is none', () => {
  const memory = withPatience(
    { store: new MemoryStore(), historyFile: undefined },
    { clock: new FakeClock(), log: new MemoryLog() },
  );
  assert.equal(memory.historyFile, undefined);
});
