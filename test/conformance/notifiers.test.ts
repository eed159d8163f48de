import { lookup } from 'node:dns';
import { createEmailNotifier } from '../../src/notifiers/email.ts';
import { createWebhookNotifier } from '../../src/notifiers/webhook.ts';
import { SmtpSink } from '../support/smtp-sink.ts';
import { WebhookSink } from '../support/webhook-sink.ts';
import { describeNotifier } from './notifiers.ts';

const monitorUrl = 'https://example.org/monitor';

describeNotifier('email', async (t) => {
  const sink = await SmtpSink.start();
  const notifier = createEmailNotifier({
    host: 'localhost',
    port: sink.port,
    sender: 'robot@example.org',
    recipient: 'admin@example.org',
    monitorUrl,
    wallTime: () => 1_795_360_704,
  });
  t.after(async () => {
    await notifier.close();
    await sink.close();
  });
  return {
    notifier,
    received: async (count) => (await sink.received(count)).map(({ body }) => body),
    failOnce: () => {
      sink.misbehave('data', 451);
    },
    hangOnce: () => {
      sink.misbehave('data', 'silence');
    },
  };
});

describeNotifier('webhook', async (t) => {
  const sink = await WebhookSink.start();
  const notifier = createWebhookNotifier({ name: 'webhook', url: sink.url, monitorUrl, lookup });
  t.after(async () => {
    await notifier.close();
    await sink.close();
  });
  return {
    notifier,
    received: async (count) => (await sink.received(count)).map(({ body }) => (JSON.parse(body) as { text: string }).text),
    failOnce: () => sink.mischief.push(503),
    hangOnce: () => sink.mischief.push('silence'),
  };
});
