import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { readInTime } from './state-loader.ts';

function scene() {
  return { clock: new FakeClock(), log: new MemoryLog() };
}

test('a value that is read in time is returned', async () => {
  const { clock, log } = scene();
  assert.deepEqual(await readInTime(() => Promise.resolve({ learned: 1 }), { clock, log }), { learned: 1 });
  assert.deepEqual(log.lines, []);
});

test('a disk that does not answer is waited for 3 seconds, then the start continues without state, whatever comes later', async () => {
  const { clock, log } = scene();
  let answer: (state: object) => void = () => undefined;
  const results: unknown[] = [];
  const reading = readInTime(() => new Promise<object>((resolve) => (answer = resolve)), { clock, log });
  void reading.then((state) => results.push(state));
  await clock.advance(2.9);
  assert.deepEqual(results, []);
  await clock.advance(0.1);
  assert.deepEqual(results, [undefined]);
  assert.match(log.complaints.join('\n'), /^the state folder did not answer within 3 s; .*restart the session server/);
  answer({ learned: 1 });
  await clock.advance(60);
  assert.equal(log.lines.length, 1);
});

test('a failure in time is thrown, and a late one does no harm', async () => {
  const { clock, log } = scene();
  await assert.rejects(
    readInTime(() => Promise.reject(new TypeError('a bug')), { clock, log }),
    { message: 'a bug' },
  );
  let fail: (error: Error) => void = () => undefined;
  const late = readInTime(() => new Promise<object>((_, reject) => (fail = reject)), { clock, log });
  await clock.advance(3);
  assert.equal(await late, undefined);
  fail(new Error('the disk is gone'));
  await clock.advance(1);
});
