import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { FakeNotifier } from '../../test/support/fake-notifier.ts';
import { sendTestNotification } from './test-notification.ts';

test('each notifier gets one test message, and its outcome is reported', async () => {
  const clock = new FakeClock();
  const good = new FakeNotifier('email');
  const bad = new FakeNotifier('webhook a');
  bad.weather = 'refuses';
  const hung = new FakeNotifier('webhook b');
  hung.weather = 'hangs';
  const sending = sendTestNotification([good, bad, hung], { clock, newId: () => 'n', deadline: 30 });
  await clock.advance(30);
  assert.deepEqual(await sending, [
    { kind: 'accepted', notifier: 'email' },
    { kind: 'failed', notifier: 'webhook a', code: 'smtp-login', reason: 'wrong password' },
    { kind: 'failed', notifier: 'webhook b', code: 'deadline', reason: 'it took longer than 30 s' },
  ]);
  assert.deepEqual(good.told, ['test']);
  assert.equal(bad.attempts.length, 1);
});

test('without notifiers there is nothing to say', async () => {
  assert.deepEqual(await sendTestNotification([], { clock: new FakeClock(), newId: () => 'n' }), []);
});
