import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSimulationConfiguration, simulationJsonSchema } from './load.ts';
import { maxSessionTime } from './settings.ts';

/** Loads a configuration from memory. */
const load = (file: unknown, env: Readonly<Record<string, string>> = {}) =>
  loadSimulationConfiguration('simulation.json', {
    ...{ env, cwd: '/srv/sim', home: '/home/sim' },
    readFile: () =>
      Promise.resolve({
        kind: 'content',
        bytes: Buffer.from(typeof file === 'string' ? file : JSON.stringify(file)),
        mode: 0o600,
      }),
  });
const settingsOf = async (file: unknown, env?: Readonly<Record<string, string>>) => {
  const result = await load(file, env);
  assert.ok(result.kind === 'loaded', JSON.stringify(result));
  return result;
};

test('the original configuration files give the original defaults, and unknown keys are warnings', async () => {
  const { settings, warnings } = await settingsOf({ server: 'sim.example.org', docker: true, sslKey: 'x' });
  const { port, ssl, portRewrite, docker, shareIdleTime, maxConnections, timeout, notify, logDir, title } = settings;
  assert.deepEqual(
    { port, ssl, portRewrite, docker, shareIdleTime, maxConnections, timeout, notify, logDir, title },
    {
      ...{ port: 2000, ssl: true, portRewrite: true, docker: true, shareIdleTime: 50, maxConnections: 100, timeout: 7200 },
      ...{ notify: [], logDir: '/srv/sim/log', title: 'Webots simulation server' },
    },
  );
  assert.deepEqual(
    warnings.map(({ key }) => key),
    ['sslKey'],
  );
});

test('a time-out below six minutes is two hours, and a shorter limit has a key of its own', async () => {
  const { settings, warnings } = await settingsOf({ server: 'localhost', timeout: 60, limits: { time: 30 } });
  assert.equal(settings.timeout, 7200);
  assert.equal(maxSessionTime(settings), 30);
  assert.deepEqual(
    warnings.map(({ key }) => key),
    ['timeout'],
  );
});

test('Webots, proxies and certificates are found in the environment that Git and the original use', async () => {
  const { settings } = await settingsOf(
    { server: 'localhost' },
    { WEBOTS_HOME: '/opt/webots', HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'localhost', SSL_CERT_FILE: '/etc/ca.pem' },
  );
  assert.equal(settings.webotsHome, '/opt/webots');
  assert.deepEqual(settings.projects, {
    ...{ mirrors: {}, hosts: [], proxy: 'http://proxy:3128', noProxy: 'localhost', caFile: '/etc/ca.pem' },
  });
});

test('every problem is reported with its key and what is expected', async () => {
  const result = await load({ port: '2000', shareIdleTime: 1001, allowedRepositories: ['no such'], api: { token: 'short' } });
  assert.ok(result.kind === 'refused', 'it is refused');
  assert.deepEqual(
    result.problems.map(({ key }) => key),
    ['port', 'allowedRepositories[0]', 'shareIdleTime', 'api.token'],
  );
  assert.ok(!JSON.stringify(result.problems).includes('"short"'), 'a token is not shown');
});

test('contradictions are refused: ports beyond the last one, and a command without a program', async () => {
  const result = await load({ port: 65_000, maxConnections: 1000, simulator: 'command' });
  assert.ok(result.kind === 'refused', 'it is refused');
  assert.deepEqual(
    result.problems.map(({ key }) => key),
    ['maxConnections', 'simulators.command'],
  );
});

test('anything that is not a JSON object is one problem', async () => {
  for (const text of ['', '[]', 'null', '{', '"x"']) {
    const result = await load(text);
    assert.ok(result.kind === 'refused' && result.problems.length === 1, text);
  }
});

test('the JSON Schema describes each key', () => {
  const { properties = {} } = simulationJsonSchema();
  assert.ok(Object.keys(properties).length > 30, 'all keys are there');
  for (const [key, info] of Object.entries(properties))
    assert.ok(typeof info === 'object' && (info.description?.length ?? 0) > 10, key);
});
