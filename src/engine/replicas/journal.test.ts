import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MemoryLog } from '../../../test/support/memory-log.ts';
import { Mirror } from '../../core/replicas/shared-state.ts';
import type { Commit } from '../../ports.ts';
import { Journal } from './journal.ts';

function start() {
  const clock = new FakeClock();
  const commits: Commit[] = [];
  const journal = new Journal({
    ...{ clock, log: new MemoryLog(), leader: 'a', term: 1, mirror: new Mirror() },
    endOfTurn: () => new Promise((resolve) => setImmediate(resolve)),
    store: {
      commit(commit) {
        commits.push(commit);
        return Promise.resolve('done');
      },
    },
    ...{ fenced: () => undefined, forgotten: () => undefined },
  });
  journal.begin();
  return { clock, commits, journal };
}

test('the changes of a turn are one commit, which waits for nothing while few clients do', async () => {
  const { clock, commits, journal } = start();
  const began = clock.now();
  await journal.committed();
  for (let i = 0; i < 3; i += 1) journal.set(`bookings/${i}`, i);
  await journal.committed();
  assert.deepEqual(
    commits.map(({ changes }) => changes.length),
    [0, 3],
  );
  assert.equal(clock.now(), began);
});

test('while many clients wait, the changes of a millisecond are one commit', async () => {
  const { clock, commits, journal } = start();
  await journal.committed();
  journal.set('bookings/0', 0);
  await Promise.all(Array.from({ length: 5 }, () => journal.committed()));
  journal.set('bookings/1', 1);
  const told = journal.committed();
  await clock.advance(0.0005);
  journal.set('bookings/2', 2);
  assert.equal(commits.length, 2);
  await clock.advance(0.0005);
  await told;
  assert.deepEqual(
    commits.map(({ changes }) => changes.length),
    [0, 1, 2],
  );
});
