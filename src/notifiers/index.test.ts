import { lookup } from 'node:dns';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNotifiers, type NotifierSettings } from './index.ts';

const surroundings = { monitorUrl: 'https://example.org/monitor', wallTime: () => 0, lookup };
const mail = { administrator: 'admin@example.org', mailServer: 'localhost', mailSender: 'robot@example.org' };

function namesOf(settings: NotifierSettings): string[] {
  return createNotifiers(settings, surroundings).notifiers.map(({ name }) => name);
}

test('a full set of mail keys creates a mail notifier, and without any there is none and no warning', () => {
  assert.deepEqual(namesOf({ ...mail, webhooks: [] }), ['email']);
  assert.deepEqual(createNotifiers({ webhooks: [] }, surroundings), { notifiers: [], remarks: [] });
});

test('an administrator without a mail server or a sender disables e-mail, and the log says what is missing', () => {
  const { administrator, mailServer, mailSender } = mail;
  const remarks = (settings: Partial<NotifierSettings>) => createNotifiers({ webhooks: [], ...settings }, surroundings).remarks;
  assert.deepEqual(remarks({ administrator, mailSender }), [
    'e-mail is disabled: administrator is set, but mailServer is missing',
  ]);
  assert.deepEqual(remarks({ administrator, mailServer }), [
    'e-mail is disabled: administrator is set, but mailSender is missing',
  ]);
  assert.deepEqual(remarks({ administrator }), [
    'e-mail is disabled: administrator is set, but mailServer and mailSender are missing',
  ]);
});

test('webhooks are named by their host, differently each, and without what may be secret', () => {
  const urls = [
    'https://hooks.example.org/services/SECRET',
    'https://hooks.example.org/other',
    'http://user:pass@127.0.0.1:9000/x',
  ];
  assert.deepEqual(namesOf({ webhooks: urls.map((url) => ({ url })) }), [
    'webhook hooks.example.org',
    'webhook hooks.example.org (2)',
    'webhook 127.0.0.1:9000',
  ]);
});
