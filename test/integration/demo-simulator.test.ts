/** The demo simulator as the simulation server runs it: a program of its own, on a Unix socket, with a real viewer. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually, inTime } from '../support/eventually.ts';
import { SocketClient } from '../support/socket-client.ts';
import { temporary } from '../support/start-program.ts';

const PROGRAM = join(import.meta.dirname, '..', '..', 'dist', 'program', 'demo-simulator.js');

function run(t: TestContext, args: readonly string[]) {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: {} });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  const ended = once(child, 'close') as Promise<[number | null]>;
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, said, ended };
}

test('a viewer loads the world, drives the rover and sees it move', async (t) => {
  const socket = join(temporary(t), 'stream');
  const { child, said, ended } = run(t, ['rover', socket]);
  await eventually('the loaded word', () => said.stdout === '.\n');
  const viewer = await new SocketClient(t, `ws+unix:${socket}:/`).open();
  const say = (text: string) => viewer.socket.send(text);
  for (const nonsense of ['', 'load:other.wbt', 'robot:{', 'real-time:soon']) say(nonsense);
  say('x3d');
  const model = await viewer.message(1);
  const id = Number(/<Transform id="n(\d+)" name="rover" [^>]*translation="0 0 /.exec(model)?.[1]);
  assert.ok(id > 0, model.slice(0, 400));
  assert.equal(await viewer.message(3), 'scene load completed');

  say('real-time:-1');
  const forward = setInterval(() => say('robot:{"name":"rover","message":"drive -1 0"}'), 200);
  t.after(() => clearInterval(forward));
  await eventually('the rover to have driven half a metre backwards', () => xOf(id, viewer.messages) < -0.5);
  say('pause');
  await eventually('the pause', () => viewer.messages.some((text) => /^pause: [1-9]/.test(text)));
  assert.match(said.stdout, /^\.\nreal-time\n(\.\n)*pause\n/);
  assert.equal(said.stderr, '');

  const flood = await new SocketClient(t, `ws+unix:${socket}:/`).open();
  flood.socket.send('x'.repeat(5000));
  assert.equal((await flood.ends()).code, 1009);
  child.kill('SIGTERM');
  assert.deepEqual((await inTime('the end of the simulator', ended))[0], 0);
});

test('a wrong command line is answered with the right one', async (t) => {
  const { said, ended } = run(t, ['moon', '/nowhere']);
  assert.deepEqual((await ended)[0], 2);
  assert.match(said.stderr, /^usage: demo-simulator rover\S* SOCKET\n$/);
});

/** Where the last message about this body says that it is. */
function xOf(id: number, messages: readonly string[]): number {
  for (const text of [...messages].reverse()) {
    if (!text.startsWith('application/json:')) continue;
    const { poses } = JSON.parse(text.slice('application/json:'.length)) as { poses: { id: number; translation: string }[] };
    const pose = poses.find((one) => one.id === id);
    if (pose !== undefined) return Number(pose.translation.split(' ')[0]);
  }
  return 0;
}
