import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsOf } from '../../../test/support/settings.ts';
import { examineDescriptors } from './machine.ts';

test('too few file descriptors of the session server are a warning, with a limit that is enough', () => {
  const settings = settingsOf({ limits: { clients: 5000 } });
  const { level, text, fix = '' } = examineDescriptors(settings, 3, { of: 'session server', limit: 1024 });
  assert.equal(level, 'warning');
  assert.match(text, /^the limit of the session server \(1024\) is enough for \d{3} clients/);
  const wanted = Number(/LimitNOFILE=(\d+)/.exec(fix)?.[1]);
  assert.equal(examineDescriptors(settings, 3, { of: 'session server', limit: wanted }).level, 'ok');
});

test('the sessions that the gateway relays need file descriptors, too', () => {
  const limit = { of: 'session server', limit: 2000 } as const;
  assert.equal(examineDescriptors(settingsOf({ limits: { clients: 1500 } }), 3, limit).level, 'ok');
  const gateway = settingsOf({ limits: { clients: 1500 }, gateway: { enabled: true } });
  const { level, fix = '' } = examineDescriptors(gateway, 3, limit);
  assert.equal(level, 'warning');
  const wanted = Number(/LimitNOFILE=(\d+)/.exec(fix)?.[1]);
  assert.equal(examineDescriptors(gateway, 3, { of: 'session server', limit: wanted }).level, 'ok');
});

test('the limit of the shell is never mistaken for that of the session server', () => {
  for (const limit of [100, 1_000_000])
    assert.match(
      examineDescriptors(settingsOf({}), 3, { of: 'shell', limit }).text,
      /of this shell \(\d+; that of the session server is unknown/,
    );
});
