/** Prometheus and its own judge over what we give to Prometheus: the live metrics, and what operators copy from the documentation. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hashOf } from '../../src/config/token.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startProgram, temporary } from '../support/start-program.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';

const docs = join(import.meta.dirname, '..', '..', 'docs');

function promtool(args: readonly string[], input = '') {
  const { error, status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  assert.ok(error === undefined, `promtool cannot be run (${String(error)}); install it: apt-get install prometheus`);
  return { status, said: `${stdout}${stderr}` };
}

test('promtool finds nothing wrong with the metrics of a running session server', async (t) => {
  const server = await startSimulationServer(t, 40);
  const program = await startProgram(t, { simulationServers: [server.address, '127.0.0.1:9'] });
  await eventually('the load', async () => (await program.get('/load')) === '40');
  await Promise.all(['/session', '/session?url=nonsense', '/monitor', '/nothing'].map((path) => program.get(path)));
  const { status, said } = promtool(['check', 'metrics'], await program.get('/metrics'));
  assert.deepEqual([status, said], [0, '']);
});

test('promtool accepts the alert rules of the documentation', () => {
  const { status, said } = promtool(['check', 'rules', join(docs, 'prometheus-alerts.yml')]);
  assert.equal(status, 0, said);
  assert.match(said, /SUCCESS: \d+ rules found/);
});

test('Prometheus reads the metrics of a session server that asks readers for a token, set up as in the documentation', async (t) => {
  const token = 'sst_of-prometheus';
  const server = await startSimulationServer(t, 40);
  const program = await startProgram(t, {
    simulationServers: [server.address],
    monitor: { access: 'token' },
    admin: { tokens: [{ name: 'prometheus', hash: hashOf(token) }] },
  });
  const example =
    /^```yaml\n(.*?scrape_configs:.*?)^```/ms.exec(readFileSync(join(docs, 'how-to', 'prometheus.md'), 'utf8'))?.[1] ?? '';
  assert.match(example, /authorization:/);
  const folder = temporary(t);
  const configuration = join(folder, 'prometheus.yml');
  cpSync(join(docs, 'prometheus-alerts.yml'), join(folder, 'prometheus-alerts.yml'));
  writeFileSync(join(folder, 'session-server-token'), `${token}\n`);
  writeFileSync(
    configuration,
    `global: { scrape_interval: 1s }\n${example.replace('scheme: https', 'scheme: http').replace('session.example.org', `127.0.0.1:${program.port}`)}`,
  );
  const checked = promtool(['check', 'config', configuration]);
  assert.equal(checked.status, 0, checked.said);

  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    'prometheus',
    [`--config.file=${configuration}`, `--storage.tsdb.path=${join(folder, 'data')}`, `--web.listen-address=${address}`],
    { stdio: 'ignore' },
  );
  const ended = once(child, 'close');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  // It looks at its targets five seconds after its start.
  const scraped = async () => {
    const answer = await fetch(`http://${address}/api/v1/targets`).catch(() => undefined);
    return answer !== undefined && /"health":"up"/.test(await answer.text());
  };
  await eventually('a scrape that went well', scraped);
});
