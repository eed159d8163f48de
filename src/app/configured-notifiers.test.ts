import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsOf } from '../../test/support/settings.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { SmtpSink } from '../../test/support/smtp-sink.ts';
import { WebhookSink } from '../../test/support/webhook-sink.ts';
import { configuredNotifiers } from './configured-notifiers.ts';
import { createSharedLookup } from '../probes/shared-lookup.ts';
import { systemClock } from '../system/system-clock.ts';

const names = createSharedLookup();

const testMessage = { id: 'n-1', kind: 'test', at: 0, servers: [] } as const;
const { signal } = new AbortController();

const tls = { cert: '/etc/cert.pem', key: '/etc/key.pem' };
const gateway = (more: object) => ({ server: 'a.org', gateway: { enabled: true, ...more } });

for (const [title, file, link] of [
  ['a reverse proxy that maps ports', { server: 'a.org' }, 'https://a.org/1999/monitor'],
  ['no such reverse proxy', { server: 'a.org', portRewrite: false, ssl: false }, 'http://a.org:1999/monitor'],
  ['an IPv6 address', { server: '::1', portRewrite: false, ssl: false }, 'http://[::1]:1999/monitor'],
  ['the gateway', gateway({ tls }), 'https://a.org/monitor'],
  ['the gateway on another port', gateway({ tls, port: 8443 }), 'https://a.org:8443/monitor'],
  ['the gateway on a port that a router hides', gateway({ tls, port: 8443, publicPort: 443 }), 'https://a.org/monitor'],
  ['the gateway without TLS', gateway({ port: 8080 }), 'http://a.org:8080/monitor'],
  ['the gateway without TLS on the port of HTTP', gateway({ port: 80 }), 'http://a.org/monitor'],
  [
    'the gateway without TLS behind a reverse proxy that has it',
    gateway({ port: 8080, publicPort: 443 }),
    'https://a.org/monitor',
  ],
] as const)
  test(`messages link to the monitor page: ${title}`, async (t) => {
    const sink = await WebhookSink.start();
    t.after(() => sink.close());
    const settings = settingsOf({ ...file, webhooks: [{ url: sink.url }] });
    const [notifier] = configuredNotifiers(settings, { clock: systemClock, log: new MemoryLog(), names });
    await notifier?.notify(testMessage, signal);
    await notifier?.close();
    assert.equal((JSON.parse(sink.hooks[0]?.body ?? '{}') as { monitor?: string }).monitor, link);
  });

test('the keys of the configuration become a message from the sender to the administrator', async (t) => {
  const sink = await SmtpSink.start();
  t.after(() => sink.close());
  const settings = settingsOf({
    ...{ server: 'a.org', administrator: 'Ann <ann@a.org>', mailSender: 'robot@a.org' },
    ...{ mailServer: 'localhost', mailServerPort: sink.port },
  });
  const log = new MemoryLog();
  const [notifier, ...others] = configuredNotifiers(settings, { clock: systemClock, log, names });
  await notifier?.notify(testMessage, signal);
  await notifier?.close();
  assert.deepEqual([others, log.lines], [[], []]);
  const [mail] = sink.mails;
  assert.deepEqual([mail?.from, mail?.to], ['robot@a.org', ['ann@a.org']]);
  assert.match(mail?.body ?? '', /^Check it at https:\/\/a\.org\/1999\/monitor$/m);
});
