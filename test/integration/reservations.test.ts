/** A class on the real program: seats by code, over HTTP and WebSocket, and what a restart leaves of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf } from '../../src/config/token.ts';
import { eventually } from '../support/eventually.ts';
import { SocketClient } from '../support/socket-client.ts';
import { runProgram, temporary, type RunningProgram } from '../support/start-program.ts';
import { startProgramInside } from '../support/start-program-inside.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';

const TOKEN = 'sst_of-the-class';
const admin = { tokens: [{ name: 'ada', hash: hashOf(TOKEN) }] };

interface Kept {
  readonly id: string;
  readonly state: string;
  readonly taken: number;
  readonly path: string;
}

async function send({ url }: RunningProgram, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${url}/api/v1/reservations${path}`, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}`, ...(body !== undefined && { 'Content-Type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return response.status === 204 ? undefined : await response.json();
}

test('students with the code have seats that strangers do not get, also after a restart', async (t) => {
  const server = await startSimulationServer(t, 2);
  const folder = temporary(t);
  const configuration = { simulationServers: [server.address], admin };
  const start = async () => {
    const program = await startProgramInside(t, configuration, { folder });
    await eventually('the load', async () => (await program.get('/load')) === '2');
    return program;
  };
  const program = await start();
  const class4 = { title: 'Robots', code: 'robo-101', seats: 4, start: Date.now() / 1000 + 60, minutes: 60 };
  const made = (await send(program, 'POST', '', class4)) as Kept;
  assert.deepEqual([made.path, made.state], ['/c/ROBO101', 'open']);
  let others = 0;
  while ((await program.get('/session')).startsWith('ws')) others += 1;
  assert.ok(others < 10, `${others} others got a place`);
  assert.match(await program.get('/session?url=https://github.com/o/r'), /held for a class that begins at/);
  assert.equal(await program.get('/'), '0');
  assert.match(await program.get('/c/ROBO-102/session'), /^Error: There is no class with this code/);
  assert.match(await program.get('/c/robo-101/session'), /^wss?:/);
  const student = new SocketClient(t, `${program.url.replace('http', 'ws')}/c/ROBO-101/session`);
  assert.match(await student.message(1), /^wss?:/);
  const taken = async (of: RunningProgram) => ((await send(of, 'GET', `/${made.id}`)) as Kept).taken;
  assert.equal(await taken(program), 2);
  const monitor = await program.get('/monitor');
  assert.match(monitor, /the doors are open\. 2 of 4 seats taken, 2 held until /);
  assert.doesNotMatch(monitor, /ROBO101|Robots/, 'strangers are not told who teaches what');
  const at = new Date(Date.now() + 86_400_000).toISOString();
  const rehearse = ['rehearse', '--people', '200', '--at', at, '--url', program.url];
  const rehearsal = await runProgram(t, rehearse, { env: { SESSION_SERVER_TOKEN: TOKEN } });
  assert.match(rehearsal.stdout, /^No, 200 do not fit at \S+: there are \d+ to \d+ seats for classes\.\n- With one more machine/);
  assert.match(rehearsal.stdout, /How long other people would wait is not known here\.\n$/);
  await program.stop();

  const again = await start();
  assert.equal(await taken(again), 2);
  assert.match(await again.get('/c/robo-101/session'), /^wss?:/);
  assert.equal(await send(again, 'DELETE', `/${made.id}`), undefined);
});
