import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type LookupFunction, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { sinkPassword, sinkUser, SmtpSink, type SmtpSinkOptions } from '../../test/support/smtp-sink.ts';
import type { Affected, Notification } from '../core/incidents/incidents.ts';
import type { NotificationKind } from '../core/incidents/notification-kinds.ts';
import type { OutsideFailure } from '../ports.ts';
import { createEmailNotifier, type EmailOptions } from './email.ts';

const NOW = 1_795_360_704;
const LINK = 'https://example.org/1999/monitor';
const never = new AbortController().signal;

function notification(kind: NotificationKind, servers: readonly Affected[], at = NOW): Notification {
  return { id: 'n-1', kind, at, servers };
}

const oneDown = notification('down', [{ id: 'a.example.org:2000', address: 'a.example.org/2000' }]);

async function sinkFor(t: TestContext, options: SmtpSinkOptions = {}): Promise<SmtpSink> {
  const sink = await SmtpSink.start(options);
  t.after(() => sink.close());
  return sink;
}

function notifierFor(t: TestContext, port: number, options: Partial<EmailOptions> = {}) {
  const notifier = createEmailNotifier({
    host: 'localhost',
    port,
    sender: sinkUser,
    recipient: 'admin@example.org',
    monitorUrl: LINK,
    wallTime: () => NOW,
    patience: 5,
    ...options,
  });
  t.after(() => notifier.close());
  return notifier;
}

/** The failure with which the sending ends. */
async function failureOf(sending: Promise<void>): Promise<OutsideFailure> {
  try {
    await sending;
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && typeof error.code === 'string');
    return error as OutsideFailure;
  }
  assert.fail('the message was accepted');
}

test('subjects and texts are those that operators filter on, word for word', async (t) => {
  const sink = await sinkFor(t);
  const notifier = notifierFor(t, sink.port);
  const server = { id: 's:2000', address: 's/2000', load: 30 };
  const expected = [
    [
      'down',
      'Simulation server not responding',
      's/2000 simulation server may be down, as it is not responding to the requests of the session server...',
    ],
    ['recovered', 'Simulation server working again', 's/2000 simulation server is up and running again (load = 30%).'],
    ['full', 'Simulation server reached maximum load', 's/2000 simulation server has reached maximum load (30%).'],
    ['available', 'Simulation server available again', 's/2000 simulation server is available again (load = 30%).'],
  ] as const;
  for (const [kind] of expected) await notifier.notify(notification(kind, [server]), never);

  assert.deepEqual(
    sink.mails.map(({ headers, body }) => [headers.get('subject'), body]),
    expected.map(([, subject, text]) => [[subject], `Hello,\n\n${text}\n\nCheck it at ${LINK}\n\n-Simulation Server\n`]),
  );
});

test('local mailboxes without a domain are used as they are, and the Message-ID still has a domain', async (t) => {
  // The sink takes no such addresses; mail servers of Unix machines do.
  const lines: string[] = [];
  const server = createServer((socket) => {
    let isText = false;
    socket.write('220 ready\r\n');
    createInterface(socket).on('line', (line) => {
      lines.push(line);
      if (isText && line !== '.') return;
      isText = line === 'DATA';
      socket.write(isText ? '354 go on\r\n' : '250 well\r\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  await notifierFor(t, port, { sender: 'robot', recipient: 'root' }).notify(oneDown, never);
  for (const line of ['MAIL FROM:<robot>', 'RCPT TO:<root>', 'To: Administrator <root>', 'Message-ID: <n-1@localhost>'])
    assert.ok(lines.includes(line), lines.join('\n'));
});

test('the message is valid: From, To, Date, Message-ID, MIME headers, and no automatic answers', async (t) => {
  const sink = await sinkFor(t);
  await notifierFor(t, sink.port).notify(oneDown, never);
  const [mail] = sink.mails;
  assert.ok(mail);
  assert.equal(mail.from, sinkUser);
  assert.deepEqual(mail.to, ['admin@example.org']);
  const header = (name: string) => mail.headers.get(name);
  assert.deepEqual(header('from'), [`Simulation Server <${sinkUser}>`]);
  assert.deepEqual(header('to'), ['Administrator <admin@example.org>']);
  assert.deepEqual(header('date'), ['Sun, 22 Nov 2026 15:18:24 +0000']);
  assert.deepEqual(header('message-id'), ['<n-1@example.org>']);
  assert.deepEqual(header('mime-version'), ['1.0']);
  assert.match(header('content-type')?.[0] ?? '', /^text\/plain; charset=utf-8/);
  assert.deepEqual(header('auto-submitted'), ['auto-generated']);
});

test('without a password there is neither STARTTLS nor a login, although both are offered', async (t) => {
  const sink = await sinkFor(t);
  await notifierFor(t, sink.port).notify(oneDown, never);
  assert.deepEqual(
    sink.mails.map(({ encrypted, user }) => ({ encrypted, user })),
    [{ encrypted: false, user: undefined }],
  );
});

test('with a password the connection is encrypted before the login, and the sender is the user name', async (t) => {
  const sink = await sinkFor(t);
  await notifierFor(t, sink.port, { password: sinkPassword, authorities: [sink.cert] }).notify(oneDown, never);
  assert.deepEqual(
    sink.mails.map(({ encrypted, user }) => ({ encrypted, user })),
    [{ encrypted: true, user: sinkUser }],
  );
});

test('a user name other than the sender is used for the login', async (t) => {
  const sink = await sinkFor(t);
  await notifierFor(t, sink.port, {
    sender: 'other@example.org',
    user: sinkUser,
    password: sinkPassword,
    authorities: [sink.cert],
  }).notify(oneDown, never);
  assert.deepEqual(
    sink.mails.map(({ from, user }) => ({ from, user })),
    [{ from: 'other@example.org', user: sinkUser }],
  );
});

test('a mail server that does not encrypt never sees the password', async (t) => {
  const sink = await sinkFor(t, { starttls: false });
  const failure = await failureOf(notifierFor(t, sink.port, { password: sinkPassword }).notify(oneDown, never));
  assert.equal(failure.code, 'smtp-starttls');
  assert.equal(failure.permanent, true);
  assert.match(failure.message, /mailServerPort/);
  assert.deepEqual(sink.passwords, []);
  assert.deepEqual(sink.mails, []);
});

for (const [what, options, trusted] of [
  ['that no known authority signed', {}, false],
  ['that has expired', { days: -1 }, true],
  ['of another name', { names: ['mail.example.org'] }, true],
] as const) {
  test(`a certificate ${what} is refused, with the fix, before the password is sent`, async (t) => {
    const sink = await sinkFor(t, options);
    const authorities = trusted ? { authorities: [sink.cert] } : {};
    const failure = await failureOf(notifierFor(t, sink.port, { password: sinkPassword, ...authorities }).notify(oneDown, never));
    assert.equal(failure.code, 'smtp-certificate');
    assert.equal(failure.permanent, true);
    assert.match(failure.message, /NODE_EXTRA_CA_CERTS/);
    assert.ok(failure.cause instanceof Error);
    assert.deepEqual(sink.passwords, []);
  });
}

test('a wrong password is a permanent failure that names the keys to check and not the password', async (t) => {
  const sink = await sinkFor(t);
  const failure = await failureOf(
    notifierFor(t, sink.port, { password: 'wrong-secret', authorities: [sink.cert] }).notify(oneDown, never),
  );
  assert.equal(failure.code, 'smtp-login');
  assert.equal(failure.permanent, true);
  assert.match(failure.message, /mailSenderPassword/);
  assert.match(failure.message, /535/);
  assert.doesNotMatch(failure.message, /wrong-secret/);
  assert.deepEqual(sink.mails, []);
});

test('a mail server without a login causes an error when a password is set', async (t) => {
  const sink = await sinkFor(t, { login: false });
  const notifier = notifierFor(t, sink.port, { password: sinkPassword, authorities: [sink.cert] });
  const failure = await failureOf(notifier.notify(oneDown, never));
  assert.equal(failure.code, 'smtp-login');
  assert.equal(failure.permanent, true);
});

for (const [stage, reply, code, permanent] of [
  ['connect', 421, 'smtp-deferred', false],
  ['connect', 554, 'smtp-refused', true],
  ['mail', 451, 'smtp-deferred', false],
  ['mail', 550, 'smtp-sender', true],
  ['rcpt', 450, 'smtp-deferred', false],
  ['rcpt', 550, 'smtp-recipient', true],
  ['data', 452, 'smtp-deferred', false],
  ['data', 554, 'smtp-refused', true],
] as const) {
  test(`the reply ${reply} at ${stage} is ${code}, and the next message is accepted`, async (t) => {
    const sink = await sinkFor(t);
    const notifier = notifierFor(t, sink.port);
    sink.misbehave(stage, reply);
    const failure = await failureOf(notifier.notify(oneDown, never));
    assert.equal(failure.code, code);
    assert.equal(failure.permanent, permanent);
    assert.ok(failure.message.includes(String(reply)), failure.message);
    await notifier.notify(oneDown, never);
    assert.equal(sink.mails.length, 1);
  });
}

for (const stage of ['connect', 'mail', 'data'] as const) {
  test(`a mail server that goes silent at ${stage} is given up after a time limit`, async (t) => {
    const sink = await sinkFor(t);
    sink.misbehave(stage, 'silence');
    const failure = await failureOf(notifierFor(t, sink.port, { patience: 0.1 }).notify(oneDown, never));
    assert.equal(failure.code, 'smtp-timeout');
    assert.equal(failure.permanent, false);
  });

  test(`a mail server that drops the connection at ${stage} is tried again later`, async (t) => {
    const sink = await sinkFor(t);
    sink.misbehave(stage, 'drop');
    const failure = await failureOf(notifierFor(t, sink.port).notify(oneDown, never));
    assert.equal(failure.code, 'smtp-closed');
    assert.equal(failure.permanent, false);
  });
}

test('each message goes to the address that the name of the mail server has at that time', async (t) => {
  const sink = await sinkFor(t);
  const asked: string[] = [];
  let address = '127.0.0.9';
  const lookup: LookupFunction = (hostname, _, done) => {
    asked.push(hostname);
    done(null, [{ address, family: 4 }]);
  };
  const notifier = notifierFor(t, sink.port, { host: 'mail.example', lookup });
  assert.equal((await failureOf(notifier.notify(oneDown, never))).code, 'smtp-unreachable');
  address = '127.0.0.1';
  await notifier.notify(oneDown, never);
  assert.equal(sink.mails.length, 1);
  assert.deepEqual(asked, ['mail.example', 'mail.example']);
});

test('a mail server whose name does not exist is reported with the key to check', async (t) => {
  const lookup: LookupFunction = (_, __, done) => done(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), []);
  const failure = await failureOf(notifierFor(t, 25, { host: 'mail.example', lookup }).notify(oneDown, never));
  assert.equal(failure.code, 'smtp-name');
});

test('a mail server that is silent where TLS should begin is given up after the patience', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const failure = await failureOf(notifierFor(t, port, { patience: 0.1, tlsFromStart: true }).notify(oneDown, never));
  assert.equal(failure.code, 'smtp-timeout');
});

test('an aborted attempt ends at once and leaves no connection', async (t) => {
  const sink = await sinkFor(t);
  sink.misbehave('connect', 'silence');
  const aborting = new AbortController();
  const sending = notifierFor(t, sink.port).notify(oneDown, aborting.signal);
  setImmediate(() => {
    aborting.abort();
  });
  assert.equal((await failureOf(sending)).code, 'smtp-timeout');
});

test('a mail server that speaks TLS from the first byte gets it, and the login', async (t) => {
  const sink = await sinkFor(t, { tls: true });
  await notifierFor(t, sink.port, { tlsFromStart: true, password: sinkPassword, authorities: [sink.cert] }).notify(
    oneDown,
    never,
  );
  assert.deepEqual(
    sink.mails.map(({ encrypted, user }) => ({ encrypted, user })),
    [{ encrypted: true, user: sinkUser }],
  );
});

test('a name that DNS does not know is reported as such', async (t) => {
  // Two dots in a row are refused by the resolver itself: no query leaves the machine.
  const failure = await failureOf(notifierFor(t, 25, { host: 'mail..example' }).notify(oneDown, never));
  assert.equal(failure.code, 'smtp-name');
  assert.match(failure.message, /mailServer/);
});

test('a port on which nothing listens is reported as such', async (t) => {
  const sink = await SmtpSink.start();
  const { port } = sink;
  await sink.close();
  const failure = await failureOf(notifierFor(t, port).notify(oneDown, never));
  assert.equal(failure.code, 'smtp-unreachable');
  assert.match(failure.message, /mailServer/);
});

test('names with line ends, markup and letters of all kinds neither forge headers nor lines', async (t) => {
  const sink = await sinkFor(t);
  const address = 'x/2000\r\nBcc: thief@example.org\r\n\r\n.\r\n<script>alert(1)</script> \u00fc\u65e5\u672c \u{1f916}';
  await notifierFor(t, sink.port).notify(
    notification('down', [{ id: 'x', address, reason: 'a\r\nSubject: forged\u2028b' }]),
    never,
  );
  const [mail] = sink.mails;
  assert.ok(mail);
  assert.deepEqual(mail.to, ['admin@example.org']);
  assert.equal(mail.headers.get('bcc'), undefined);
  assert.deepEqual(mail.headers.get('subject'), ['Simulation server not responding']);
  assert.match(mail.headers.get('content-type')?.[0] ?? '', /^text\/plain/);
  const lines = mail.body.split('\n');
  assert.equal(lines.filter((line) => /^(Bcc|Subject):|^\.$/.test(line)).length, 0);
  assert.ok(lines[2]?.includes('<script>alert(1)</script> \u00fc\u65e5\u672c \u{1f916} simulation server may be down'), lines[2]);
});

test('many servers are one message with a line for each', async (t) => {
  const sink = await sinkFor(t);
  const servers = Array.from({ length: 100 }, (_, index) => ({ id: `s${index}:2000`, address: `s${index}/2000` }));
  await notifierFor(t, sink.port).notify(notification('down', servers), never);
  const [mail] = sink.mails;
  assert.ok(mail);
  const lines = mail.body.split('\n');
  assert.equal(
    lines[2],
    's0/2000 simulation server may be down, as it is not responding to the requests of the session server...',
  );
  assert.equal(lines.filter((line) => line.includes('may be down')).length, 100);
  // RFC 5322 § 2.1.1
  assert.ok(mail.raw.split('\r\n').every((line) => line.length <= 998));
});

test('a message that could not be sent in time says when it was due', async (t) => {
  const sink = await sinkFor(t);
  await notifierFor(t, sink.port).notify({ ...oneDown, at: NOW - 7200 }, never);
  assert.match(sink.mails[0]?.body ?? '', /^This was noticed on Sun, 22 Nov 2026 13:18:24 GMT and could not be sent before\.$/m);
});

/** A mail server that answers each command as the test says, and accepts the rest. */
async function scripted(t: TestContext, answers: Readonly<Record<string, string>>) {
  const lines: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('220 ready\r\n');
    createInterface(socket).on('line', (line) => {
      lines.push(line);
      socket.write(`${answers[line.slice(0, 4)] ?? '250 accepted'}\r\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  t.after(() => server.close());
  return { lines, port: (server.address() as AddressInfo).port };
}

for (const [answers, code, permanent, text] of [
  [{ EHLO: '421 4.7.0 closing' }, 'smtp-greeting', false, /set server to the full domain name of this machine: it answered "421/],
  [
    { EHLO: '504 no', HELO: '504 5.5.2 bad name' },
    'smtp-greeting',
    true,
    /refused the name of this session server, example\.org/,
  ],
  [{ MAIL: '530 5.7.0 Authentication Required' }, 'smtp-login', true, /requires a login; set mailSenderPassword/],
  [{ RCPT: '554 5.7.1 Relay access denied' }, 'smtp-login', true, /requires a login; set mailSenderPassword/],
  [{ RCPT: '550 5.1.1 no such user' }, 'smtp-recipient', true, /check administrator/],
] as const) {
  test(`the refusal ${JSON.stringify(answers)} is explained by its step`, async (t) => {
    const { port, lines } = await scripted(t, answers);
    const failure = await failureOf(notifierFor(t, port).notify(oneDown, never));
    assert.deepEqual([failure.code, failure.permanent], [code, permanent]);
    assert.match(failure.message, text);
    assert.equal(lines[0], 'EHLO example.org', 'the greeting names this session server');
  });
}

test('several administrators get one message', async (t) => {
  const sink = await sinkFor(t);
  await notifierFor(t, sink.port, { recipient: 'a@example.org, b@example.org' }).notify(oneDown, never);
  assert.deepEqual(
    sink.mails.map(({ to }) => to),
    [['a@example.org', 'b@example.org']],
  );
});

test('a mail server that waits for TLS from the first byte is reported with the key to set', async (t) => {
  const sink = await sinkFor(t, { tls: true });
  const failure = await failureOf(notifierFor(t, sink.port, { patience: 0.2 }).notify(oneDown, never));
  assert.equal(failure.code, 'smtp-timeout');
  assert.match(failure.message, /set mailServerTls to true/);
});

test('a mail server that does not begin with TLS is reported with the key to change', async (t) => {
  const sink = await sinkFor(t);
  const failure = await failureOf(notifierFor(t, sink.port, { tlsFromStart: true }).notify(oneDown, never));
  assert.equal(failure.code, 'smtp-tls');
  assert.match(failure.message, /mailServerTls/);
});

test('the same notification sent twice has the same Message-ID', async (t) => {
  const sink = await sinkFor(t);
  const notifier = notifierFor(t, sink.port);
  sink.misbehave('data', 'drop');
  await failureOf(notifier.notify(oneDown, never));
  await notifier.notify(oneDown, never);
  await notifier.notify(oneDown, never);
  assert.deepEqual(new Set(sink.mails.map(({ headers }) => headers.get('message-id')?.[0])), new Set(['<n-1@example.org>']));
});
