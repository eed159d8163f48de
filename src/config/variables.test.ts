import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allKeys } from './keys.ts';
import { loadConfiguration } from './load.ts';
import type { FileContent } from './environment.ts';
import { variableNames, variableOf } from './variables.ts';

const FILE = '/etc/session.json';

function load(env: Readonly<Record<string, string>>, configuration: unknown = {}, files: Readonly<Record<string, string>> = {}) {
  const texts: Readonly<Record<string, string>> = { [FILE]: JSON.stringify(configuration), ...files };
  return loadConfiguration(FILE, {
    env,
    cwd: '/',
    home: undefined,
    readFile: (path) => {
      const text = texts[path];
      const content: FileContent = { kind: 'content', bytes: new TextEncoder().encode(text), mode: 0o644 };
      return Promise.resolve(text === undefined ? { kind: 'missing', code: 'ENOENT' } : content);
    },
  });
}

async function loaded(...values: Parameters<typeof load>) {
  const result = await load(...values);
  assert.ok(result.kind === 'loaded', JSON.stringify(result));
  return result;
}

test('every key has one variable, and no two have the same', () => {
  const names = variableNames();
  const keys = [...allKeys()].filter(([key]) => !key.includes('[]') && key !== '$schema').map(([key]) => key);
  assert.equal(variableOf(['waiting', 'maxLength']), 'SESSION_SERVER_WAITING_MAX_LENGTH');
  assert.deepEqual([...names.values()].map(({ path }) => path.join('.')).sort(), keys.sort());
  for (const other of ['TOKEN', 'MAIL_PASSWORD', 'MAIL_PASSWORD_FILE', 'SIM']) assert.ok(!names.has(`SESSION_SERVER_${other}`));
});

test('variables set keys of each type, and win over the file', async () => {
  const env = {
    SESSION_SERVER_SIMULATION_SERVERS: 'sim1.example.org:2000, sim2.example.org:2000',
    SESSION_SERVER_PORT: '8080',
    SESSION_SERVER_SSL: 'false',
    SESSION_SERVER_SERVER: 'sessions.example.org',
    SESSION_SERVER_WAITING_MAX_LENGTH: '7',
    SESSION_SERVER_WEBHOOKS: '[{"url": "https://hooks.example.org/x", "format": "slack"}]',
    SESSION_SERVER_LOG_TO: 'stdout',
    SESSION_SERVER_STATE_DIR: '',
  };
  const { settings, warnings } = await loaded(env, { port: 1, portRewrite: false, waiting: { resume: 40, maxLength: 3 } });
  assert.deepEqual(
    settings.simulationServers.map(({ endpoint }) => endpoint.id),
    ['sim1.example.org:2000', 'sim2.example.org:2000'],
  );
  assert.deepEqual(
    [settings.port, settings.ssl, settings.server, settings.logTo],
    [8080, false, 'sessions.example.org', 'stdout'],
  );
  assert.deepEqual([settings.waiting.maxLength, settings.waiting.resume], [7, 40], 'other keys of a section stay');
  assert.deepEqual(
    settings.webhooks.map(({ url, format }) => [url, format]),
    [['https://hooks.example.org/x', 'slack']],
  );
  assert.deepEqual(warnings, []);
});

test('secrets come from variables or from the files that they name, and the file of the configuration may then be public', async () => {
  const token = 'a-registration-token-of-some-length';
  const env = { SESSION_SERVER_REGISTRATION_TOKEN_FILE: '/run/secrets/token', SESSION_SERVER_SIMULATION_SERVERS: '[]' };
  const { settings, warnings } = await loaded(env, {}, { '/run/secrets/token': `${token}\n` });
  assert.equal(settings.registration.token, token);
  assert.deepEqual(warnings, []);
  const absent = await load({ ...env, SESSION_SERVER_REGISTRATION_TOKEN_FILE: '/none' });
  assert.ok(absent.kind === 'refused');
  assert.deepEqual(
    absent.problems.map(({ key, value }) => `${key}: ${value}`),
    ['SESSION_SERVER_REGISTRATION_TOKEN_FILE: "/none", which does not exist'],
  );
});

test('a wrong value is refused with the name of its variable, and a secret is not shown', async () => {
  const env = {
    SESSION_SERVER_PORT: 'http',
    SESSION_SERVER_WAITING_RESUME: '-1',
    SESSION_SERVER_SIMULATION_SERVERS: 'sim1:2000,https://sim2:2000',
    SESSION_SERVER_REGISTRATION_TOKEN: 'hunter2',
    SESSION_SERVER_LIMITS: '7',
  };
  const result = await load(env);
  assert.ok(result.kind === 'refused');
  const lines = result.problems.map(({ key, value }) => `${key}: ${value}`).sort();
  assert.deepEqual(lines, [
    'SESSION_SERVER_LIMITS: 7',
    'SESSION_SERVER_PORT: "http"',
    'SESSION_SERVER_REGISTRATION_TOKEN: a value that is not shown',
    'SESSION_SERVER_SIMULATION_SERVERS[1]: "https://sim2:2000"',
    'SESSION_SERVER_WAITING_RESUME: -1',
  ]);
});

test('a misspelt variable causes a warning; those of Kubernetes and of other programs do not', async () => {
  const { warnings, settings } = await loaded({
    SESSION_SERVER_SIMULATION_SERVERS: 'sim1.example.org',
    SESSION_SERVER_PORTREWRITE: 'true',
    SESSION_SERVER_PORT: 'tcp://10.0.0.1:1999',
    SESSION_SERVER_PORT_1999_TCP_ADDR: '10.0.0.1',
    SESSION_SERVER_TOKEN: 'sst_x',
  });
  assert.equal(settings.port, 1999);
  assert.deepEqual(
    warnings.map(({ key, fix }) => `${key}: ${fix}`),
    ['SESSION_SERVER_PORTREWRITE: did you mean SESSION_SERVER_PORT_REWRITE?'],
  );
});
