import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsOf } from '../../test/support/settings.ts';
import { allKeys, below } from './keys.ts';
import { type Changes, compareSettings, inForce } from './reload.ts';
import type { ConfigurationFile } from './schema.ts';

function changes(old: Partial<ConfigurationFile>, next: Partial<ConfigurationFile>): Changes {
  return compareSettings(settingsOf(old), settingsOf(next));
}

test('the same configuration changes nothing, however it is written', () => {
  const { sections, servers } = changes(
    { ssl: true, logDir: 'log/', simulationServers: ['a:1'] },
    { logDir: '/srv/log', simulationServers: [{ address: 'a:1' }] },
  );
  assert.deepEqual([...sections], []);
  assert.deepEqual(servers, { added: [], removed: [], changed: [], reordered: false });
});

test('only what differs is named', () => {
  const { sections } = changes({}, { pollInterval: 4.5, waiting: { hold: 5 }, ssl: false });
  assert.deepEqual([...sections].sort(), ['handOutSsl', 'pollInterval', 'pollSsl', 'ssl', 'waiting']);
});

test('what was absent before or is absent now is named', () => {
  const mail = { administrator: 'a@b', mailServer: 'x', mailSender: 'c@d' };
  assert.deepEqual([...changes({}, mail).sections], ['mail']);
  assert.deepEqual([...changes({ ...mail, allowedOrigins: [] }, {}).sections].sort(), ['allowedOrigins', 'mail']);
});

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
  assert.deepEqual([...compareSettings(started, first.settings).sections], []);
  assert.deepEqual(inForce(started, settingsOf({ port: 2999, ssl: false })).afterRestart, ['port']);
  assert.deepEqual(inForce(started, settingsOf({ ssl: false })).afterRestart, []);
});

test('a key that was absent at the start and needs a restart stays absent', () => {
  const { settings } = inForce(settingsOf({}), settingsOf({ gateway: { redirectFrom: 80 } }));
  assert.ok(!('redirectFrom' in settings.gateway));
});

test('every key that needs a restart has its place in the settings', () => {
  const settings = settingsOf({ gateway: { redirectFrom: 80 } });
  const keys = [...allKeys()].filter(([, { restart }]) => restart).map(([key]) => key);
  assert.ok(keys.includes('port'));
  for (const key of keys) assert.notEqual(key.split('.').reduce<unknown>(below, settings), undefined, key);
});

test('servers are kept by identity: added, removed and changed ones are told apart', () => {
  const { servers } = changes(
    { simulationServers: ['a:1', 'b:1', 'c:1', { address: 'd:1', weight: 2 }] },
    { simulationServers: ['a:1', 'B/1', 'e:1', { address: 'd:1', weight: 3 }] },
  );
  const ids = (list: readonly { endpoint: { id: string } }[]): string[] => list.map(({ endpoint }) => endpoint.id);
  assert.deepEqual(ids(servers.added), ['e:1']);
  assert.deepEqual(servers.removed, ['c:1']);
  assert.deepEqual(ids(servers.changed), ['b:1', 'd:1']);
  assert.equal(servers.changed[0]?.endpoint.address, 'B/1');
  assert.equal(servers.reordered, false);
});

test('servers in another order are noticed, though none is added or removed', () => {
  const { servers, sections } = changes({ simulationServers: ['a:1', 'b:1'] }, { simulationServers: ['b:1', 'a:1'] });
  assert.deepEqual(servers, { added: [], removed: [], changed: [], reordered: true });
  assert.deepEqual([...sections], ['simulationServers']);
});
