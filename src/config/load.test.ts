import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { MAX_FILE_BYTES, loadConfiguration, type LoadResult } from './load.ts';
import { formatProblem } from './problem.ts';
import type { FileFailure, Environment } from './environment.ts';

const minimal = { simulationServers: ['localhost:2000'], portRewrite: false };

// ---------------------------------------------------------------- refused: the text of the file, and the lines it gets

const refusedTexts: readonly (readonly [title: string, text: string | Uint8Array, line: string])[] = [
  [
    'an empty file',
    '',
    's.json: an empty file — expected a configuration in JSON; write at least {"simulationServers": ["localhost:2000"]}',
  ],
  [
    'white space alone',
    ' \n\t',
    's.json: an empty file — expected a configuration in JSON; write at least {"simulationServers": ["localhost:2000"]}',
  ],
  [
    'a comma after the last entry',
    '{\n  "ssl": true,\n}',
    's.json: line 2, column 14: a comma after the last entry — expected a configuration in JSON; remove this comma',
  ],
  [
    'a comment',
    '{ // note\n}',
    's.json: line 1, column 3: a comment, which JSON does not allow — expected a configuration in JSON; remove it',
  ],
  [
    'YAML',
    'simulationServers:\n  - a',
    's.json: line 1, column 1: text without quotes — expected a configuration in JSON; put it between double quotes',
  ],
  [
    'half a file',
    '{"a": [',
    's.json: line 1, column 8: the end of the file inside the bracket opened at line 1, column 7 — expected a configuration in JSON; write the rest, and "]" at its end',
  ],
  [
    'bytes that are not text',
    new Uint8Array([0x7b, 0xc3, 0x28]),
    's.json: bytes that are not text in UTF-8 — expected text in UTF-8; save it as UTF-8 in your editor',
  ],
  [
    'UTF-16',
    new Uint8Array([0xff, 0xfe, 0x7b, 0]),
    's.json: text in UTF-16 — expected text in UTF-8; save it as UTF-8 in your editor',
  ],
  [
    'a list',
    '["localhost:2000"]',
    'the whole file: a list of 1 — expected an object in braces; write the keys in braces, as in {"simulationServers": ["localhost:2000"]}',
  ],
  [
    'a text',
    '"localhost:2000"',
    'the whole file: a single value — expected an object in braces; write the keys in braces, as in {"simulationServers": ["localhost:2000"]}',
  ],
  [
    'null',
    'null',
    'the whole file: a single value — expected an object in braces; write the keys in braces, as in {"simulationServers": ["localhost:2000"]}',
  ],
];

for (const [title, text, line] of refusedTexts)
  test(`${title} is refused with one line that says where and how to fix it`, async () => {
    assert.deepEqual(problemsOf(await loadText(text)), [line]);
  });

const address = 'expected "host/2000" or "host:2000"';
const refusedValues: readonly (readonly [key: string, value: unknown, line: string])[] = [
  [
    'simulationServers',
    undefined,
    'simulationServers: missing — expected a list of addresses in square brackets, such as ["host/2000"]; add "simulationServers": ["localhost:2000"]',
  ],
  [
    'simulationServers',
    'localhost:2000',
    'simulationServers: "localhost:2000" — expected a list of addresses in square brackets, such as ["host/2000"]; write ["localhost:2000"]',
  ],
  [
    'simulationServers',
    'a/2000, b/2000',
    'simulationServers: "a/2000, b/2000" — expected a list of addresses in square brackets, such as ["host/2000"]; write ["a/2000", "b/2000"]',
  ],
  [
    'simulationServers',
    '',
    'simulationServers: "" (empty) — expected a list of addresses in square brackets, such as ["host/2000"]; correct it',
  ],
  [
    'simulationServers',
    { a: 1 },
    'simulationServers: an object in braces — expected a list of addresses in square brackets, such as ["host/2000"]; correct it',
  ],
  [
    'simulationServers',
    { toString: false },
    'simulationServers: an object in braces — expected a list of addresses in square brackets, such as ["host/2000"]; correct it',
  ],
  [
    'simulationServers',
    null,
    'simulationServers: null — expected a list of addresses in square brackets, such as ["host/2000"]; correct it',
  ],
  [
    'simulationServers',
    ['a:1', 5],
    'simulationServers[1]: 5 — expected "host/2000" or "host:2000", or an object with an "address"; correct it',
  ],
  [
    'simulationServers',
    [null],
    'simulationServers[0]: null — expected "host/2000" or "host:2000", or an object with an "address"; correct it',
  ],
  [
    'simulationServers',
    [['a:1']],
    'simulationServers[0]: a list of 1 — expected "host/2000" or "host:2000", or an object with an "address"; correct it',
  ],
  [
    'simulationServers',
    ['http://a:1'],
    `simulationServers[0]: "http://a:1" — ${address}; remove what precedes the host name ("http://", "wss://"); the key "ssl" decides that`,
  ],
  [
    'simulationServers',
    ['wss://u:secret@a/1'],
    `simulationServers[0]: "wss://…@a/1" — ${address}; remove what precedes the host name ("http://", "wss://"); the key "ssl" decides that`,
  ],
  ['simulationServers', ['a:1 '], `simulationServers[0]: "a:1 " — ${address}; remove the white space`],
  ['simulationServers', ['a b:1'], `simulationServers[0]: "a b:1" — ${address}; remove the white space`],
  [
    'simulationServers',
    ['a\u00a0:1'],
    `simulationServers[0]: "a\u00a0:1" — ${address}; remove U+00A0 (no-break space), character 2`,
  ],
  [
    'simulationServers',
    ['ab\u200b:1'],
    `simulationServers[0]: "ab\u200b:1" — ${address}; remove U+200B (zero width space), character 3`,
  ],
  ['simulationServers', [''], `simulationServers[0]: "" (empty) — ${address}; write host and port, or remove the entry`],
  [
    'simulationServers',
    ['a/x?y'],
    `simulationServers[0]: "a/x?y" — ${address}; write only letters, digits and "-._~/" after the host, without a trailing slash, a query or a fragment`,
  ],
  [
    'simulationServers',
    ['a/2000/'],
    `simulationServers[0]: "a/2000/" — ${address}; write only letters, digits and "-._~/" after the host, without a trailing slash, a query or a fragment`,
  ],
  ['simulationServers', ['a:0'], `simulationServers[0]: "a:0" — ${address}; write a port from 1 to 65535 after the colon`],
  [
    'simulationServers',
    ['a:65536'],
    `simulationServers[0]: "a:65536" — ${address}; write a port from 1 to 65535 after the colon`,
  ],
  [
    'simulationServers',
    ['-a:1'],
    `simulationServers[0]: "-a:1" — ${address}; check the host name; write an IPv6 address in brackets, as in "[::1]:2000"`,
  ],
  ['simulationServers', ['a\nb:1'], `simulationServers[0]: "a\\nb:1" — ${address}; remove the white space`],
  [
    'simulationServers',
    ['a'.repeat(501)],
    `simulationServers[0]: "${'a'.repeat(60)}…" — ${address}; it is longer than any host name; check it`,
  ],
  ['simulationServers', [{}], `simulationServers[0].address: missing — ${address}; add it`],
  [
    'simulationServers',
    [{ address: 'a/b/' }],
    `simulationServers[0].address: "a/b/" — ${address}; write only letters, digits and "-._~/" after the host, without a trailing slash, a query or a fragment`,
  ],
  [
    'simulationServers',
    [{ address: 'a:1', weight: '2' }],
    'simulationServers[0].weight: "2" — expected a number from 0.01 to 100; write 2 without quotes',
  ],
  [
    'simulationServers',
    [{ address: 'a:1', labels: { room: 1 } }],
    'simulationServers[0].labels.room: 1 — expected a string, up to 200 characters; write "1" in quotes',
  ],
  [
    'simulationServers',
    [{ address: 'a:1', allowedRepositories: 'x' }],
    'simulationServers[0].allowedRepositories: "x" — expected a list of prefixes such as "github.com/cyberbotics"; write ["x"]',
  ],
  ['ssl', 'no', 'ssl: "no" — expected true or false, without quotes; write false without quotes'],
  ['ssl', 'True', 'ssl: "True" — expected true or false, without quotes; write true without quotes'],
  ['ssl', 1, 'ssl: 1 — expected true or false, without quotes; write true without quotes'],
  [
    'portRewrite',
    'maybe',
    'portRewrite: "maybe" — expected true or false, without quotes; correct it, or remove the key for the default (true)',
  ],
  [
    'port',
    'http',
    'port: "http" — expected a whole number from 0 to 65535; correct it, or remove the key for the default (1999)',
  ],
  ['port', '1999', 'port: "1999" — expected a whole number from 0 to 65535; write 1999 without quotes'],
  ['port', 70000, 'port: 70000 — expected a whole number from 0 to 65535; correct it, or remove the key for the default (1999)'],
  ['port', 19.5, 'port: 19.5 — expected a whole number from 0 to 65535; correct it, or remove the key for the default (1999)'],
  ['port', -1, 'port: -1 — expected a whole number from 0 to 65535; correct it, or remove the key for the default (1999)'],
  [
    'server',
    'https://a.org',
    'server: "https://a.org" — expected a host name such as "webots.example.org", without https://; correct it, or remove the key for the default ("localhost")',
  ],
  [
    'server',
    'a\r\nBcc: b',
    'server: "a\\r\\nBcc: b" — expected a host name such as "webots.example.org", without https://; correct it, or remove the key for the default ("localhost")',
  ],
  [
    'administrator',
    'a@b.org, ',
    'administrator: "a@b.org, " — expected e-mail addresses such as "admin@example.org" or ["a@example.org", "b@example.org"]; correct it',
  ],
  [
    'administrator',
    'a@b.org\nBcc: c@d.org',
    'administrator: "…@d.org" — expected e-mail addresses such as "admin@example.org" or ["a@example.org", "b@example.org"]; correct it',
  ],
  [
    'administrator',
    [],
    'administrator: an empty list — expected e-mail addresses such as "admin@example.org" or ["a@example.org", "b@example.org"]; correct it, or remove the key for the default (no e-mail)',
  ],
  [
    'mailServer',
    'smtp://a.org',
    'mailServer: "smtp://a.org" — expected a host name such as "smtp.example.org"; correct it, or remove the key for the default (no e-mail)',
  ],
  [
    'mailServer',
    '[::1',
    'mailServer: "[::1" — expected a host name such as "smtp.example.org"; check it: it is a host name or an IP address; a port follows after a colon, or has the key "mailServerPort"',
  ],
  [
    'simulationServers',
    ['[fe80::1%eth0]:2000'],
    'simulationServers[0]: "[fe80::1%eth0]:2000" — expected "host/2000" or "host:2000"; an address with a zone such as "%eth0" works on one machine alone; write a name or an address that clients can reach',
  ],
  [
    'mailServerPort',
    'smtp',
    'mailServerPort: "smtp" — expected a whole number from 0 to 65535; correct it, or remove the key for the default (SMTP\'s own, 25)',
  ],
  [
    'mailSenderPassword',
    12345678,
    'mailSenderPassword: a value that is not shown — expected a string, up to 1000 characters; correct it, or remove the key for the default (none)',
  ],
  ['logDir', 5, 'logDir: 5 — expected the path of a folder; write "5" in quotes'],
  [
    'logDir',
    'a\u0000b',
    'logDir: "a\\u0000b" — expected the path of a folder; correct it, or remove the key for the default ("log")',
  ],
  ['debug', 'false', 'debug: "false" — expected true or false, without quotes; write false without quotes'],
  [
    'listen',
    '[::1]',
    'listen: "[::1]" — expected an IP address such as "::" or "127.0.0.1"; write the address alone, without brackets; the port has a key of its own',
  ],
  [
    'listen',
    '0.0.0.0:1999',
    'listen: "0.0.0.0:1999" — expected an IP address such as "::" or "127.0.0.1"; write the address alone, without brackets; the port has a key of its own',
  ],
  [
    'pollInterval',
    60,
    'pollInterval: 60 — expected a number from 0.05 to 6 (seconds); correct it, or remove the key for the default (5)',
  ],
  [
    'pollTimeout',
    5,
    'pollTimeout: 5 — expected less than "pollInterval", which is 5; lower it, or raise "pollInterval" (maximum 6)',
  ],
  [
    'loadThreshold',
    '95%',
    'loadThreshold: "95%" — expected a number from 1 to 1000 (percent); correct it, or remove the key for the default (95)',
  ],
  [
    'handOutSsl',
    null,
    'handOutSsl: null — expected true or false, without quotes; correct it, or remove the key for the default (`ssl`)',
  ],
  ['logFormat', 'xml', 'logFormat: "xml" — expected "text" or "json"; correct it, or remove the key for the default ("text")'],
  [
    'webhooks',
    'https://hooks.example.org/T0/secret',
    'webhooks: a value that is not shown — expected a list of objects such as [{"url": "https://…"}]; correct it, or remove the key',
  ],
  [
    'webhooks',
    [{ url: 'ftp://a' }],
    'webhooks[0].url: a value that is not shown — expected a URL that begins with https:// or http://; correct it',
  ],
  [
    'webhooks',
    [{ url: 'https://a', secret: 'short' }],
    'webhooks[0].secret: a value that is not shown — expected a string, 8 to 1000 characters; correct it',
  ],
  [
    'webhooks',
    [{ url: 'https://a', headers: { 'X Y': '' } }],
    'webhooks[0].headers["X Y"]: a value that is not shown — expected a string, up to 1000 characters; the name before the colon has characters that are not allowed there; correct it',
  ],
  [
    'webhooks',
    [{ url: 'https://a', headers: { X: 'a\r\nY: b' } }],
    'webhooks[0].headers.X: a value that is not shown — expected a string, up to 1000 characters; correct it',
  ],
  [
    'trustedProxies',
    ['10.0.0.0/33'],
    'trustedProxies[0]: "10.0.0.0/33" — expected an IP address or a network such as "10.0.0.0/8"; write the address in figures; names are not looked up',
  ],
  [
    'trustedProxies',
    '10.0.0.1',
    'trustedProxies: "10.0.0.1" — expected a list of addresses or networks such as ["10.0.0.0/8"]; write ["10.0.0.1"]',
  ],
  [
    'allowedOrigins',
    ['*'],
    'allowedOrigins[0]: "*" — expected a web origin such as "https://example.org"; write scheme and host alone, such as "https://example.org"; to allow all, remove the key',
  ],
  [
    'allowedOrigins',
    ['https://*.example.org'],
    'allowedOrigins[0]: "https://*.example.org" — expected a web origin such as "https://example.org"; write scheme and host alone, such as "https://example.org"; to allow all, remove the key',
  ],
  [
    'allowedOrigins',
    ['https://a.org/page'],
    'allowedOrigins[0]: "https://a.org/page" — expected a web origin such as "https://example.org"; write scheme and host alone, such as "https://example.org"; to allow all, remove the key',
  ],
  ['limits', 7, 'limits: 7 — expected an object in braces; correct it, or remove the key'],
  [
    'limits',
    { clients: 1 },
    'limits.clients: 1 — expected a whole number from 10 to 1000000; correct it, or remove the key for the default (20000)',
  ],
  [
    'allocation',
    { settle: [60, 10] },
    'allocation.settle: [60, 10] — expected two numbers of seconds in square brackets: from 0 to 600, then a greater one up to 3600; write the smaller number first, as in [10, 60]',
  ],
  [
    'allocation',
    { learnSettle: [5] },
    'allocation.learnSettle: [5] — expected two numbers of seconds in square brackets: from 0 to 600, then a greater one up to 3600; correct it, or remove the key',
  ],
  [
    'waiting',
    { hold: 51 },
    'waiting.hold: 51 — expected a number from 0 to 50 (seconds); correct it, or remove the key for the default (0)',
  ],
  [
    'projects',
    { otherHosts: ['https://x'] },
    'projects.otherHosts[0]: "https://x" — expected a host name such as "gitlab.example.org"; correct it',
  ],
  [
    'monitor',
    { access: 'closed' },
    'monitor.access: "closed" — expected "open" or "token"; correct it, or remove the key for the default ("open")',
  ],
  [
    'admin',
    { tokens: [{ name: 'a', hash: 'my-token' }] },
    'admin.tokens[0].hash: a value that is not shown — expected "sha256:" and 64 hexadecimal digits, as `session-server token NAME` prints them; correct it',
  ],
  [
    'gateway',
    { enabled: true, port: 1999 },
    'gateway.port: 1999 — expected another port than "port"; choose two different ports',
  ],
  [
    'gateway',
    { enabled: true, listen: '10.0.0.1', port: 8443, redirectFrom: 8443, tls: { cert: 'c', key: 'k' } },
    'gateway.redirectFrom: 8443 — expected another port than "gateway.port"; choose two different ports',
  ],
  ['admin', 'my-token', 'admin: a value that is not shown — expected an object in braces; correct it, or remove the key'],
];

for (const [key, value, line] of refusedValues)
  test(`${line.slice(0, line.indexOf(' — '))} is refused with its line`, async () => {
    assert.deepEqual(problemsOf(await loadValue({ ...minimal, [key]: value })), [line]);
  });

test('one port at two addresses, or any free one several times, is loaded', async () => {
  const routes = { '2000-2999': 'localhost' };
  for (const file of [
    { listen: '127.0.0.1', port: 8443, gateway: { enabled: true, listen: '10.0.0.1', port: 8443, routes } },
    { port: 0, gateway: { enabled: true, port: 0, routes } },
    { port: 443, gateway: { routes } },
  ])
    assert.equal((await loadValue({ ...minimal, ...file })).kind, 'loaded');
});

test('all problems of a file are reported at once, with its warnings', async () => {
  const result = await loadValue({
    ssl: 'no',
    port: 'http',
    simulationServers: ['a b', 'c:x'],
    limits: { clients: 'many' },
    pollInterval: 3,
    pollTimeout: 3,
    gateway: { enabled: true, port: 80, redirectFrom: 80, tls: { cert: 'c', key: 'k' }, routes: { '2000-2999': 'localhost' } },
    portRwrite: true,
  });
  assert.deepEqual(keysOf(problemsOf(result)), [
    'ssl',
    'port',
    'simulationServers[0]',
    'simulationServers[1]',
    'limits.clients',
    'pollTimeout',
    'gateway.redirectFrom',
  ]);
  assert.deepEqual(keysOf(warningsOf(result)), ['portRwrite']);
});

test('a message that asks for a lower value does not ask for a higher one as well', async () => {
  const result = await loadValue({ ...minimal, pollInterval: 1, pollTimeout: 1 });
  assert.deepEqual(keysOf(problemsOf(result)), ['pollTimeout']);
  assert.deepEqual(warningsOf(result), []);
});

test('a hundred thousand problems give a thousand lines and one that counts the rest', async () => {
  const lines = problemsOf(await loadValue({ simulationServers: Array.from({ length: 100_000 }, () => 'http://a') }));
  assert.equal(lines.length, 1001);
  assert.match(lines.at(-1) ?? '', /^and so on: 99000 more problems/);
});

test('the file of a simulation server is refused as a whole, with one line that says where it belongs', async () => {
  const theirs = { port: 2000, ssl: false, notify: ['x'], docker: true, projectsDir: 'p', webotsHome: 'w', shareIdleTime: 50 };
  assert.deepEqual(problemsOf(await loadValue(theirs)), [
    's.json: the configuration of a simulation server — expected the configuration of a session server, which has "simulationServers"; start it with: session-server simulation "s.json"',
  ]);
  // A file that has some of its keys by mistake.
  assert.equal((await loadValue({ ...theirs, simulationServers: ['a:1'] })).kind, 'loaded');
});

// ---------------------------------------------------------------- refused: files that cannot be read

const failures: readonly (readonly [FileFailure['kind'], string])[] = [
  [
    'missing',
    's.json: no such file — expected a configuration file; check the path; config/session/example.json is a good starting point',
  ],
  ['folder', 's.json: a folder — expected a configuration file; name the file in it'],
  ['not-a-file', 's.json: a pipe or a device — expected a configuration file; name a regular file'],
  ['forbidden', 's.json: not readable by this user (EX) — expected a configuration file; check its owner and permissions'],
  ['too-large', `s.json: larger than ${MAX_FILE_BYTES} bytes — expected a configuration file; check the path`],
  ['unreadable', 's.json: cannot be read (EX) — expected a configuration file; check the disk and the path'],
];

for (const [kind, line] of failures)
  test(`a configuration file that is ${kind} is refused with one line`, async () => {
    const result = await loadConfiguration('s.json', {
      ...environment(),
      readFile: () => Promise.resolve({ kind, code: 'EX' }),
    });
    assert.deepEqual(problemsOf(result), [line]);
  });

test('a missing file, a folder, a pipe and a file of 10 MB on a real disk are refused', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'large.json'), Buffer.alloc(10_000_000, ' '));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const kinds = {
    'none.json': /no such file/,
    '': /a folder/,
    'large.json': /larger than/,
    'large.json/x': /no such file/,
    pipe: /a pipe/,
  };
  for (const [name, expected] of Object.entries(kinds)) {
    const [line = '', ...more] = problemsOf(await loadConfiguration(join(folder, name), {}));
    assert.match(line, expected);
    assert.deepEqual(more, []);
  }
});

// ---------------------------------------------------------------- warned

const ignored = 'unknown key, ignored — expected a documented key;';
const warned: readonly (readonly [title: string, file: Record<string, unknown>, ...lines: string[]])[] = [
  ['a slip of the fingers', { portRwrite: true }, `portRwrite: ${ignored} did you mean "portRewrite"?`],
  ['other capitals', { LogDir: 'x' }, `LogDir: ${ignored} did you mean "logDir"?`],
  ['underscores', { mail_sender_user: 'x' }, `mail_sender_user: ${ignored} did you mean "mailSenderUser"?`],
  [
    'a key of the documentation of simulation servers',
    { fullyQualifiedDomainName: 'a.org' },
    `fullyQualifiedDomainName: ${ignored} did you mean "server"?`,
  ],
  ['another name for the list', { servers: [] }, `servers: ${ignored} did you mean "simulationServers"?`],
  ['another name for the SMTP host', { smtpHost: 'x' }, `smtpHost: ${ignored} did you mean "mailServer"?`],
  [
    'a misspelt password, whose value is not shown',
    { mailSenderPasword: 'hunter2' },
    `mailSenderPasword: ${ignored} did you mean "mailSenderPassword"?`,
  ],
  [
    'a certificate of old',
    { sslKey: 'x' },
    `sslKey: ${ignored} certificates belong to the reverse proxy, or in "gateway.tls"; "ssl" only decides the addresses; remove it`,
  ],
  [
    "a simulation server's key",
    { webotsHome: 'x' },
    `webotsHome: ${ignored} it belongs in the configuration of a simulation server; remove it here`,
  ],
  ['a key in the wrong place', { hold: 5 }, `hold: ${ignored} did you mean "waiting.hold"?`],
  [
    "an entry's key at the top",
    { allowedRepositories: [] },
    `allowedRepositories: ${ignored} did you mean "simulationServers[].allowedRepositories"?`,
  ],
  ['a nested slip', { allocation: { tarqet: 80 } }, `allocation.tarqet: ${ignored} did you mean "allocation.target"?`],
  [
    'a slip in an entry',
    { simulationServers: [{ address: 'a:1', wieght: 2 }] },
    `simulationServers[0].wieght: ${ignored} did you mean "simulationServers[0].weight"?`,
  ],
  ['nothing known', { 'a b\n': 1 }, `["a b\\n"]: ${ignored} remove it, or look up its name in docs/reference/configuration.md`],
  [
    'a hostile name',
    JSON.parse('{"__proto__": {"ssl": false}}') as Record<string, unknown>,
    `__proto__: ${ignored} remove it, or look up its name in docs/reference/configuration.md`,
  ],
  [
    'an empty list',
    { simulationServers: [] },
    'simulationServers: an empty list — expected at least one address, or no session can ever start; add one, such as "localhost:2000"',
  ],
  [
    'a server twice in two spellings',
    { simulationServers: ['a:1', 'A:1'] },
    'simulationServers[1]: "A:1" — expected an address that is not yet in simulationServers[0]; remove one of the two; the server counts once, with the keys of simulationServers[0]',
  ],
  [
    'addresses behind a reverse proxy though there is none',
    { simulationServers: ['a/1', 'b/1', 'c:1'] },
    'simulationServers[0]: "a/1" (and 1 more) — expected "host:2000", because "portRewrite" is false; clients connect to exactly this address; without a reverse proxy that maps ports write "host:2000" and "portRewrite": false, else "host/2000" and true',
  ],
  [
    'a path that is not a port',
    { portRewrite: true, simulationServers: ['a/1', 'a:8443/1', 'a/b'] },
    'simulationServers[1]: "a:8443/1" (and 1 more) — expected "host/2000" or "host:2000"; a path that is not a single port is unusual; check that the reverse proxy passes "a:8443/1/load" and "a:8443/1/client" to the simulation server',
  ],
  [
    'addresses that bypass the reverse proxy',
    { portRewrite: true, simulationServers: [{ address: 'a:1' }] },
    'simulationServers[0].address: "a:1" — expected "host/2000", because "portRewrite" is true; clients connect to exactly this address; without a reverse proxy that maps ports write "host:2000" and "portRewrite": false, else "host/2000" and true',
  ],
  [
    'a port behind the name of the session server, where links get another one',
    { server: 'webots.example.org:8443' },
    'server: "webots.example.org:8443" — expected a host name alone, because "portRewrite" is false and links append ":" and "port"; remove what follows the host name',
  ],
  [
    'an administrator alone',
    { administrator: 'a@b.org' },
    'mailServer: missing — expected the SMTP host, because "administrator" is set; e-mail is disabled until you add it, or remove "administrator"',
    'mailSender: missing — expected the address of the sender, because "administrator" is set; e-mail is disabled until you add it, or remove "administrator"',
  ],
  [
    'no receiver',
    { mailServer: 'a', mailSender: 'a@b' },
    'administrator: missing — expected the address that receives e-mail, because "mailServer" is set; e-mail is disabled until you add it, or remove "mailServer"',
  ],
  [
    'an SMTP port alone',
    { mailServerPort: 587 },
    'administrator: missing — expected the address that receives e-mail, because "mailServerPort" is set; e-mail is disabled until you add it, or remove "mailServerPort"',
    'mailServer: missing — expected the SMTP host, because "mailServerPort" is set; e-mail is disabled until you add it, or remove "mailServerPort"',
    'mailSender: missing — expected the address of the sender, because "mailServerPort" is set; e-mail is disabled until you add it, or remove "mailServerPort"',
  ],
  [
    'a time-out that slow servers miss',
    { pollTimeout: 1.5 },
    'pollTimeout: 1.5 — expected at least 2 s, because a simulation server under load may need that long to answer; raise it, or slow servers count as failed',
  ],
  [
    'a user without a password',
    { administrator: 'a@b', mailServer: 'a', mailSender: 'a@b', mailSenderUser: 'u' },
    'mailSenderPassword: missing — expected a password, because "mailSenderUser" is set; without it there is no login to the SMTP server; set SESSION_SERVER_MAIL_PASSWORD, or remove "mailSenderUser"',
  ],
  [
    'two SMTP ports',
    { administrator: 'a@b', mailServer: 'a:25', mailServerPort: 587, mailSender: 'a@b' },
    'mailServer: "a:25" — expected the host alone, because "mailServerPort" is 587; "mailServerPort" is used; remove ":25"',
  ],
  [
    'a variable that is not set',
    { logDir: '$NOWHERE/log' },
    'logDir: "$NOWHERE/log" — expected environment variables that are set; set $NOWHERE; it stays in the path as it is',
  ],
  [
    "another user's home",
    { stateDir: '~ann/state' },
    'stateDir: "~ann/state" — expected ~ for your own home folder only; write the path of the other home folder',
  ],
  [
    'a name that two tokens share',
    { admin: { tokens: ['0', '1'].map((digit) => ({ name: 'ann', hash: `sha256:${digit.repeat(64)}` })) } },
    'admin.tokens[1].name: "ann" — expected a name not used before; give each holder a separate name; the log cannot distinguish them',
  ],
  [
    'a closed monitor without a token',
    { monitor: { access: 'token' } },
    'admin.tokens: an empty list — expected at least one token, because "monitor.access" is "token"; without a token the monitor cannot be read; create one with `session-server token NAME`',
  ],
];

for (const [title, file, ...lines] of warned)
  test(`${title} is warned of, and the program runs`, async () => {
    const result = await loadValue({ ...minimal, ...file });
    assert.deepEqual(problemsOf(result), []);
    assert.deepEqual(warningsOf(result), lines);
  });

test('a key given twice is warned of, and the last one counts', async () => {
  const result = await loadText('{"simulationServers": ["a/1"],\n "port": 1,\n "port": 2}');
  assert.deepEqual(warningsOf(result), [
    'port: given twice, again in line 3 — expected each key once; the last one counts; remove the others',
  ]);
  assert.equal(settingsOf(result).port, 2);
});

test('a misspelt list of servers is refused, and the warning says which key was meant', async () => {
  const result = await loadText('{"simulationServer": ["a/1"]}');
  assert.deepEqual(keysOf(problemsOf(result)), ['simulationServers']);
  assert.match(warningsOf(result).join(), /did you mean "simulationServers"/);
});

// ---------------------------------------------------------------- loaded

test("the original's own configuration files load without a warning", async () => {
  const files = [
    {
      port: 1999,
      portRewrite: true,
      server: 'a.epfl.ch',
      administrator: 'admin@a.com',
      mailServer: 'mail.a.com',
      mailServerPort: 587,
      mailSender: 'support@a.com',
      mailSenderPassword: 'x',
      simulationServers: ['a.epfl.ch/2000'],
    },
    {
      server: 'platform.a.top',
      port: 1999,
      portRewrite: true,
      ssl: false,
      debug: true,
      simulationServers: ['platform.a.top/2000'],
    },
    {
      port: 1999,
      server: 'localhost',
      administrator: 'robot@localhost',
      mailServer: 'localhost',
      mailSender: 'robot@localhost',
      simulationServers: ['localhost/2000'],
      logDir: 'log/',
    },
  ];
  for (const file of files) {
    const result = await loadValue(file);
    assert.deepEqual([...problemsOf(result), ...warningsOf(result)], []);
    assert.equal(settingsOf(result).simulationServers.length, 1);
  }
});

test('a byte order mark and foreign line ends are read', async () => {
  const settings = settingsOf(await loadText('\ufeff{\r\n"simulationServers": ["a/1"]\r\n}\r\n'));
  assert.equal(settings.simulationServers[0]?.endpoint.id, 'a:1');
});

test('ten thousand simulation servers load', async () => {
  const simulationServers = Array.from({ length: 10_000 }, (_, index) => `machine-${index}.example.org/2000`);
  const result = await loadValue({ simulationServers });
  assert.deepEqual(warningsOf(result), []);
  assert.equal(settingsOf(result).simulationServers.length, 10_000);
});

test('empty mail keys count as absent: e-mail is disabled without a warning', async () => {
  const result = await loadValue({
    ...minimal,
    administrator: '',
    mailServer: '',
    mailServerPort: '',
    mailSender: '',
    mailSenderUser: '',
    mailSenderPassword: '',
  });
  assert.deepEqual([...problemsOf(result), ...warningsOf(result)], []);
  assert.equal(settingsOf(result).mail, undefined);
});

test('an address of the session server causes a warning in any spelling, and so does a port that a reverse proxy maps', async () => {
  for (const server of ['::1', '[::1]', '192.0.2.1']) {
    assert.deepEqual(warningsOf(await loadValue({ ...minimal, server })), []);
  }
  const behind = { simulationServers: ['localhost/2000'], portRewrite: true, server: 'webots.example.org:8443' };
  assert.deepEqual(warningsOf(await loadValue(behind)), []);
});

test('a faster poll without a time-out of its own gets a shorter time-out', async () => {
  const { pollInterval, pollTimeout } = settingsOf(await loadValue({ ...minimal, pollInterval: 2 }));
  assert.equal(pollInterval, 2);
  assert.equal(pollTimeout, 1.6);
});

test('a poll time-out that follows from the interval has few decimals', async () => {
  const { pollTimeout } = settingsOf(await loadValue({ ...minimal, pollInterval: 3 }));
  assert.equal(pollTimeout, 2.4);
});

// ---------------------------------------------------------------- secrets

const mail = { administrator: 'a@b', mailServer: 'smtp', mailSender: 'c@d' };

test('mail addresses are taken as the original takes them: a local mailbox, and a name before the address', async () => {
  for (const [written, address] of [
    ['root', 'root'],
    ['robot@localhost', 'robot@localhost'],
    ['Ann Example <a@b.org>', 'a@b.org'],
    ['"Example, Ann" <a@b.org>', 'a@b.org'],
    ['<a@b.org>', 'a@b.org'],
    ['Élodie <root>', 'root'],
  ] as const) {
    const result = await loadValue({ ...minimal, administrator: written, mailServer: 'smtp', mailSender: written });
    assert.deepEqual([...problemsOf(result), ...warningsOf(result)], []);
    const { administrator, sender, user } = settingsOf(result).mail ?? {};
    assert.deepEqual([administrator, sender, user], [address, address, address]);
  }
});

test('several administrators are a list, or a text with commas', async () => {
  for (const administrator of ['a@x.org,b@x.org', '"Doe, Ann" <a@x.org>,  Bob <b@x.org>', ['a@x.org', 'Bob <b@x.org>']]) {
    const result = await loadValue({ ...minimal, ...mail, administrator });
    assert.deepEqual([...problemsOf(result), ...warningsOf(result)], []);
    assert.equal(settingsOf(result).mail?.administrator, 'a@x.org, b@x.org');
  }
});

test('text that could forge a header is not a mail address', async () => {
  for (const administrator of [
    'a@b,, c@d',
    'a@b <c@d>',
    'a b',
    'Ann <a@b> x',
    'Ann <a@b',
    'a\n<b@c>',
    '"a\r\nBcc: x" <b@c>',
    '<>',
    'a@',
    '@b',
  ])
    assert.deepEqual(keysOf(problemsOf(await loadValue({ ...minimal, administrator }))), ['administrator'], administrator);
});

test('the mail password comes from the environment', async () => {
  const result = await loadValue({ ...minimal, ...mail }, { env: { SESSION_SERVER_MAIL_PASSWORD: 'from env' } });
  assert.equal(settingsOf(result).mail?.password, 'from env');
});

test('a line break at the end of a mail password is not part of it, wherever the password comes from', async () => {
  for (const end of ['\n', '\r\n', '\n\n']) {
    const env = { SESSION_SERVER_MAIL_PASSWORD: ` a b ${end}` };
    const inVariable = await loadValue({ ...minimal, ...mail }, { env });
    assert.equal(settingsOf(inVariable).mail?.password, ' a b ', JSON.stringify(end));
    const inFile = { env: { SESSION_SERVER_MAIL_PASSWORD_FILE: '/pw' }, files: { '/pw': ` a b ${end}` } };
    assert.equal(settingsOf(await loadValue({ ...minimal, ...mail }, inFile)).mail?.password, ' a b ', JSON.stringify(end));
  }
});

test('the mail password comes from a file, without the line break at its end', async () => {
  const result = await loadValue(
    { ...minimal, ...mail },
    { env: { SESSION_SERVER_MAIL_PASSWORD_FILE: '~/pw' }, files: { '/home/me/pw': ' from file \r\n' } },
  );
  assert.equal(settingsOf(result).mail?.password, ' from file ');
});

test('a mail password in two places is warned of, and the environment wins', async () => {
  const env = { SESSION_SERVER_MAIL_PASSWORD: 'one', SESSION_SERVER_MAIL_PASSWORD_FILE: '/pw' };
  const result = await loadValue({ ...minimal, ...mail, mailSenderPassword: 'three' }, { env, files: { '/pw': 'two' } });
  assert.deepEqual(warningsOf(result), [
    'SESSION_SERVER_MAIL_PASSWORD_FILE: given twice — expected a secret in one place; SESSION_SERVER_MAIL_PASSWORD is used; remove the other',
    'mailSenderPassword: given twice — expected a secret in one place; SESSION_SERVER_MAIL_PASSWORD is used; remove the other',
  ]);
  assert.equal(settingsOf(result).mail?.password, 'one');
});

for (const [what, content] of [
  ['missing', undefined],
  ['empty', '\n'],
  ['of several lines', 'one\ntwo\n'],
  ['binary', new Uint8Array([0xff, 0x00])],
] as const)
  test(`a password file that is ${what} is a problem of its own`, async () => {
    const files = content === undefined ? {} : { '/pw': content };
    const result = await loadValue({ ...minimal, ...mail }, { env: { SESSION_SERVER_MAIL_PASSWORD_FILE: '/pw' }, files });
    const fault = content === undefined ? 'which does not exist' : 'a file that does not hold one line of text';
    assert.deepEqual(problemsOf(result), [
      `SESSION_SERVER_MAIL_PASSWORD_FILE: "/pw", ${fault} — expected a file that holds only the password or secret, on one line; check the path, the content and the permissions of the file`,
    ]);
  });

test("a webhook's secret comes from the file it names, before the one in the configuration", async () => {
  const webhooks = [
    { url: 'https://a', secret: 'in the file' },
    { url: 'https://b', secretFile: 'b' },
    { url: 'https://c', secret: 'forgotten', secretFile: '$DIR/c' },
  ];
  const result = await loadValue(
    { ...minimal, webhooks },
    { env: { DIR: '/secrets' }, files: { '/cwd/b': 'of b\n', '/secrets/c': 'of c' } },
  );
  assert.deepEqual(settingsOf(result).webhooks, [
    { url: 'https://a', format: 'json', headers: {}, secret: 'in the file' },
    { url: 'https://b', format: 'json', headers: {}, secret: 'of b' },
    { url: 'https://c', format: 'json', headers: {}, secret: 'of c' },
  ]);
  assert.deepEqual(warningsOf(result), [
    'webhooks[2].secret: given twice — expected a secret in one place; "secretFile" is used; remove "secret"',
  ]);
});

test('a file with a password or a token that every user may read causes a warning; one without does not', async (t) => {
  const path = join(await temporaryFolder(t), 's.json');
  const warningsFor = async (file: unknown, mode: number): Promise<string[]> => {
    await writeFile(path, JSON.stringify(file));
    await chmod(path, mode);
    return warningsOf(await loadConfiguration(path, { env: {} }));
  };
  const withPassword = { ...minimal, ...mail, mailSenderPassword: 'x' };
  const line = `that every user can read — expected a file that others cannot read; run: chmod 640 "${path}"`;
  assert.deepEqual(await warningsFor(withPassword, 0o644), [
    `${path}: a file with a password ${line}, or keep the password in a separate file`,
  ]);
  for (const withToken of [
    { webhooks: [{ url: 'https://a', headers: { authorization: 'x' } }] },
    { registration: { token: '0123456789abcdef' } },
  ])
    assert.deepEqual(await warningsFor({ ...minimal, ...withToken }, 0o604), [`${path}: a file with a token ${line}`]);
  assert.deepEqual(await warningsFor(withPassword, 0o640), []);
  assert.deepEqual(await warningsFor({ ...minimal, ...mail }, 0o644), []);
});

test('no line ever shows a secret, wherever it is and whatever else is wrong', async () => {
  const secret = fc.string({ minLength: 6, maxLength: 30, unit: fc.constantFrom('A', 'B', 'K', 'Q', 'X', 'Z', '7') });
  const places: readonly ((secret: string) => Record<string, unknown>)[] = [
    (value) => ({ mailSenderPassword: value }),
    (value) => ({ mailSenderPassword: [value] }),
    (value) => ({ mailSenderPassword: { value } }),
    (value) => ({ mailSenderPassword: value.repeat(300) }),
    (value) => ({ mailPassword: value, mail: { password: value } }),
    (value) => ({ webhooks: value }),
    (value) => ({ webhooks: [value] }),
    (value) => ({ webhooks: [{ url: `no-url-${value}` }] }),
    (value) => ({ webhooks: [{ url: 'https://a', secret: value.slice(0, 7), secrett: value }] }),
    (value) => ({ webhooks: [{ url: 'https://a', headers: { Authorization: `${value}\n` } }] }),
    (value) => ({ webhooks: [{ url: 'https://a', headers: value }] }),
    (value) => ({ admin: value }),
    (value) => ({ admin: { tokens: value } }),
    (value) => ({ admin: { tokens: [value] } }),
    (value) => ({ admin: { tokens: [{ name: 'a', hash: value, token: value }] } }),
    (value) => ({ simulationServers: [`http://user:${value}@host/2000`, `user:${value}@host:2000`, `https://${value}@host`] }),
    (value) => ({ mailServer: `smtp://u:${value}@host` }),
  ];
  await fc.assert(
    fc.asyncProperty(secret, fc.constantFrom(...places), fc.jsonValue(), async (value, place, noise) => {
      const result = await loadValue(
        { ssl: noise, ...place(value) },
        { env: { SESSION_SERVER_MAIL_PASSWORD: value.repeat(200) }, mode: 0o644 },
      );
      for (const line of [...problemsOf(result), ...warningsOf(result)]) assert.ok(!line.includes(value.slice(0, 6)), line);
    }),
    { numRuns: 500 },
  );
});

// ---------------------------------------------------------------- any input

test('any bytes are loaded or refused with problems of one line each, never an error', async () => {
  const keys = fc.constantFrom(
    'simulationServers',
    'ssl',
    'port',
    'webhooks',
    'limits',
    'allocation',
    'admin',
    'administrator',
    'logDir',
    'listen',
    'x',
  );
  const json = fc.dictionary(keys, fc.jsonValue({ maxDepth: 4 })).map((value) => new TextEncoder().encode(JSON.stringify(value)));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string().map(encode), json), async (bytes) => {
      const result = await loadText(bytes);
      const lines = [...problemsOf(result), ...warningsOf(result)];
      assert.equal(result.kind === 'refused', problemsOf(result).length > 0);
      for (const line of lines) assert.match(line, /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]{1,2000}$/);
    }),
    { numRuns: 1500 },
  );
});

// ---------------------------------------------------------------- support

interface Machine {
  readonly env?: Record<string, string>;
  readonly files?: Record<string, string | Uint8Array>;
  readonly mode?: number;
}

function environment({ env = {}, files = {}, mode = 0o600 }: Machine = {}): Environment {
  return {
    env,
    cwd: '/cwd',
    home: '/home/me',
    readFile: (path) => {
      const content = files[path];
      if (content === undefined) return Promise.resolve({ kind: 'missing', code: 'ENOENT' });
      return Promise.resolve({ kind: 'content', bytes: typeof content === 'string' ? encode(content) : content, mode });
    },
  };
}

function loadText(text: string | Uint8Array, machine: Machine = {}): Promise<LoadResult> {
  return loadConfiguration('s.json', environment({ ...machine, files: { ...machine.files, '/cwd/s.json': text } }));
}

function loadValue(value: unknown, machine: Machine = {}): Promise<LoadResult> {
  return loadText(JSON.stringify(value), machine);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function problemsOf(result: LoadResult): string[] {
  return result.kind === 'refused' ? result.problems.map(formatProblem) : [];
}

function warningsOf(result: LoadResult): string[] {
  return result.warnings.map(formatProblem);
}

function settingsOf(result: LoadResult): Extract<LoadResult, { kind: 'loaded' }>['settings'] {
  assert.deepEqual(problemsOf(result), []);
  assert.equal(result.kind, 'loaded');
  return result.settings;
}

function keysOf(lines: readonly string[]): string[] {
  return lines.map((line) => line.slice(0, line.indexOf(': ')));
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'session-server-load-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
