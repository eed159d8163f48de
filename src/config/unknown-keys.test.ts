import assert from 'node:assert/strict';
import { test } from 'node:test';
import { removeUnknownKeys } from './unknown-keys.ts';

/** The advice about the only unknown key of a file. */
function advice(file: Readonly<Record<string, unknown>>): string {
  const { warnings } = removeUnknownKeys(file);
  assert.equal(warnings.length, 1, JSON.stringify(warnings));
  return warnings[0]?.fix ?? '';
}

test('a file with known keys stays as it is, whatever its values', () => {
  const file = {
    simulationServers: ['a:1', { address: 'b:1', labels: { anything: 'x' } }, 7],
    gateway: { routes: { '2000-2999': 'x' }, limits: { relays: 'many' } },
    webhooks: [{ url: 'x', headers: { 'X-Any': 'y' } }],
    allocation: { settle: [10, 60] },
    port: 'no number',
  };
  assert.deepEqual(removeUnknownKeys(file), { known: file, warnings: [] });
});

test('unknown keys are left out at every level, with the path of each and without its value', () => {
  const { known, warnings } = removeUnknownKeys({
    simulationServers: [{ address: 'a:1', pasword: 'secret' }],
    gateway: { limits: { relays: 5, extra: 'secret' } },
    other: { deep: 'secret' },
  });
  assert.deepEqual(known, { simulationServers: [{ address: 'a:1' }], gateway: { limits: { relays: 5 } } });
  assert.deepEqual(
    warnings.map(({ key, value }) => [key, value]),
    [
      ['simulationServers[0].pasword', 'unknown key, ignored'],
      ['gateway.limits.extra', 'unknown key, ignored'],
      ['other', 'unknown key, ignored'],
    ],
  );
  assert.doesNotMatch(JSON.stringify(warnings), /secret/);
});

test('a misspelt key is recognised by its letters, however it is written', () => {
  for (const [key, meant] of Object.entries({
    Port: 'port',
    port_rewrite: 'portRewrite',
    simulationServer: 'simulationServers',
    polInterval: 'pollInterval',
    administartor: 'administrator',
  }))
    assert.equal(advice({ [key]: 1 }), `did you mean "${meant}"?`);
  assert.equal(advice({ gateway: { ruotes: {} } }), 'did you mean "gateway.routes"?');
  assert.equal(advice({ simulationServers: [{ adress: 'a:1' }] }), 'did you mean "simulationServers[0].address"?');
});

test('other names that operators use for a key are recognised', () => {
  assert.equal(advice({ fqdn: 'x' }), 'did you mean "server"?');
  assert.equal(advice({ smtpHost: 'x' }), 'did you mean "mailServer"?');
  assert.equal(advice({ simulationServers: [{ url: 'x' }] }), 'did you mean "simulationServers[0].address"?');
});

test('a key of another section is named with its section', () => {
  assert.equal(advice({ rateBurst: 1 }), 'did you mean "limits.rateBurst"?');
  assert.equal(advice({ waiting: { target: 1 } }), 'did you mean "allocation.target"?');
});

test('a key of a simulation server, and one of a certificate, are explained', () => {
  assert.match(advice({ webotsHome: '/x' }), /^it belongs in the configuration of a simulation server/);
  assert.match(advice({ sslKey: '/x' }), /^certificates belong to the reverse proxy, or in "gateway\.tls"/);
});

test('a key that resembles no other can only be removed, even a very long one or one of the language', () => {
  for (const key of ['nonsense', 'x'.repeat(100_000), 'toString', 'constructor'])
    assert.equal(advice({ [key]: 1 }), 'remove it, or look up its name in docs/reference/configuration.md', key.slice(0, 20));
  assert.equal(
    advice(JSON.parse('{"__proto__": 1}') as Record<string, unknown>),
    'remove it, or look up its name in docs/reference/configuration.md',
  );
});
