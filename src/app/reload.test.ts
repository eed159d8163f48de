import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointOf } from '../../test/support/endpoints.ts';
import { settingsOf } from '../../test/support/settings.ts';
import { allKeys } from '../config/keys.ts';
import type { ConfigurationFile } from '../config/schema.ts';
import { countsSessions } from './build.ts';
import { affected, READ_AT_EACH_USE, RECONFIGURATIONS } from './reload.ts';

const TABLE: ReadonlySet<string> = new Set([...RECONFIGURATIONS.flatMap(({ reads }) => reads), ...READ_AT_EACH_USE]);

/** Keys that the settings have under another name. */
const RENAMED: Readonly<Record<string, string>> = {
  administrator: 'mail',
  mailServer: 'mail',
  mailServerPort: 'mail',
  mailServerTls: 'mail',
  mailSender: 'mail',
  mailSenderUser: 'mail',
  mailSenderPassword: 'mail',
};

/** Read by editors only. */
const NOT_IN_SETTINGS = ['$schema'];

/** Every key of the configuration that holds a value and takes effect without a restart, under its name in the settings. */
function reloadable(): string[] {
  const keys = [...allKeys()].filter(
    ([key, { restart, keys: below }]) => !restart && below.size === 0 && !NOT_IN_SETTINGS.includes(key),
  );
  return [...new Set(keys.map(([key]) => key.replace(/\[\].*$/, '')).map((key) => RENAMED[key] ?? key))];
}

/** The key or one above it. */
function named(key: string): string | undefined {
  const steps = key.split('.');
  return steps.map((_, index) => steps.slice(0, index + 1).join('.')).find((above) => TABLE.has(above));
}

test('every configuration key reconfigures a part, is read at each use, or needs a restart', () => {
  assert.ok(reloadable().length > 50);
  assert.deepEqual(
    reloadable().filter((key) => named(key) === undefined),
    [],
    'name these keys in RECONFIGURATIONS or READ_AT_EACH_USE of src/app/reload.ts, or mark them with "restart" in the schema',
  );
});

test('a part that has to be reconfigured for a key does not read it at each use', () => {
  const reconfigured = new Set<string>(RECONFIGURATIONS.flatMap(({ reads }) => reads));
  assert.deepEqual(
    READ_AT_EACH_USE.filter((key) => reconfigured.has(key)),
    [],
  );
});

for (const [what, before, next, parts] of [
  ['nothing', { loadThreshold: 90 }, { loadThreshold: 90 }, []],
  ['a key that is read at each use', {}, { monitor: { title: 'Robots' } }, []],
  ['the load threshold', {}, { loadThreshold: 80 }, ['allocation', 'server states']],
  ['a rate', {}, { limits: { rateBurst: 3 } }, ['request rates']],
  ['another limit', {}, { limits: { clients: 30 } }, []],
  ['the poll interval', {}, { pollInterval: 4.5 }, ['server states', 'probe', 'notifications']],
  ['an added server', { simulationServers: ['a:1'] }, { simulationServers: ['a:1', 'b:1'] }, ['fleet']],
  ['the order of servers', { simulationServers: ['b:1', 'a:1'] }, { simulationServers: ['a:1', 'b:1'] }, ['fleet']],
  ['the spelling of a server', { simulationServers: ['a:1'] }, { simulationServers: [{ address: 'a:1' }] }, []],
  ['e-mail', {}, { administrator: 'a@b', mailServer: 'x', mailSender: 'c@d' }, ['notifications']],
  ['the registration token', {}, { registration: { token: 'secret-secret-secret-secret' } }, ['registered servers']],
  ['addresses of registered servers', {}, { registration: { allowPrivate: false } }, ['probe', 'registered servers']],
  [
    'the routes of the gateway',
    { gateway: { enabled: true, routes: { '2000': 'a' } } },
    { gateway: { enabled: true, routes: { '2000': 'b' } } },
    ['probe', 'counted sessions', 'registered servers'],
  ],
  ['waiting inside clients', {}, { waiting: { relay: true } }, ['waiting line', 'counted sessions']],
  ['proxies', {}, { trustedProxies: ['10.0.0.0/8'] }, ['client addresses']],
] as const satisfies readonly (readonly [string, Partial<ConfigurationFile>, Partial<ConfigurationFile>, readonly string[]])[])
  test(`a change of ${what} reconfigures the parts that read it and no others`, () => {
    const rows = affected(settingsOf(before), settingsOf(next));
    assert.deepEqual(
      rows.map(({ part }) => part),
      parts,
    );
  });

test('sessions are counted only where the gateway relays /client itself', () => {
  const count = (relay: boolean, address: string) =>
    countsSessions(
      settingsOf({ server: 'sim.example.org', waiting: { relay }, gateway: { enabled: true, routes: { '2000': 'localhost' } } }),
      endpointOf(address),
    );
  assert.equal(count(true, 'sim.example.org/2000'), true);
  assert.equal(count(false, 'sim.example.org/2000'), false);
  assert.equal(count(true, 'sim.example.org/3000'), false);
  assert.equal(count(true, 'other.example.org/2000'), false);
});
