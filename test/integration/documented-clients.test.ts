/** The clients of the documentation, run as they are printed there against the real program: they wait in line and get their server. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { eventually, inTime } from '../support/eventually.ts';
import { read } from '../support/markdown.ts';
import { type RunningProgram } from '../support/start-program.ts';
import { startProgramInside } from '../support/start-program-inside.ts';
import { startSimulationServer } from '../support/start-simulation-server.ts';

type StartSession = (project: string, onPosition: (position: number) => void) => Promise<string>;

const PROJECT = 'https://github.com/owner/name/blob/main/worlds/world.wbt';

/** `startSession` of the page, for this session server. */
async function clientOf(path: string, { port }: RunningProgram): Promise<StartSession> {
  const code = [...read(path).matchAll(/```js\n(.*?)```/gs)]
    .map(([, text = '']) => text)
    .find((text) => text.includes('startSession'));
  assert.ok(code, `${path} has a client`);
  const here = code.replace(/(http|ws)s:\/\/session\.example\.org/g, `$1://localhost:${port}`);
  assert.notEqual(here, code);
  // Node has no WebSocket of its own before version 22.
  const source = `export const clientWith = (WebSocket) => {\n${here}\nreturn startSession;\n};`;
  const module = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as {
    clientWith: (webSocket: unknown) => StartSession;
  };
  return module.clientWith(WebSocket);
}

/** One server that may have one session; it is taken. */
async function startFullFleet(t: TestContext) {
  const server = await startSimulationServer(t, 10);
  const program = await startProgramInside(t, { simulationServers: [{ address: server.address, maxSessions: 1 }] });
  const ticket = await eventually('the only place', async () => {
    const response = await fetch(`${program.url}/api/v1/sessions`, { method: 'POST' });
    assert.equal(response.status, 201);
    return ((await response.json()) as { ticket: string }).ticket;
  });
  return {
    program,
    url: `ws://${server.address}`,
    giveUp: () => fetch(`${program.url}/api/v1/sessions/${ticket}`, { method: 'DELETE' }),
  };
}

for (const path of ['docs/reference/http-api.md', 'docs/reference/websocket.md'])
  test(`the client of ${path} waits in line and gets its server`, async (t) => {
    const { program, url, giveUp } = await startFullFleet(t);
    const startSession = await clientOf(path, program);
    let answer: Promise<string> | undefined;
    const position = await inTime(
      'a position',
      new Promise<number>((resolve) => {
        answer = startSession(PROJECT, resolve);
      }),
    );
    assert.equal(position, 1);
    assert.equal((await giveUp()).status, 204);
    assert.equal(await inTime('a server', answer ?? Promise.reject(new Error('not asked')), 20), url);
  });

for (const path of ['docs/reference/http-api.md', 'docs/reference/websocket.md'])
  test(`the client of ${path} fails with the reason when its project may not run`, async (t) => {
    const { program } = await startFullFleet(t);
    const startSession = await clientOf(path, program);
    await assert.rejects(
      startSession('http://github.com/owner/name', () => undefined),
      /https/,
    );
  });

test('the Python example waits in line and prints its server, and ends with the reason when its project may not run', async (t) => {
  const { program, url, giveUp } = await startFullFleet(t);
  const waiting = startPython(t, [program.url, PROJECT]);
  await eventually('a position', () => waiting.output.stderr.includes('Position 1'));
  assert.equal((await giveUp()).status, 204);
  assert.equal(await inTime('a server', waiting.ended), 0);
  assert.equal(waiting.output.stdout, `${url}\n`);
  const refused = startPython(t, [program.url, 'http://github.com/owner/name']);
  assert.equal(await inTime('the refusal', refused.ended), 1);
  assert.match(refused.output.stderr, /https/);
});

function startPython(t: TestContext, args: readonly string[]) {
  const example = join(import.meta.dirname, '..', '..', 'examples', 'python', 'session.py');
  const python = spawn('python3', [example, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  python.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  python.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const ended = new Promise<number | null>((resolve, reject) => {
    python.once('close', resolve);
    python.once('error', (cause) => reject(new Error('the example needs python3', { cause })));
  });
  t.after(() => python.kill());
  return { output, ended };
}
