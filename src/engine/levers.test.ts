import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { MemoryStore } from '../../test/support/memory-store.ts';
import type { ChannelTestView } from '../core/monitor-view.ts';
import { Levers } from './levers.ts';

function start(channels: readonly ChannelTestView[] = []) {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const store = new MemoryStore();
  const levers: Levers = new Levers({
    ...{ clock, log, store },
    poller: {
      drain: () => true,
      // As the poller does: whoever resumes hears of it.
      resume(id) {
        levers.resumed(id);
        return true;
      },
    },
    membership: { get: () => undefined, set: () => undefined },
    readServer: () => ({ kind: 'refused', reason: 'it has no address' }),
    sendTest: () => Promise.resolve(channels),
  });
  const said = () => log.lines.map(({ level, message }) => `${level} ${message}`);
  return { clock, log, levers, said };
}

test('the log says who sent a test notification, and of each channel what became of it', async () => {
  const { levers, said } = start([
    { notifier: 'email', recipient: 'admin@example.org', outcome: 'sent', reason: null },
    { notifier: 'webhook chat.example.org', recipient: null, outcome: 'failed', reason: 'it answered 404; check the URL' },
  ]);
  assert.equal((await levers.testNotification('ada')).kind, 'done');
  assert.deepEqual(said(), [
    'info test notification sent by ada',
    'info the test notification was accepted by email',
    'warn the test notification could not be sent by webhook chat.example.org: it answered 404; check the URL',
  ]);
});

test('the log says until when a server is drained, and that its deadline has passed', async () => {
  const { clock, levers, log, said } = start();
  const until = clock.wallTime() + 3600;
  await levers.drain('a:2000', { by: 'ada', reason: 'new disk', until });
  const deadline = new Date(Math.floor(until) * 1000).toISOString().replace('.000', '');
  assert.deepEqual(log.lines[0]?.fields, { by: 'ada', reason: 'new disk', until: deadline });
  await clock.advance(3600);
  levers.resumed('a:2000');
  levers.resumed('a:2000');
  assert.deepEqual(said(), [
    'info a:2000 simulation server drained by ada',
    'info a:2000 simulation server is drained no longer: the deadline that ada set has passed',
  ]);
});

test('who resumes a server before its deadline is the one whom the log names', async () => {
  const { clock, levers, said } = start();
  await levers.drain('a:2000', { by: 'ada', until: clock.wallTime() + 3600 });
  await levers.resume('a:2000', 'bob');
  await clock.advance(3600);
  levers.resumed('a:2000');
  assert.deepEqual(said(), ['info a:2000 simulation server drained by ada', 'info a:2000 simulation server resumed by bob']);
});

test('without a channel there is nothing to test', async () => {
  const { levers } = start();
  const outcome = await levers.testNotification('ada');
  assert.equal(outcome.kind === 'refused' && outcome.code, 'no-notifiers');
});
