/** From a server that goes down to a message in a real mailbox and at a real receiver, over mail servers that misbehave. Only the clock is not real. */
import { lookup } from 'node:dns';
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ServerState } from '../../src/core/fleet/fleet.ts';
import { incidentRules } from '../../src/core/incidents/incidents.ts';
import { Notifying } from '../../src/engine/notifying.ts';
import { sendTestNotification } from '../../src/engine/test-notification.ts';
import { createNotifiers, type NotifierSettings } from '../../src/notifiers/index.ts';
import { sign } from '../../src/notifiers/webhook.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { eventually } from '../support/eventually.ts';
import { SmtpSink } from '../support/smtp-sink.ts';
import { WebhookSink } from '../support/webhook-sink.ts';

const surroundings = { monitorUrl: 'https://example.org/1999/monitor', wallTime: () => 1_795_360_704, lookup };

function mailSettings(port: number): NotifierSettings {
  return {
    administrator: 'admin@example.org',
    mailServer: 'localhost',
    mailServerPort: port,
    mailSender: 'robot@example.org',
    webhooks: [],
  };
}

/** Lets time pass until something has happened in the real world. */
async function passing<T>(clock: FakeClock, awaited: Promise<T>): Promise<T> {
  const waiting = new Set([awaited]);
  const happened = () => waiting.delete(awaited);
  awaited.then(happened, happened);
  while (waiting.size > 0) await clock.advance(1);
  return awaited;
}

function scene(t: TestContext, settings: NotifierSettings) {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const notifiers = createNotifiers(settings, surroundings).notifiers;
  let ids = 0;
  const notifying = new Notifying({
    clock,
    log,
    random: () => 0.5,
    newId: () => `id-${++ids}`,
    rules: incidentRules(5),
    // The real world is slow beside this clock.
    deadline: 1_000_000,
  });
  notifying.start(notifiers);
  t.after(() => notifying.stop(0));
  const sees = (to: ServerState, id = 'a') => {
    notifying.observe({ id, address: `${id}.example.org/2000`, to, at: clock.now(), ...(to === 'available' && { load: 30 }) });
  };
  return { clock, log, notifying, sees };
}

async function mailbox(t: TestContext): Promise<SmtpSink> {
  const sink = await SmtpSink.start();
  t.after(() => sink.close());
  return sink;
}

test('a hundred servers that go down and come back are two messages', async (t) => {
  const sink = await mailbox(t);
  const { clock, sees } = scene(t, mailSettings(sink.port));
  const ids = Array.from({ length: 100 }, (_, index) => `s${index}`);
  for (const id of ids) sees('down', id);
  await passing(clock, sink.received(1));
  for (const id of ids) sees('available', id);
  const [down, recovered] = await passing(clock, sink.received(2));
  assert.deepEqual(down?.headers.get('subject'), ['Simulation server not responding']);
  assert.deepEqual(recovered?.headers.get('subject'), ['Simulation server working again']);
  for (const id of ids) {
    assert.ok(down.body.includes(`\n${id}.example.org/2000 simulation server may be down`));
    assert.ok(
      recovered.body.includes(`
${id}.example.org/2000: it was not responding for `),
    );
  }
  await clock.advance(1000);
  assert.equal(sink.mails.length, 2);
});

test('a mail server that puts a message off gets it again', async (t) => {
  const sink = await mailbox(t);
  sink.misbehave('rcpt', 451, 451);
  const { clock, sees, notifying } = scene(t, mailSettings(sink.port));
  sees('down');
  await passing(clock, sink.received(1));
  assert.equal(notifying.statistics().notifiers[0]?.failed, 2);
});

test('a message whose acceptance did not arrive comes again with the same Message-ID', async (t) => {
  const sink = await mailbox(t);
  sink.misbehave('data', 'drop');
  const { clock, sees, notifying } = scene(t, mailSettings(sink.port));
  sees('down');
  const [mail] = await passing(clock, sink.received(1));
  assert.equal(notifying.statistics().notifiers[0]?.failed, 1);
  assert.match(mail?.headers.get('message-id')?.[0] ?? '', /^<id-\d+@example\.org>$/);
});

test('while the mail server is gone the webhook gets everything, and the mail server all of it in order when it is back', async (t) => {
  const before = await SmtpSink.start();
  const { port } = before;
  await before.close();
  const hooks = await WebhookSink.start();
  t.after(() => hooks.close());
  const secret = 'a common secret';
  const { clock, sees, notifying } = scene(t, { ...mailSettings(port), webhooks: [{ url: hooks.url, secret }] });

  sees('down');
  await passing(clock, hooks.received(1));
  sees('available');
  await passing(clock, hooks.received(2));
  assert.deepEqual(
    hooks.hooks.map(({ body }) => (JSON.parse(body) as { kind: string }).kind),
    ['down', 'recovered'],
  );
  for (const { body, headers } of hooks.hooks) assert.equal(headers['x-session-server-signature'], sign(body, secret));
  const email = await eventually('the mail server to be missed', () => {
    const [first] = notifying.statistics().notifiers;
    return first !== undefined && first.failed > 0 && first;
  });
  assert.equal(email.sent, 0);

  const after = new SmtpSink();
  await after.listen(port);
  t.after(() => after.close());
  await passing(clock, after.received(2));
  assert.deepEqual(
    after.mails.map(({ headers }) => headers.get('subject')?.[0]),
    ['Simulation server not responding', 'Simulation server working again'],
  );
});

test('the test message says of each channel whether it was accepted, and how to fix it', async (t) => {
  const sink = await mailbox(t);
  const hooks = await WebhookSink.start();
  t.after(() => hooks.close());
  hooks.mischief.push(403);
  const { notifiers } = createNotifiers({ ...mailSettings(sink.port), webhooks: [{ url: hooks.url }] }, surroundings);
  t.after(() => Promise.all(notifiers.map((notifier) => notifier.close())));
  const outcomes = await sendTestNotification(notifiers, { clock: new FakeClock(), newId: () => 'id-test' });
  assert.deepEqual(outcomes[0], { kind: 'accepted', notifier: 'email' });
  const [, refused] = outcomes;
  assert.ok(refused?.kind === 'failed');
  assert.equal(refused.code, 'webhook-refused');
  assert.match(refused.reason, /403.*check url, headers and secret/);
  assert.match(sink.mails[0]?.body ?? '', /^This is a test/m);
});
