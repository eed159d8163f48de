/** A mail server and the real program: what becomes of a test message, and that a mail server which hangs holds up neither polls nor the end. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { SmtpSink } from '../support/smtp-sink.ts';
import { runProgram, startProgram, temporary } from '../support/start-program.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';
import { WebhookSink } from '../support/webhook-sink.ts';

async function mailServer(t: TestContext): Promise<SmtpSink> {
  const sink = await SmtpSink.start();
  t.after(() => sink.close());
  return sink;
}

const mailKeys = ({ port }: SmtpSink) => ({
  ...{ administrator: 'admin@example.org', mailSender: 'robot@example.org' },
  ...{ mailServer: 'localhost', mailServerPort: port },
});

describe('test-notification', () => {
  async function run(t: TestContext, keys: object) {
    const path = join(temporary(t), 'session.json');
    writeFileSync(path, JSON.stringify({ simulationServers: ['a.org/2000'], ...keys }));
    return runProgram(t, ['test-notification', path]);
  }

  test('sends a message on every channel and says that each was accepted', async (t) => {
    const mail = await mailServer(t);
    const hook = await WebhookSink.start();
    t.after(() => hook.close());
    const { status, stdout, stderr } = await run(t, { ...mailKeys(mail), webhooks: [{ url: hook.url }] });
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /^email: accepted\nwebhook \S+: accepted\n$/);
    assert.deepEqual([mail.mails.length, hook.hooks.length], [1, 1]);
    assert.match(mail.mails[0]?.body ?? '', /^Hello,\n/);
  });

  test('reports what the mail server answered, with exit status 1, and still tries the other channels', async (t) => {
    const mail = await mailServer(t);
    mail.misbehave('rcpt', 550);
    const hook = await WebhookSink.start();
    t.after(() => hook.close());
    const { status, stdout, stderr } = await run(t, { ...mailKeys(mail), webhooks: [{ url: hook.url }] });
    assert.equal(status, 1);
    assert.match(stderr, /^email: failed \(smtp-recipient\): .*check administrator.*550/);
    assert.match(stdout, /^webhook \S+: accepted$/m);
  });

  test('without a channel says what to set, and where, with exit status 1', async (t) => {
    const { status, stderr } = await run(t, {});
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^error: \S+session\.json names no receiver of notifications; set "administrator", "mailServer" and "mailSender", or "webhooks"\n$/,
    );
  });
});

test('a mail server that hangs delays no poll and changes no answer, and SIGTERM ends the program all the same', async (t) => {
  const mail = await mailServer(t);
  mail.misbehave('connect', ...Array.from({ length: 20 }, () => 'silence' as const));
  const well = await startSimulationServer(t, 10);
  const configuration = { simulationServers: [well.address, '127.0.0.1:9'], pollInterval: 0.5, ...mailKeys(mail) };
  const program = await startProgram(t, configuration);
  await eventually('the message to be on its way', () => mail.connections > 0);
  const { requests } = well;
  await eventually('five more polls', () => well.requests >= requests + 5);
  assert.equal(await program.get('/session'), `ws://${well.address}`);
  assert.equal(mail.mails.length, 0);
  assert.equal((await program.stop()).status, 0);
});
