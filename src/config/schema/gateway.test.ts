import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem } from '../problem.ts';
import { contradictions, type ConfigurationFile, schema } from '../schema.ts';

function warnings(file: Partial<ConfigurationFile>): string[] {
  const configuration = schema.parse({ simulationServers: ['localhost/2000'], ...file });
  return contradictions(configuration, false, {}).map(formatProblem);
}

const gateway = { enabled: true, routes: { '2000-2999': 'localhost' } };

test('a gateway whose routes cover the fleet is as it should be', () => {
  assert.deepEqual(warnings({ gateway, waiting: { relay: true } }), []);
  assert.deepEqual(warnings({}), []);
});

test('a gateway that cannot work causes a warning', () => {
  const cases: [Partial<ConfigurationFile>, RegExp][] = [
    [{ waiting: { relay: true } }, /^waiting\.relay: true .*gateway/],
    [{ gateway: { enabled: true } }, /^gateway\.routes: no range of ports/],
    [{ gateway, port: 2005 }, /^gateway\.routes: a range with 2005 .*"port"/],
    [{ gateway: { ...gateway, port: 2443, publicPort: 443 } }, /^gateway\.routes: a range with 2443 .*"gateway\.port"/],
    [{ gateway: { ...gateway, redirectFrom: 80 } }, /^gateway\.redirectFrom: 80 .*"gateway\.tls"/],
    [
      { gateway: { ...gateway, tls: { cert: 'c', key: 'k' }, redirectFrom: 2080 } },
      /^gateway\.routes: a range with 2080 .*"gateway\.redirectFrom"/,
    ],
    [
      { gateway, simulationServers: ['localhost/2000', 'localhost/3000'] },
      /^gateway\.routes: no range with 3000 .*localhost\/3000/,
    ],
    [{ gateway: { ...gateway, acmeDir: '/srv/acme' } }, /^gateway\.acmeDir: .*redirectFrom/],
    [{ gateway: { ...gateway, port: 8443 } }, /^gateway\.port: 8443 .*443, .*"localhost\/2000".*"gateway\.publicPort"$/],
    [{ gateway: { ...gateway, publicPort: 8443 } }, /^gateway\.publicPort: 8443 .*443, /],
    [{ ssl: false, gateway }, /^gateway\.port: 443 .*80, /],
    [{ ssl: false, gateway: { ...gateway, tls: { cert: 'c', key: 'k' }, publicPort: 80 } }, /^ssl: false .*"gateway\.tls"/],
    [
      { handOutSsl: false, gateway: { ...gateway, tls: { cert: 'c', key: 'k' }, publicPort: 80 } },
      /^handOutSsl: false .*"gateway\.tls"/,
    ],
  ];
  for (const [file, expected] of cases) {
    const [first = '', ...others] = warnings(file);
    assert.match(first, expected);
    assert.deepEqual(others, []);
  }
});

test('a gateway at another port is as it should be when clients find it at the usual one, or are sent to no path of it', () => {
  for (const file of [
    { gateway: { ...gateway, port: 8443, publicPort: 443 } },
    { ssl: false, gateway: { ...gateway, port: 8080, publicPort: 80 } },
    { gateway: { ...gateway, port: 0 } },
    { ssl: false, handOutSsl: true, gateway: { ...gateway, tls: { cert: 'c', key: 'k' } } },
    { gateway: { ...gateway, port: 8443 }, simulationServers: ['other.example.org/2000'] },
  ])
    assert.deepEqual(warnings(file), []);
});

test('a simulation server with another name or a port of its own is not the business of the gateway', () => {
  const addresses = ['other.example.org/5000'];
  assert.deepEqual(warnings({ gateway, simulationServers: addresses }), []);
});
