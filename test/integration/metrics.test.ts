/** `/metrics` as a scraper reads it. `.ci/run` has Prometheus's own `promtool` look at it besides. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { readExposition, type Family } from '../support/exposition.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startProgramInside } from '../support/start-program-inside.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';

const scope = { after };
const server = await startSimulationServer(scope, 40);
const program = await startProgramInside(scope, {
  simulationServers: [server.address, '127.0.0.1:9'],
  allocation: { learning: false },
  administrator: 'admin@example.org',
  mailServer: '127.0.0.1',
  mailServerPort: 9,
  mailSender: 'robot@example.org',
});
await eventually('the load', async () => (await program.get('/load')) === '40');

const scrape = async () => readExposition(await program.get('/metrics'));

function value(families: Map<string, Family>, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const family = families.get(name.replace(/_(?:bucket|sum|count)$/, '')) ?? families.get(name);
  const fits = (sample: Family['samples'][number]) =>
    sample.name === name && Object.entries(labels).every(([key, text]) => sample.labels[key] === text);
  return family?.samples.find(fits)?.value;
}

test('it is valid to the letter, and announced as what it is', async () => {
  const response = await fetch(`${program.url}/metrics`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4; charset=utf-8$/);
  const families = readExposition(await response.text());
  const own = [...families.keys()].filter((name) => name.startsWith('session_server_'));
  assert.ok(own.length > 20, own.join());
  for (const name of families.keys()) assert.match(name, /^(?:session_server|process|nodejs)_/);
});

test('it describes the fleet and each server', async () => {
  const families = await scrape();
  assert.equal(value(families, 'session_server_available'), 1);
  assert.equal(value(families, 'session_server_mean_load_percent'), 40);
  assert.equal(value(families, 'session_server_simulation_servers', { state: 'available' }), 1);
  assert.equal(value(families, 'session_server_server_up', { server: server.address }), 1);
  assert.equal(value(families, 'session_server_server_up', { server: '127.0.0.1:9' }), 0);
  assert.equal(value(families, 'session_server_server_load_percent', { server: server.address }), 40);
  assert.equal(value(families, 'session_server_server_load_percent', { server: '127.0.0.1:9' }), undefined);
});

test('it counts what becomes of requests, and what was booked', async () => {
  const before = await scrape();
  const count = (families: Map<string, Family>, kind: string, code: string) =>
    value(families, 'session_server_decisions_total', { kind, code }) ?? 0;
  await program.get('/session');
  await program.get('/session?url=nonsense');
  const now = await scrape();
  assert.equal(count(now, 'allocated', 'allocated'), count(before, 'allocated', 'allocated') + 1);
  const refusals = (families: Map<string, Family>) =>
    (families.get('session_server_decisions_total')?.samples ?? []).filter(({ labels }) => labels['kind'] === 'refused').length;
  assert.equal(refusals(now), 1);
  assert.equal(value(now, 'session_server_server_bookings', { server: server.address }), 1);
  assert.equal(value(now, 'session_server_server_booked_load_percent', { server: server.address }), 8);
  assert.equal(value(now, 'session_server_server_predicted_load_percent', { server: server.address }), 48);
  const waits = (outcome: string) => value(now, 'session_server_wait_seconds_count', { outcome }) ?? 0;
  assert.ok(waits('allocated') >= 1);
  assert.equal(waits('refused'), 1);
  assert.equal(waits('abandoned'), 0);
});

test('it counts sockets and connections', async (t) => {
  await Promise.all(['/', '/'].map((path) => new SocketClient(t, program.socketUrl + path).open()));
  const families = await scrape();
  assert.equal(value(families, 'session_server_websockets'), 2);
  assert.ok((value(families, 'session_server_connections') ?? 0) >= 3);
});

test('it stays valid after a reload that removes servers', async () => {
  await program.reconfigure({ simulationServers: [] });
  const families = await scrape();
  assert.equal(value(families, 'session_server_available'), 0);
  assert.deepEqual(families.get('session_server_server_up')?.samples, []);
  assert.deepEqual(families.get('session_server_mean_load_percent')?.samples, []);
});

describe('the reader of these tests', () => {
  const GOOD = '# HELP a_total Help.\n# TYPE a_total counter\n';
  for (const [what, text] of [
    ['a sample without HELP', 'a_total 1\n'],
    ['no TYPE', '# HELP a Help.\na 1\n'],
    ['an unescaped quote', `${GOOD}a_total{b="c"d"} 1\n`],
    ['a line feed in a label', `${GOOD}a_total{b="c\nd"} 1\n`],
    ['the same series twice', `${GOOD}a_total{b="c",d="e"} 1\na_total{d="e",b="c"} 2\n`],
    ['a value that is none', `${GOOD}a_total undefined\n`],
    ['a counter that is not called so', '# HELP a Help.\n# TYPE a counter\na 1\n'],
    ['a family in two places', `${GOOD}a_total 1\n# HELP b Help.\n# TYPE b gauge\nb 1\n${GOOD}`],
    [
      'buckets that do not add up',
      '# HELP a Help.\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
    ],
    ['no end of the last line', `${GOOD}a_total 1`],
  ] as const) {
    test(`refuses ${what}`, () => assert.throws(() => readExposition(text), assert.AssertionError));
  }
});
