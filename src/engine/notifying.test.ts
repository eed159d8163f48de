import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { FakeNotifier } from '../../test/support/fake-notifier.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { MemoryStore } from '../../test/support/memory-store.ts';
import type { ServerState } from '../core/fleet/fleet.ts';
import type { Notifier } from '../ports.ts';
import { NOTIFICATIONS, Notifying, type NotifyingOptions } from './notifying.ts';

const rules = { groupWait: 6, minHold: 10, maxHold: 900, relapseLifetime: 1800 };
const HOUR = 3600;

let ids = 0;

interface Scene {
  readonly clock: FakeClock;
  readonly log: MemoryLog;
  readonly email: FakeNotifier;
  readonly notifying: Notifying;
  readonly sees: (to: ServerState, id?: string) => void;
}

async function scene(
  t: TestContext,
  { store, ...options }: Partial<NotifyingOptions> & { readonly store?: MemoryStore } = {},
  email = new FakeNotifier(),
  notifiers: readonly Notifier[] = [email],
): Promise<Scene> {
  const clock = (options.clock as FakeClock | undefined) ?? new FakeClock();
  const log = new MemoryLog();
  const notifying = new Notifying({
    clock,
    log,
    random: () => 0.5,
    newId: () => `i${++ids}`,
    rules,
    ...options,
  });
  notifying.start(notifiers);
  if (store !== undefined) {
    const saved = await store.read(NOTIFICATIONS);
    if (saved !== undefined) notifying.restore(saved);
    notifying.startSaving(store);
  }
  t.after(() => notifying.stop(0));
  const sees = (to: ServerState, id = 'a') => {
    notifying.observe({ id, address: `${id}/2000`, to, at: clock.now(), ...(to === 'available' && { load: 10 }) });
  };
  return { clock, log, email, notifying, sees };
}

test('a server that goes down and comes back is reported through every notifier', async (t) => {
  const webhook = new FakeNotifier('webhook');
  const email = new FakeNotifier();
  const { clock, sees, notifying } = await scene(t, { loadOf: () => 42 }, email, [email, webhook]);
  sees('down');
  await clock.advance(100);
  sees('available');
  await clock.advance(100);
  assert.deepEqual(email.told, ['down a', 'recovered a']);
  assert.deepEqual(webhook.told, email.told);
  assert.equal(email.sent[1]?.servers[0]?.load, 42);
  assert.deepEqual(
    notifying.incidents(10)[0]?.notices.map(({ notifier, outcome }) => `${notifier} ${outcome}`),
    ['email sent', 'webhook sent', 'email sent', 'webhook sent'],
  );
});

test('a notifier that hangs or fails does not keep the others waiting', async (t) => {
  const email = new FakeNotifier();
  email.weather = 'hangs';
  const webhook = new FakeNotifier('webhook');
  const { clock, sees } = await scene(t, {}, email, [email, webhook]);
  sees('down');
  await clock.advance(6);
  assert.deepEqual(webhook.told, ['down a']);
});

test('an attempt that hangs is aborted after its deadline and tried again', async (t) => {
  const { clock, sees, email, notifying } = await scene(t, { deadline: 30 });
  email.weather = 'hangs';
  sees('down');
  await clock.advance(6 + 29);
  assert.equal(email.aborted, 0);
  await clock.advance(1);
  assert.equal(email.aborted, 1);
  assert.equal(notifying.statistics().notifiers[0]?.lastFailure?.code, 'deadline');
  email.weather = undefined;
  await clock.advance(5);
  assert.deepEqual(email.told, ['down a']);
});

test('while the mail server is gone notices wait, and come in order when it is back; the log has two lines of it', async (t) => {
  const { clock, sees, email, notifying, log } = await scene(t);
  email.weather = 'fails';
  sees('down', 'a');
  await clock.advance(60);
  sees('down', 'b');
  await clock.advance(60);
  sees('down', 'c');
  await clock.advance(60);
  sees('available', 'a');
  await clock.advance(HOUR);
  assert.equal(notifying.statistics().notifiers[0]?.pending, 3);
  assert.equal(log.complaints.length, 1);
  assert.ok(email.attempts.length < 20, `${email.attempts.length} attempts in an hour`);
  assert.equal(notifying.incidents(10).at(-1)?.notices[0]?.outcome, 'failed');

  email.weather = undefined;
  await clock.advance(HOUR);
  // b and c were never tried, so they became one message.
  assert.deepEqual(email.told, ['down a', 'down b,c', 'recovered a']);
  assert.equal(log.lines.filter(({ message }) => message.includes('accepts notifications again')).length, 1);
  assert.ok(notifying.incidents(10).every(({ notices }) => notices.every(({ outcome }) => outcome === 'sent')));
});

test('a wrong password is tried twice an hour at most, however many messages wait, and never given up', async (t) => {
  const { clock, sees, email } = await scene(t);
  email.weather = 'refuses';
  sees('down', 'a');
  await clock.advance(30);
  sees('available', 'a');
  await clock.advance(30);
  sees('full', 'b');
  await clock.advance(24 * HOUR);
  assert.ok(email.attempts.length >= 20 && email.attempts.length <= 50, `${email.attempts.length} attempts in a day`);
  email.weather = undefined;
  await clock.advance(3 * HOUR);
  assert.deepEqual(email.told.toSorted(), ['down a', 'full b', 'recovered a']);
});

test('one message that is refused permanently does not hold up the others', async (t) => {
  const { clock, sees, email, notifying } = await scene(t);
  email.unwanted.add('down');
  sees('down');
  await clock.advance(30);
  sees('available');
  await clock.advance(120);
  assert.deepEqual(email.told, ['recovered a']);
  assert.equal(notifying.statistics().notifiers[0]?.pending, 1);
  const { length } = email.attempts;
  await clock.advance(10 * HOUR);
  assert.ok(email.attempts.length - length <= 13, `${email.attempts.length - length} more attempts in ten hours`);
  email.unwanted.clear();
  await clock.advance(2 * HOUR);
  assert.deepEqual(email.told, ['recovered a', 'down a']);
});

test('however long the mail server is down, few messages wait, with the last one about each server', async (t) => {
  const { clock, sees, email, notifying, log } = await scene(t);
  email.weather = 'fails';
  for (let index = 0; index < 200; index += 1) {
    sees('down', `s${index % 20}`);
    await clock.advance(2000);
    sees('available', `s${index % 20}`);
    await clock.advance(5000);
  }
  const [statistics] = notifying.statistics().notifiers;
  assert.ok(statistics && statistics.pending <= 51 && statistics.overflows > 0);
  assert.ok(log.complaints.length < 20);
  email.weather = undefined;
  await clock.advance(3 * HOUR);
  const last = new Map(email.sent.flatMap(({ kind, servers }) => servers.map(({ id }) => [id, kind] as const)));
  assert.equal(last.size, 20);
  assert.deepEqual(new Set(last.values()), new Set(['recovered']));
});

test('a reload keeps what waits, retries it at once with the new notifier, and closes the old one', async (t) => {
  const { clock, sees, email, notifying } = await scene(t);
  email.weather = 'fails';
  sees('down');
  await clock.advance(HOUR);
  const fixed = new FakeNotifier();
  await notifying.reconfigure({ rules, notifiers: [fixed] });
  await clock.advance(1);
  assert.deepEqual(fixed.told, ['down a']);
  assert.equal(email.closed, true);
});

test('a reload that leaves a notifier as it is does not disturb it', async (t) => {
  const { clock, sees, email, notifying } = await scene(t);
  await notifying.reconfigure({ rules, notifiers: [email, new FakeNotifier('webhook')] });
  sees('down');
  await clock.advance(10);
  assert.equal(email.closed, false);
  assert.deepEqual(email.told, ['down a']);
});

test('messages for a notifier that was removed are sent when it comes back within a week', async (t) => {
  const { clock, sees, email, notifying } = await scene(t);
  email.weather = 'fails';
  sees('down');
  await clock.advance(10);
  await notifying.reconfigure({ rules, notifiers: [] });
  await clock.advance(HOUR);
  const again = new FakeNotifier();
  await notifying.reconfigure({ rules, notifiers: [again] });
  await clock.advance(1);
  assert.deepEqual(again.told, ['down a']);
});

test('with a store, undelivered notices and open incidents survive a restart', async (t) => {
  const store = new MemoryStore();
  const clock = new FakeClock();
  const first = await scene(t, { store, clock });
  first.email.weather = 'fails';
  first.sees('down');
  await clock.advance(60);
  await first.notifying.stop(1);
  assert.equal(first.email.closed, true);

  const second = await scene(t, { store, clock });
  await clock.advance(1);
  assert.deepEqual(second.email.told, ['down a']);
  second.sees('available');
  await clock.advance(60);
  assert.deepEqual(second.email.told, ['down a', 'recovered a']);
});

test('after a crash the state is that of two seconds before', async (t) => {
  const store = new MemoryStore();
  const clock = new FakeClock();
  const first = await scene(t, { store, clock });
  first.email.weather = 'fails';
  first.sees('down');
  await clock.advance(6 + 2);
  // Not stopped: the second takes up what is in the store.
  const second = await scene(t, { store, clock });
  await clock.advance(1);
  assert.deepEqual(second.email.told, ['down a']);
});

test('a store that fails is reported and does not stop the notices', async (t) => {
  const store = new MemoryStore();
  store.failing = true;
  const { clock, sees, email, notifying, log } = await scene(t, { store });
  sees('down');
  await clock.advance(HOUR);
  assert.deepEqual(email.told, ['down a']);
  assert.ok(notifying.statistics().saveFailures > 0);
  assert.ok(log.complaints.some((line) => line.includes('could not be saved')));
  store.failing = false;
  await clock.advance(120);
  assert.equal(store.documents.size, 1);
});

test('a burst of changes is written a few times, not once each', async (t) => {
  const store = new MemoryStore();
  const { clock, sees } = await scene(t, { store });
  for (let index = 0; index < 1000; index += 1) sees('down', `s${index}`);
  await clock.advance(5);
  assert.ok(store.writes <= 4, `${store.writes} writes`);
});

test('a stop sends what waits if that is quick, and says what it could not send', async (t) => {
  const { clock, sees, email, notifying, log } = await scene(t);
  email.weather = 'fails';
  sees('down');
  await clock.advance(60);
  email.weather = undefined;
  await notifying.stop(1);
  assert.deepEqual(email.told, ['down a']);
  assert.ok(!log.complaints.some((line) => line.includes('will be lost')));
});

test('a stop takes no longer than it may', async (t) => {
  const { clock, sees, email, notifying, log } = await scene(t);
  email.weather = 'hangs';
  sees('down');
  await clock.advance(7);
  let stopped = false;
  const stopping = notifying.stop(1.5).then(() => {
    stopped = true;
  });
  await clock.advance(1.4);
  assert.equal(stopped, false);
  await clock.advance(0.2);
  await stopping;
  assert.ok(log.complaints.some((line) => line.includes('will be lost')));
});

test('a notification that is not about an incident is sent at once', async (t) => {
  const { clock, email, notifying } = await scene(t);
  notifying.send('certificate', [{ id: 'h', address: 'h', reason: 'it expires in 14 days' }]);
  await clock.advance(0);
  assert.deepEqual(email.told, ['certificate h']);
  assert.deepEqual(notifying.statistics().made, { certificate: 1 });
});

test('a class without enough seats is listed as an incident with its notification, also after a restart', async (t) => {
  const store = new MemoryStore();
  const { clock, notifying } = await scene(t, { store });
  notifying.send('class-short', [{ id: 'r', address: 'the class at 08:00', reason: '3 seats will be free' }]);
  notifying.send('certificate', [{ id: 'h', address: 'h' }]);
  await clock.advance(5);
  const listed = (from: Notifying) =>
    from.incidents(10).map(({ kind, server, reason, began, ended, notices }) => {
      return [kind, server, reason, began === ended, notices.map(({ outcome }) => outcome)];
    });
  const expected = [['class-short', 'the class at 08:00', '3 seats will be free', true, ['sent']]];
  assert.deepEqual(listed(notifying), expected);
  await notifying.stop(0);
  const next = await scene(t, { store, clock });
  next.notifying.reconcile([]);
  assert.deepEqual(listed(next.notifying), expected);
});

test('the version changes with the incidents and not without', async (t) => {
  const { clock, sees, notifying } = await scene(t);
  const calm = notifying.version;
  sees('available');
  await clock.advance(100);
  assert.equal(notifying.version, calm);
  sees('down');
  assert.notEqual(notifying.version, calm);
});

test('a test overtakes the messages that wait on a channel, and reports the result of each channel within ten seconds', async (t) => {
  const [email, refusing, hung] = [new FakeNotifier(), new FakeNotifier('webhook a'), new FakeNotifier('webhook b')];
  const known = Object.assign(email, { recipient: 'admin@example.org' });
  const { clock, sees, notifying } = await scene(t, {}, email, [known, refusing, hung]);
  hung.weather = 'hangs';
  sees('down');
  await clock.advance(7);
  refusing.weather = 'refuses';
  const testing = notifying.test();
  await clock.advance(10);
  assert.deepEqual(await testing, [
    { notifier: 'email', recipient: 'admin@example.org', outcome: 'sent', reason: null },
    { notifier: 'webhook a', recipient: null, outcome: 'failed', reason: 'wrong password' },
    { notifier: 'webhook b', recipient: null, outcome: 'failed', reason: 'it took longer than 10 s' },
  ]);
  const attempts = refusing.attempts.length;
  await clock.advance(HOUR);
  assert.equal(refusing.attempts.length, attempts, 'a test is not tried again');
  assert.equal(notifying.statistics().made.test, 1);
});

test('the end of the program does not wait for a test', async (t) => {
  const { email, notifying } = await scene(t);
  email.weather = 'hangs';
  const testing = notifying.test();
  await notifying.stop(0);
  assert.equal((await testing)[0]?.outcome, 'failed');
});
