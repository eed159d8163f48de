import assert from 'node:assert/strict';
import { expandPath } from './environment.ts';
import { test } from 'node:test';
import { type ConfigurationFile, schema } from './schema.ts';
import type { Secrets } from './secrets.ts';
import { type Settings, toSettings } from './settings.ts';
import type { Environment } from './environment.ts';

const environment: Environment = {
  env: { LOGS: '/srv/logs', NAME: 'lab' },
  cwd: '/work',
  home: '/home/me',
  readFile: () => Promise.resolve({ kind: 'missing', code: 'ENOENT' }),
};

function settingsOf(file: Partial<ConfigurationFile>, secrets: Partial<Secrets> = {}): Settings {
  const configuration = schema.parse({ simulationServers: [], ...file });
  return toSettings(configuration, { webhookSecrets: new Map(), ...secrets }, environment);
}

test('a server without a word beside its address gets the usual weight and no restriction', () => {
  assert.deepEqual(settingsOf({ simulationServers: ['Host.org/2000'] }).simulationServers, [
    {
      endpoint: { id: 'host.org:2000', address: 'Host.org/2000', host: 'Host.org', port: 2000, rewritten: true },
      weight: 1,
      shareIdleTime: 0,
      labels: {},
    },
  ]);
});

test('the keys of an entry are in the settings of its server', () => {
  const entry = {
    weight: 2,
    maxSessions: 12,
    allowedRepositories: ['github.com/a'],
    blockedRepositories: ['github.com/a/b'],
    shareIdleTime: 50,
    labels: { room: 'B12' },
  };
  const [server] = settingsOf({ simulationServers: [{ address: 'a:1', ...entry }] }).simulationServers;
  assert.deepEqual({ ...server, endpoint: server?.endpoint.id }, { endpoint: 'a:1', ...entry });
});

test('the first of several entries for the same machine counts, in the order of the file', () => {
  const { simulationServers } = settingsOf({ simulationServers: ['b:1', { address: 'a/1', weight: 3 }, 'A:1', 'b/1', 'a:2'] });
  assert.deepEqual(
    simulationServers.map(({ endpoint, weight }) => [endpoint.address, weight]),
    [
      ['b:1', 1],
      ['a/1', 3],
      ['a:2', 1],
    ],
  );
});

test('what is handed out and polled follows ssl unless it has a key of its own', () => {
  const pick = ({ handOutSsl, pollSsl }: Settings): unknown => ({ handOutSsl, pollSsl });
  assert.deepEqual(pick(settingsOf({})), { handOutSsl: true, pollSsl: true });
  assert.deepEqual(pick(settingsOf({ ssl: false })), { handOutSsl: false, pollSsl: false });
  assert.deepEqual(pick(settingsOf({ ssl: true, pollSsl: false })), { handOutSsl: true, pollSsl: false });
  assert.deepEqual(pick(settingsOf({ ssl: false, handOutSsl: true })), { handOutSsl: true, pollSsl: false });
});

const folders: readonly (readonly [logDir: string, expected: string])[] = [
  ['log', '/work/log'],
  ['log/', '/work/log'],
  ['../log', '/log'],
  ['/var/log/x', '/var/log/x'],
  ['~', '/home/me'],
  ['~/log', '/home/me/log'],
  ['~ann/log', '/work/~ann/log'],
  ['a~/log', '/work/a~/log'],
  ['$LOGS/$NAME', '/srv/logs/lab'],
  ['${LOGS}x', '/srv/logsx'],
  ['$NOWHERE/x', '/work/$NOWHERE/x'],
  ['${}x', '/work/${}x'],
];

for (const [logDir, expected] of folders)
  test(`the log folder ${logDir} is ${expected}`, () => {
    assert.equal(settingsOf({ logDir }).logDir, expected);
  });

test('the state folder is beside the log folder, or where its key says', () => {
  assert.equal(settingsOf({}).stateDir, '/work/state');
  assert.equal(settingsOf({ logDir: '/var/log' }).stateDir, '/var/state');
  assert.equal(settingsOf({ logDir: '/var/log', stateDir: '~/kept' }).stateDir, '/home/me/kept');
});

const mail = { administrator: 'a@b', mailServer: 'smtp', mailSender: 'c@d' };

test("mail without a password uses SMTP's own port and the sender as user", () => {
  assert.deepEqual(settingsOf(mail).mail, { administrator: 'a@b', server: 'smtp', port: 25, sender: 'c@d', user: 'c@d' });
});

test('mail with everything is taken as it is', () => {
  const secrets = { mailPassword: 'secret' };
  assert.deepEqual(settingsOf({ ...mail, mailServerPort: 587, mailSenderUser: 'u' }, secrets).mail, {
    ...{ administrator: 'a@b', server: 'smtp', port: 587, sender: 'c@d', user: 'u', password: 'secret' },
  });
});

test('a port written after the SMTP host counts, as in the original, unless the port has its own key', () => {
  const where = (file: Partial<ConfigurationFile>): unknown => {
    const { server, port } = settingsOf({ ...mail, ...file }).mail ?? {};
    return [server, port];
  };
  assert.deepEqual(where({ mailServer: 'smtp:587' }), ['smtp', 587]);
  assert.deepEqual(where({ mailServer: 'smtp:587', mailServerPort: 0 }), ['smtp', 587]);
  assert.deepEqual(where({ mailServer: 'smtp:587', mailServerPort: 25 }), ['smtp', 25]);
  for (const mailServer of ['::1', '[::1]']) assert.deepEqual(where({ mailServer }), ['::1', 25]);
  assert.deepEqual(where({ mailServer: '[::1]:587' }), ['::1', 587]);
  assert.deepEqual(where({ mailServer: '[fe80::1%eth0]:587' }), ['fe80::1%eth0', 587]);
});

for (const key of ['administrator', 'mailServer', 'mailSender'] as const)
  test(`without ${key} there is no e-mail`, () => {
    const { [key]: _, ...rest } = mail;
    assert.equal(settingsOf(rest).mail, undefined);
  });

test('a user without a home folder needs none, and `~` then stays as it is', () => {
  const machine = { env: {}, home: undefined };
  assert.equal(expandPath('/var/log/session-server', machine), '/var/log/session-server');
  assert.equal(expandPath('~/log', machine), '~/log');
  assert.equal(expandPath('~/log', { ...machine, home: '/home/me' }), '/home/me/log');
});

test('origins are compared as browsers send them', () => {
  const { allowedOrigins } = settingsOf({ allowedOrigins: ['HTTPS://Example.org:443/', 'http://a:8080', 'null'] });
  assert.deepEqual(allowedOrigins, ['https://example.org', 'http://a:8080', 'null']);
  assert.equal(settingsOf({}).allowedOrigins, undefined);
});

test('the paths of the gateway are absolute and its routes read; by default it is off', () => {
  const { gateway } = settingsOf({
    gateway: {
      enabled: true,
      tls: { cert: 'cert.pem', key: '/etc/key.pem' },
      acmeDir: 'acme',
      routes: { '3000-3999': 'b', '2000': 'a' },
    },
  });
  assert.deepEqual(gateway.tls, { cert: '/work/cert.pem', key: '/etc/key.pem' });
  assert.equal(gateway.acmeDir, '/work/acme');
  assert.deepEqual(gateway.routes, [
    { first: 2000, last: 2000, host: 'a' },
    { first: 3000, last: 3999, host: 'b' },
  ]);
  assert.equal(settingsOf({}).gateway.enabled, false);
  assert.equal(settingsOf({}).waiting.relay, false);
});
