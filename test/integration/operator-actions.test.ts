/** The operator actions as the documentation shows them to programs, at the real program. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { hashOf } from '../../src/config/token.ts';
import type { ServerView } from '../../src/core/views/monitor-view.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { runProgram, type RunningProgram } from '../support/start-program.ts';
import { startProgramInside } from '../support/start-program-inside.ts';
import { startSimulationServers } from '../support/start-simulation-server.ts';
import { WebhookSink } from '../support/webhook-sink.ts';

const TOKEN = 'sst_of-the-actions';
const admin = { tokens: [{ name: 'ada', hash: hashOf(TOKEN) }] };

interface Example {
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown> | undefined;
}

/** What the commands of `docs/reference/http-api.md` send. */
function examples(): Example[] {
  const page = readFileSync(new URL('../../docs/reference/http-api.md', import.meta.url), 'utf8');
  const script = /^api=https:.*?(?=^```)/ms.exec(page)?.[0].replaceAll('\\\n', ' ') ?? '';
  return script.split('\n').flatMap((command): Example | readonly [] => {
    const [, method = '', options = '', path = ''] = /^curl -X (\w+) (.*)\$api(\/\S+)$/.exec(command) ?? [];
    if (method === '') return [];
    assert.match(options, /-H "Authorization: Bearer \$token"/);
    const json = /-d '([^']+)'/.exec(options)?.[1];
    assert.equal(options.includes("-H 'Content-Type: application/json'"), json !== undefined, command);
    return { method, path, body: json === undefined ? undefined : (JSON.parse(json) as Record<string, unknown>) };
  });
}

async function send({ url }: RunningProgram, { method, path, body }: Example): Promise<{ status: number; answer: unknown }> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}`, ...(body !== undefined && { 'Content-Type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, answer: await response.json() };
}

test('the commands of the documentation do what the comments above them say', async (t) => {
  const [sim1, sim9] = await startSimulationServers(t, [20, 30]);
  assert.ok(sim1 && sim9);
  const sink = await WebhookSink.start();
  t.after(() => sink.close());
  const dead = `http://127.0.0.1:${await freePort()}`;
  const program = await startProgramInside(t, {
    ...{ simulationServers: [sim1.address], webhooks: [{ url: sink.url }, { url: dead }], admin },
    ...{ pollInterval: 0.5, pollTimeout: 0.4 },
  });
  const drainOf = async (address: string) => {
    const { servers } = JSON.parse(await program.get('/api/v1/servers')) as { servers: ServerView[] };
    return servers.find((server) => server.address === address)?.drain;
  };
  const hour = new Date(Math.ceil(Date.now() / 1000 + 3600) * 1000).toISOString();
  const commands = examples().map(({ method, path, body }) => ({
    method,
    path: path
      .replace('sim1.example.org%3A2000', encodeURIComponent(sim1.address))
      .replace('sim9.example.org%3A2000', encodeURIComponent(sim9.address)),
    body: body && { ...body, ...('until' in body && { until: hour }), ...('address' in body && { address: sim9.address }) },
  }));
  const [forTwoHours, untilATime, resume, add, remove, tell, ...others] = commands;
  assert.ok(forTwoHours && untilATime && resume && add && remove && tell && others.length === 0, `${commands.length} commands`);

  assert.deepEqual(await send(program, forTwoHours), { status: 200, answer: { done: true } });
  const drain = await drainOf(sim1.address);
  assert.deepEqual([drain?.by, drain?.reason], ['ada', 'new disk']);
  assert.ok(Math.abs((drain?.until ?? 0) - Date.now() / 1000 - 7200) < 60, 'for two hours');
  assert.equal((await send(program, untilATime)).status, 200);
  assert.equal((await drainOf(sim1.address))?.until, Date.parse(hour) / 1000);
  await eventually('a line with the deadline', () => program.log.includes(`until=${hour.replace('.000', '')}`));
  assert.equal((await send(program, resume)).status, 200);
  assert.equal(await drainOf(sim1.address), null);
  assert.deepEqual(await send(program, add), { status: 201, answer: { id: sim9.address } });
  assert.equal((await send(program, remove)).status, 200);

  const { answer } = await send(program, tell);
  const { channels } = answer as { channels: { notifier: string; recipient: null; outcome: string; reason: string | null }[] };
  assert.deepEqual(
    channels.map(({ recipient, outcome }) => [recipient, outcome]),
    [
      [null, 'sent'],
      [null, 'failed'],
    ],
  );
  assert.equal(channels[0]?.reason, null);
  assert.match(channels[1]?.reason ?? '', /\w+.*;.*\w+/, 'what is wrong, and how to fix it');
  await eventually('both outcomes in the log', () =>
    /was accepted by webhook.*\n.*WARNING.*could not be sent by webhook 127\.0\.0\.1/.test(program.log),
  );
});

test('a drain ends at its deadline, and the log says so', async (t) => {
  const [sim1] = await startSimulationServers(t, [20]);
  assert.ok(sim1);
  const program = await startProgramInside(t, { simulationServers: [sim1.address], admin, pollInterval: 0.5, pollTimeout: 0.4 });
  const path = `/servers/${encodeURIComponent(sim1.address)}/drain`;
  assert.equal((await send(program, { method: 'POST', path, body: { lasts: 1 } })).status, 200);
  await eventually('the end of the drain in the log', () =>
    /no longer drained: the deadline that ada set has passed/.test(program.log),
  );
  await eventually('a session again', async () => (await program.get('/session')).startsWith('ws://'));
});

test('an address that cannot be one is refused in words that name no configuration', async (t) => {
  const [sim1] = await startSimulationServers(t, [20]);
  assert.ok(sim1);
  const program = await startProgramInside(t, { simulationServers: [sim1.address], admin });
  const { status, answer } = await send(program, { method: 'POST', path: '/servers', body: { address: 'http://foo' } });
  assert.equal(status, 400);
  assert.match((answer as { reason: string }).reason, /^address: "http:\/\/foo" — expected "host\/2000" or "host:2000"/);
});

test('a command makes the running program forget learned costs, with the token of an operator', async (t) => {
  const [sim] = await startSimulationServers(t, [20]);
  assert.ok(sim);
  const program = await startProgramInside(t, { simulationServers: [sim.address], admin });
  const forget = async (token: string, ...options: string[]) => {
    const ended = await runProgram(t, ['forget-costs', '--url', program.url, ...options], {
      env: { SESSION_SERVER_TOKEN: token },
    });
    return `${ended.status} ${ended.stdout}${ended.stderr}`;
  };
  assert.equal(await forget(TOKEN), '0 Forgotten. Costs are learned again from the next sessions.\n');
  assert.match(program.log, /learned costs forgotten by ada/);
  assert.match(await forget(TOKEN, '--server', sim.address), /^0 Forgotten/);
  assert.match(await forget(TOKEN, '--project', 'https://github.com/a/b'), /^1 error: Nothing was learned about this project/);
  assert.match(await forget('sst_wrong'), /^1 error: .*not in "admin.tokens"/);
  assert.match(await forget(''), /^2 error: set SESSION_SERVER_TOKEN to the token of an operator/);
});
