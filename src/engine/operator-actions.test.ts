import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { MemoryStore } from '../../test/support/memory-store.ts';
import type { ChannelTestView } from '../core/views/monitor-view.ts';
import { OperatorActions } from './operator-actions.ts';
import { startStateSaver } from './state-saver.ts';

/** As they are before the actions of the last run are restored. */
function begin(channels: readonly ChannelTestView[] = [], store = new MemoryStore()) {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const drained = new Map<string, string | undefined>();
  const operatorActions: OperatorActions = new OperatorActions({
    ...{ clock, log },
    poller: {
      drain(id, { reason }) {
        drained.set(id, reason);
        return true;
      },
      // As the poller does: the code that resumes is notified.
      resume(id) {
        drained.delete(id);
        operatorActions.resumed(id);
        return true;
      },
    },
    membership: { get: () => undefined, set: () => undefined },
    readServer: () => ({ kind: 'refused', reason: 'it has no address' }),
    sendTest: () => Promise.resolve(channels),
    forget: () => false,
    forgetCosts: (what) => what.kind !== 'project',
  });
  const said = () => log.lines.map(({ level, message }) => `${level} ${message}`);
  return { clock, log, operatorActions, said, store, drained };
}

/** Restores what the store has. */
async function restore({ documents }: OperatorActions, store: MemoryStore): Promise<void> {
  for (const { name, restore } of documents) restore(await store.read(name));
}

function start(channels: readonly ChannelTestView[] = []) {
  const scene = begin(channels);
  scene.operatorActions.begin(scene.store);
  return scene;
}

test('the log says who sent a test notification, and its outcome on each channel', async () => {
  const { operatorActions, said } = start([
    { notifier: 'email', recipient: 'admin@example.org', outcome: 'sent', reason: null },
    { notifier: 'webhook chat.example.org', recipient: null, outcome: 'failed', reason: 'it answered 404; check the URL' },
  ]);
  assert.equal((await operatorActions.testNotification('ada')).kind, 'done');
  assert.deepEqual(said(), [
    'info test notification sent by ada',
    'info the test notification was accepted by email',
    'warn the test notification could not be sent by webhook chat.example.org: it answered 404; check the URL',
  ]);
});

test('the log names the operator who has learned costs forgotten, and which costs', async () => {
  const { operatorActions, said } = start();
  assert.deepEqual(await operatorActions.forgetCosts({ kind: 'fleet' }, 'ada'), { kind: 'done' });
  assert.deepEqual(await operatorActions.forgetCosts({ kind: 'server', server: 'a:2000' }, 'ada'), { kind: 'done' });
  const unknown = await operatorActions.forgetCosts({ kind: 'project', project: 'github.com/a/b' }, 'ada');
  assert.deepEqual(unknown, { kind: 'nothing-learned' });
  assert.deepEqual(said(), ['info learned costs forgotten by ada', 'info learned costs of a:2000 forgotten by ada']);
});

test('the log says until when a server is drained, and that its deadline has passed', async () => {
  const { clock, operatorActions, log, said } = start();
  const until = clock.wallTime() + 3600;
  await operatorActions.drain('a:2000', { by: 'ada', reason: 'new disk', until });
  const deadline = new Date(Math.floor(until) * 1000).toISOString().replace('.000', '');
  assert.deepEqual(log.lines[0]?.fields, { by: 'ada', reason: 'new disk', until: deadline });
  await clock.advance(3600);
  operatorActions.resumed('a:2000');
  operatorActions.resumed('a:2000');
  assert.deepEqual(said(), [
    'info a:2000 simulation server drained by ada',
    'info a:2000 simulation server is no longer drained: the deadline that ada set has passed',
  ]);
});

test('the log names the operator who resumes a server before its deadline', async () => {
  const { clock, operatorActions, said } = start();
  await operatorActions.drain('a:2000', { by: 'ada', until: clock.wallTime() + 3600 });
  await operatorActions.resume('a:2000', 'bob');
  await clock.advance(3600);
  operatorActions.resumed('a:2000');
  assert.deepEqual(said(), ['info a:2000 simulation server drained by ada', 'info a:2000 simulation server resumed by bob']);
});

test('actions that a full disk did not take are written when it has room again, and at the end at the latest', async () => {
  const { clock, operatorActions, log, said, store } = start();
  const stateSaver = startStateSaver({ clock, log, store, documents: operatorActions.documents });
  store.failing = true;
  await operatorActions.drain('a:2000', { by: 'ada' });
  await clock.advance(30);
  assert.equal(store.documents.has('drains'), false);
  store.failing = false;
  await clock.advance(10);
  assert.match(store.documents.get('drains') ?? '', /"a:2000"/);
  store.failing = true;
  await operatorActions.resume('a:2000', 'ada');
  store.failing = false;
  await stateSaver.stop();
  assert.equal(store.documents.get('drains'), '{}');
  assert.equal(said().filter((line) => /^error this action took effect but could not be written/.test(line)).length, 3);
});

test('actions that a full disk did not take before the state saver starts are written when it has room again', async () => {
  const { clock, operatorActions, log, store } = start();
  store.failing = true;
  await operatorActions.drain('a:2000', { by: 'ada' });
  const stateSaver = startStateSaver({ clock, log, store, documents: operatorActions.documents });
  store.failing = false;
  await clock.advance(10);
  assert.match(store.documents.get('drains') ?? '', /"a:2000"/);
  const { writes } = store;
  await clock.advance(10);
  await stateSaver.stop();
  assert.equal(store.writes, writes, 'what is written is not written again');
});

test('without a channel there is nothing to test', async () => {
  const { operatorActions } = start();
  const outcome = await operatorActions.testNotification('ada');
  assert.equal(outcome.kind === 'refused' && outcome.code, 'no-notifiers');
});

test('actions wait until those of the last run are restored, and come after them', async () => {
  const store = new MemoryStore();
  const before = begin([], store);
  before.operatorActions.begin(store);
  for (const id of ['a:2000', 'b:2000', 'c:2000']) await before.operatorActions.drain(id, { by: 'ada', reason: 'old' });

  const { operatorActions, drained } = begin([], store);
  const actions = [operatorActions.drain('a:2000', { by: 'bob', reason: 'new' }), operatorActions.resume('b:2000', 'bob')];
  await new Promise(setImmediate);
  assert.equal(drained.size, 0);
  await restore(operatorActions, store);
  operatorActions.begin(store);
  await Promise.all(actions);
  const now = new Map([
    ['a:2000', 'new'],
    ['c:2000', 'old'],
  ]);
  assert.deepEqual(drained, now);
  const next = begin([], store);
  await restore(next.operatorActions, store);
  assert.deepEqual(next.drained, now);
});

test('actions take effect but are not written when the state folder could not be read, and the log says so', async () => {
  const { operatorActions, drained, said, store } = begin();
  operatorActions.begin();
  await operatorActions.drain('a:2000', { by: 'ada', reason: 'new disk' });
  assert.deepEqual([...drained], [['a:2000', 'new disk']]);
  assert.equal(store.writes, 0);
  assert.match(said().at(-1) ?? '', /^warn this action took effect but will not survive a restart/);
});
