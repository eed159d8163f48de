import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Affected, Notification } from './incidents.ts';
import type { NotificationKind } from './notification-kinds.ts';
import { durationInWords, mailText, onOneLine, plainText, textOf } from './notification-text.ts';

const server: Affected = { id: 's:2000', address: 's.example.org/2000' };

function text(kind: NotificationKind, ...servers: Affected[]) {
  return textOf({ id: 'n', kind, at: 0, servers });
}

test('each kind has the subject and the sentence of the contract', () => {
  const rows: [NotificationKind, Affected, string, string][] = [
    [
      'down',
      server,
      'Simulation server not responding',
      's.example.org/2000 simulation server may be down, as it is not responding to the requests of the session server...',
    ],
    [
      'recovered',
      { ...server, load: 20.456 },
      'Simulation server working again',
      's.example.org/2000 simulation server is up and running again (load = 20.46%).',
    ],
    [
      'full',
      { ...server, load: 95 },
      'Simulation server reached maximum load',
      's.example.org/2000 simulation server has reached maximum load (95%).',
    ],
    [
      'available',
      { ...server, load: 30.0 },
      'Simulation server available again',
      's.example.org/2000 simulation server is available again (load = 30%).',
    ],
  ];
  for (const [kind, affected, subject, sentence] of rows) {
    assert.deepEqual(text(kind, affected), { subject, sentences: [sentence], details: [] });
  }
});

test('a recovery says how long it took, a failure what was seen', () => {
  assert.deepEqual(text('recovered', { ...server, load: 1, lasted: 725 }).details, [
    'It was not responding for 12 minutes 5 seconds.',
  ]);
  assert.deepEqual(text('available', { ...server, load: 1, lasted: 60 }).details, ['It was full for 1 minute.']);
  assert.deepEqual(text('down', { ...server, reason: 'nothing listens on its port' }).details, ['Nothing listens on its port.']);
  assert.deepEqual(text('suspect', { ...server, reason: 'It idles.' }).details, ['It idles.']);
});

test('an unknown load is described as such', () => {
  assert.equal(
    text('recovered', server).sentences[0],
    's.example.org/2000 simulation server is up and running again (load = not known).',
  );
});

test('each of many servers has its sentence, then its details under its name', () => {
  const other = { id: 't', address: 't/3000', load: 5, lasted: 3600 };
  const { subject, sentences, details } = text('recovered', { ...server, load: 1, lasted: 60 }, other);
  assert.equal(subject, 'Simulation server working again');
  assert.deepEqual(sentences, [
    's.example.org/2000 simulation server is up and running again (load = 1%).',
    't/3000 simulation server is up and running again (load = 5%).',
  ]);
  assert.deepEqual(details, [
    's.example.org/2000: it was not responding for 1 minute.',
    't/3000: it was not responding for 1 hour.',
  ]);
});

test('more than two hundred servers are counted', () => {
  const { sentences } = text('down', ...Array.from({ length: 1000 }, (_, index) => ({ id: `${index}`, address: `s${index}` })));
  assert.equal(sentences.length, 201);
  assert.equal(sentences.at(-1), '... and 800 more.');
});

test('a mail has a greeting, the notification, a link and a signature', () => {
  assert.equal(
    mailText(text('down', server), 'https://h/monitor'),
    'Hello,\n\ns.example.org/2000 simulation server may be down, as it is not responding to the requests of the session server...\n\nCheck it at https://h/monitor\n\n-Simulation Server\n',
  );
});

test('whatever a server is called or says, a text has the lines it should have', () => {
  const anything = fc.string({ unit: 'binary', maxLength: 500 });
  fc.assert(
    fc.property(
      fc.constantFrom<NotificationKind>('down', 'recovered', 'full', 'available', 'suspect', 'certificate'),
      anything,
      anything,
      (kind, address, reason) => {
        const notification: Notification = { id: 'n', kind, at: 0, servers: [{ id: 'x', address, reason }] };
        const lines = plainText(textOf(notification)).split(/[\r\n\u2028\u2029\u0085\v\f]/);
        assert.equal(lines.length, 3);
        assert.ok(lines.every((line) => line.length < 500));
      },
    ),
  );
});

test('text from outside is one line of at most three hundred characters', () => {
  assert.equal(onOneLine('a\r\nb\tc\u202ed'), 'a\ufffd\ufffdb\ufffdc\ufffdd');
  assert.equal(onOneLine('x'.repeat(301)), `${'x'.repeat(300)}...`);
  assert.equal(onOneLine('\u{1f916} \u65e5\u672c'), '\u{1f916} \u65e5\u672c');
});

test('durations are written in words', () => {
  const rows: [number, string][] = [
    [0.2, 'less than a second'],
    [1, '1 second'],
    [59.6, '1 minute'],
    [61, '1 minute 1 second'],
    [3600, '1 hour'],
    [3601, '1 hour'],
    [7500, '2 hours 5 minutes'],
    [90_000, '1 day 1 hour'],
    [86_400 * 3 + 59, '3 days'],
  ];
  for (const [seconds, words] of rows) assert.equal(durationInWords(seconds), words);
});
