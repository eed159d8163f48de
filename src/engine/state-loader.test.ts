import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { MemoryStore } from '../../test/support/memory-store.ts';
import type { HistoryFile } from '../ports.ts';
import { createStateLoader } from './state-loader.ts';

/** A disk that answers when it is told to. */
class SlowStore extends MemoryStore {
  answer: () => void = () => undefined;
  readonly #answers = new Promise<void>((resolve) => (this.answer = resolve));

  override async read(name: string): Promise<unknown> {
    await this.#answers;
    return super.read(name);
  }
}

const noHistory: HistoryFile = {
  read: () => Promise.resolve(false),
  write: () => Promise.resolve(),
  setAside: () => Promise.resolve('history.bin.damaged'),
};

function scene<Store extends MemoryStore>(store: Store, historyFile: HistoryFile = noHistory) {
  const clock = new FakeClock();
  const log = new MemoryLog();
  return { clock, log, store, recalling: createStateLoader({ store, historyFile }, { clock, log }) };
}

test('what is read in time is taken up before the start goes on, and written from then on', async () => {
  const { log, store, recalling } = scene(new MemoryStore());
  store.documents.set('learned', '{"fleet":1}');
  const { memory } = recalling;
  const taken: unknown[] = [];
  await recalling.wait(
    async () => void taken.push(await memory.store.read('learned')),
    () => assert.fail('it was in time'),
  );
  assert.deepEqual(taken, [{ fleet: 1 }]);
  await memory.store.write('learned', { fleet: 2 });
  assert.equal(store.documents.get('learned'), '{"fleet":2}');
  assert.equal(recalling.isLate(), false);
  assert.deepEqual(log.lines, []);
});

test('a disk that is slow is waited for 3 seconds, and what it held is taken up when it answers', async () => {
  const { clock, log, store, recalling } = scene(new SlowStore());
  store.documents.set('learned', '1');
  const happened: unknown[] = [];
  const waiting = recalling
    .wait(
      async () => void happened.push(await recalling.memory.store.read('learned')),
      () => void happened.push('late'),
    )
    .then(() => void happened.push('goes on'));
  await clock.advance(2.9);
  assert.deepEqual(happened, []);
  await clock.advance(0.1);
  await waiting;
  assert.equal(recalling.isLate(), true);
  assert.equal(log.complaints.length, 1, log.complaints.join('\n'));
  await clock.advance(17);
  store.answer();
  await clock.advance(0);
  assert.deepEqual(happened, ['goes on', 1, 'late']);
  assert.match(log.lines.at(-1)?.message ?? '', /^the state folder answered after 20 s: /);
  assert.equal(log.complaints.length, 1, log.complaints.join('\n'));
});

test('nothing is written over what was not read yet, the history neither', async () => {
  let tell: () => void = () => undefined;
  const slow: HistoryFile = { ...noHistory, read: () => new Promise((resolve) => (tell = () => resolve(false))) };
  const { clock, store, recalling } = scene(new SlowStore(), slow);
  const { memory } = recalling;
  const reading = memory.store.read('learned');
  const readingHistory = memory.historyFile.read(() => true);
  await assert.rejects(memory.store.write('learned', 1), { code: 'state-not-read' });
  await assert.rejects(memory.historyFile.write([]), { code: 'state-not-read' });
  assert.equal(store.writes, 0);
  store.answer();
  tell();
  await Promise.all([clock.advance(0), reading, readingHistory]);
  await memory.store.write('learned', 1);
  await memory.historyFile.write([]);
  await assert.rejects(memory.store.write('decisions', 1), { code: 'state-not-read' }, 'another document');
  assert.equal(store.writes, 1);
});

test('a failure in taking up is thrown at the start, and told in the log when it comes late', async () => {
  const { clock, log, store, recalling } = scene(new SlowStore());
  const takeUp = async () => {
    await recalling.memory.store.read('learned');
    throw new TypeError('a bug');
  };
  const waiting = recalling.wait(takeUp, () => assert.fail('it failed'));
  await clock.advance(3);
  await waiting;
  store.answer();
  await clock.advance(0);
  assert.equal(log.complaints.length, 2, log.complaints.join('\n'));
  await assert.rejects(
    recalling.wait(takeUp, () => assert.fail('it failed')),
    { message: 'a bug' },
  );
});

test('without a history there is none', () => {
  const { memory } = createStateLoader(
    { store: new MemoryStore(), historyFile: undefined },
    { clock: new FakeClock(), log: new MemoryLog() },
  );
  assert.equal(memory.historyFile, undefined);
});
