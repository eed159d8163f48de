import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../test/support/eventually.ts';
import { runProgram } from './run.ts';

const node = (script: string) => [process.execPath, '-e', script];

test('a program gives its status and what it wrote', async () => {
  const { status, stdout, stderr } = await runProgram(node('console.log("out"); console.error("err"); process.exit(3)'));
  assert.deepEqual([status, Buffer.from(stdout).toString(), stderr], [3, 'out\n', 'err\n']);
});

test('its environment is the one that it is given, and the search path of programs', async () => {
  process.env['SESSION_SERVER_TEST_SECRET'] = 'x';
  const { stdout } = await runProgram(node('console.log(JSON.stringify(process.env))'), { environment: { A: 'b' } });
  delete process.env['SESSION_SERVER_TEST_SECRET'];
  const seen = JSON.parse(Buffer.from(stdout).toString()) as Record<string, string>;
  assert.equal(seen['A'], 'b');
  for (const name of ['SESSION_SERVER_TEST_SECRET', 'HOME', 'NODE_OPTIONS']) assert.equal(seen[name], undefined, name);
});

test('arguments reach it as they are, whatever a shell would make of them', async () => {
  const odd = ['$(id)', '; ls', '"', "'", '\n', '*', '--x'];
  const { stdout } = await runProgram([...node('console.log(JSON.stringify(process.argv.slice(1)))'), '--', ...odd]);
  assert.deepEqual(JSON.parse(Buffer.from(stdout).toString()), odd);
});

test('a program that writes too much, takes too long or is no longer needed is killed with all it started', async () => {
  const flood = await runProgram(node('setInterval(() => process.stdout.write("x".repeat(65536)), 0)'), { maxOutput: 100_000 });
  assert.equal(flood.killed, 'output');
  assert.ok(flood.stdout.length <= 100_000, 'no more is kept');
  const late = await runProgram(node('setInterval(() => {}, 1000)'), { deadline: 0.2 });
  assert.equal(late.killed, 'deadline');
  const stopping = new AbortController();
  const child = `require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {stdio: "inherit"}); console.error(process.pid); setInterval(() => {}, 1000)`;
  const running = runProgram(node(child), { signal: stopping.signal });
  setTimeout(() => {
    stopping.abort();
  }, 200);
  const { killed, stderr } = await running;
  assert.equal(killed, 'aborted');
  await eventually('the end of the whole group', () => !isGroup(Number(stderr)));
});

test('a program that does not exist is an error with a code', async () => {
  await assert.rejects(runProgram(['/no/such/program']), { code: 'ENOENT' });
});

function isGroup(pid: number): boolean {
  if (!(pid > 1)) return false;
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}
