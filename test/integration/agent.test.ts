/** The load agent in the real program: beside the session server, and alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, inTime } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startChild, startProgram } from '../support/start-program.ts';

test('start --agent: within seconds the machine itself is handed out, and the monitor page shows its load', async (t) => {
  const port = await freePort();
  // However busy the machine of the tests is.
  const roomy = { loadThreshold: 1000, allocation: { target: 200 } };
  const configuration = { simulationServers: [`localhost:${port}`], pollInterval: 1, ...roomy };
  const program = await startProgram(t, configuration, { args: ['start', '--agent', String(port)] });
  const line = `Load agent of this machine on port ${port}; simulation servers: 1\n`;
  await eventually('what runs where', () => program.stdout.includes(line));
  await eventually('a session', async () => (await program.get('/session')) === `ws://localhost:${port}`);
  assert.match(await program.get('/load'), /^\d+(?:\.\d+)?$/);
  assert.match(
    (await program.get('/monitor')).replaceAll(/<[^>]*>/g, ' '),
    new RegExp(`localhost:${port}\\s.*?\\d+(?:\\.\\d+)?%`, 's'),
  );
  assert.equal((await program.stop()).status, 0);
});

test('agent: says where it is, answers 503 until it has measured, then the load, and ends with status 0', async (t) => {
  const port = await freePort();
  const child = startChild(t, ['agent', '--port', String(port), '--host', '127.0.0.1']);
  const line = `Load agent running on port ${port}: http://localhost:${port}/monitor\n`;
  await eventually('its line', () => child.stdout === line);
  const first = await fetch(`http://127.0.0.1:${port}/load`);
  assert.equal(first.status, 503);
  const load = await eventually('the load', async () => {
    const response = await fetch(`http://127.0.0.1:${port}/load`);
    return response.ok && (await response.text());
  });
  assert.match(load, /^\d+(?:\.\d+)?$/);
  assert.match(await (await fetch(`http://127.0.0.1:${port}/monitor`)).text(), /<html/);
  child.signal('SIGTERM');
  const { status, stderr } = await inTime('the end', child.ended);
  assert.deepEqual([status, stderr], [0, '']);
});
