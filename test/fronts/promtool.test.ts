/** Prometheus's own judge over what we give to Prometheus: the live metrics, and the alert rules that operators copy. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startProgram } from '../support/start-program.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';

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
  const { status, said } = promtool(['check', 'rules', join(import.meta.dirname, '..', '..', 'docs', 'prometheus-alerts.yml')]);
  assert.equal(status, 0, said);
  assert.match(said, /SUCCESS: \d+ rules found/);
});
