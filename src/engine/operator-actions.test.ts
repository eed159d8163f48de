import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { MemoryStore } from '../../test/support/memory-store.ts';
import type { ChannelTestView } from '../core/views/monitor-view.ts';
import { OperatorActions } from './operator-actions.ts';
import { startStateSaver } from './state-saver.ts';

/** As they are before the acts of the last run were read. */
function begin(channels: readonly ChannelTestView[] = [], store = new MemoryStore()) {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const drained = new Map<string, string | undefined>();
  const levers: OperatorActions = new OperatorActions({
    ...{ clock, log, store },
    poller: {
      drain(id, { reason }) {
        drained.set(id, reason);
        return true;
      },
      // As the poller does: whoever resumes hears of it.
      resume(id) {
        drained.delete(id);
        levers.resumed(id);
        return true;
      },
    },
    membership: { get: () => undefined, set: () => undefined },
    readServer: () => ({ kind: 'refused', reason: 'it has no address' }),
    sendTest: () => Promise.resolve(channels),
    forget: () => false,
  });
  const said = () => log.lines.map(({ level, message }) => `${level} ${message}`);
  return { clock, log, levers, said, store, drained };
}

async function start(channels: readonly ChannelTestView[] = []) {
  const scene = begin(channels);
  await scene.levers.recall();
  return scene;
}

test('the log says who sent a test notification, and of each channel what became of it', async () => {
  const { levers, said } = await start([
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
  const { clock, levers, log, said } = await start();
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
  const { clock, levers, said } = await start();
  await levers.drain('a:2000', { by: 'ada', until: clock.wallTime() + 3600 });
  await levers.resume('a:2000', 'bob');
  await clock.advance(3600);
  levers.resumed('a:2000');
  assert.deepEqual(said(), ['info a:2000 simulation server drained by ada', 'info a:2000 simulation server resumed by bob']);
});

test('what a full disk did not take of the acts is written when it has room again, and at the end at the latest', async () => {
  const { clock, levers, log, said, store } = await start();
  const remembering = startStateSaver({ clock, log, store, documents: levers.documents });
  store.failing = true;
  await levers.drain('a:2000', { by: 'ada' });
  await clock.advance(30);
  assert.equal(store.documents.has('drains'), false);
  store.failing = false;
  await clock.advance(10);
  assert.match(store.documents.get('drains') ?? '', /"a:2000"/);
  store.failing = true;
  await levers.resume('a:2000', 'ada');
  store.failing = false;
  await remembering.stop();
  assert.equal(store.documents.get('drains'), '{}');
  assert.equal(said().filter((line) => /^error this act is in force, but could not be written/.test(line)).length, 3);
});

test('what a full disk did not take before the rest was read is written when it has room again', async () => {
  const { clock, levers, log, store } = await start();
  store.failing = true;
  await levers.drain('a:2000', { by: 'ada' });
  const remembering = startStateSaver({ clock, log, store, documents: levers.documents });
  store.failing = false;
  await clock.advance(10);
  assert.match(store.documents.get('drains') ?? '', /"a:2000"/);
  const { writes } = store;
  await clock.advance(10);
  await remembering.stop();
  assert.equal(store.writes, writes, 'what is written is not written again');
});

test('without a channel there is nothing to test', async () => {
  const { levers } = await start();
  const outcome = await levers.testNotification('ada');
  assert.equal(outcome.kind === 'refused' && outcome.code, 'no-notifiers');
});

test('what operators do before a slow disk has told the acts of the last run counts for more, and is written when it has', async () => {
  const store = new MemoryStore();
  const before = begin([], store);
  await before.levers.recall();
  for (const id of ['a:2000', 'b:2000', 'c:2000']) await before.levers.drain(id, { by: 'ada', reason: 'old' });

  const { levers, drained, said } = begin([], store);
  const kept = store.documents.get('drains');
  await levers.drain('a:2000', { by: 'bob', reason: 'new' });
  await levers.resume('b:2000', 'bob');
  assert.equal(store.documents.get('drains'), kept, 'it was written before it was read');
  assert.equal(said().filter((line) => line.startsWith('warn')).length, 2, said().join('\n'));
  await levers.recall();
  assert.deepEqual(
    [...drained],
    [
      ['a:2000', 'new'],
      ['c:2000', 'old'],
    ],
  );
  const next = begin([], store);
  await next.levers.recall();
  assert.deepEqual(new Map(next.drained), drained);
});
