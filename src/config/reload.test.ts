import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsOf } from '../../test/support/settings.ts';
import { allKeys, below } from './keys.ts';
import { inForce } from './reload.ts';

test('keys that take effect after a restart are named as in the documentation, and keep their values until then', () => {
  const started = settingsOf({ gateway: { redirectFrom: 8080 } });
  const wanted = settingsOf({
    ...{ port: 2999, listen: '::1', limits: { headerBytes: 4096, rateBurst: 7 }, logDir: '/elsewhere/log', debug: true },
    gateway: { port: 8443 },
    server: 'example.org',
  });
  const { settings, afterRestart } = inForce(started, wanted);
  const expected = [
    'port',
    'logDir',
    'debug',
    'listen',
    'stateDir',
    'limits.headerBytes',
    'gateway.port',
    'gateway.redirectFrom',
  ];
  assert.deepEqual(afterRestart, expected);
  const { limits } = started;
  assert.deepEqual(settings, { ...started, server: 'example.org', limits: { ...limits, rateBurst: 7 } });
});

test('keys that need a restart are named at each reload, as long as they differ from the start', () => {
  const started = settingsOf({});
  const first = inForce(started, settingsOf({ port: 2999 }));
  assert.deepEqual(first.afterRestart, ['port']);
  assert.deepEqual(first.settings, started);
  assert.deepEqual(inForce(started, settingsOf({ port: 2999, ssl: false })).afterRestart, ['port']);
  assert.deepEqual(inForce(started, settingsOf({ ssl: false })).afterRestart, []);
});

test('a key that was absent at the start and needs a restart stays absent', () => {
  const { settings } = inForce(settingsOf({}), settingsOf({ gateway: { redirectFrom: 80 } }));
  assert.ok(!('redirectFrom' in settings.gateway));
});

test('every key that needs a restart has its place in the settings', () => {
  const replicas = {
    ...{ store: 'redis://10.0.0.5:6379', user: 'fleet', password: 'secret', passwordFile: '/secret', authority: '/ca.pem' },
    ...{ sentinels: ['10.0.0.5'], certificate: '/replica.pem', key: '/replica.key' },
    ...{ name: 'a', address: 'http://10.0.0.11:1999' },
  };
  // Those without a default are given.
  const given = { logTo: 'stdout', logLevel: 'warn', tracing: { endpoint: 'http://localhost:4318/v1/traces' } } as const;
  const settings = settingsOf({ gateway: { redirectFrom: 80 }, ...given, replicas });
  const keys = [...allKeys()].filter(([, { restart }]) => restart).map(([key]) => key);
  assert.ok(keys.includes('port'));
  for (const key of keys) assert.notEqual(key.split('.').reduce<unknown>(below, settings), undefined, key);
});
