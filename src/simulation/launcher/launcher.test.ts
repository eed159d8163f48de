import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually, inTime } from '../../../test/support/eventually.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { createLauncher } from './launcher.ts';

const node = (script: string) => [process.execPath, '-e', script];
const options = { cwd: '/', environment: {}, joins: [], line: () => undefined };

function launcherOf(t: TestContext) {
  const launcher = createLauncher({ home: [] });
  t.after(() => launcher.close());
  return launcher;
}

test('a program is started, read line by line, and its end is reported', async (t) => {
  const lines: string[] = [];
  const program = await launcherOf(t).start(node('console.log("one"); console.error("two"); process.exitCode = 4'), {
    ...options,
    line: (line) => lines.push(line),
  });
  assert.ok(program.pid > 1, 'it has a pid');
  assert.equal(await program.exited, 4);
  assert.deepEqual(lines.sort(), ['one', 'two']);
});

test('a signal reaches the whole group of a program', async (t) => {
  const program = await launcherOf(t).start(node('setInterval(() => {}, 1000)'), options);
  program.signal('SIGTERM');
  assert.equal(await program.exited, 'SIGTERM');
});

test('a program that cannot be started is an error with a code', async (t) => {
  const launcher = launcherOf(t);
  await assert.rejects(launcher.start(['/no/such/program'], options), { code: 'ENOENT' });
  await assert.rejects(launcher.start(node(''), { ...options, joins: ['/no/such/cgroup'] }), { code: 'cgroup' });
});

test('when the server is killed, what it started ends with it', async (t) => {
  const folder = await temporaryFolder(t);
  const script = join(folder, 'server.mts');
  const launcher = join(import.meta.dirname, 'launcher.ts');
  writeFileSync(
    script,
    `import { createLauncher } from ${JSON.stringify(launcher)};
const launcher = createLauncher({ home: [] });
const program = await launcher.start([process.execPath, '-e', 'setInterval(() => {}, 1000)'], { cwd: '/', environment: {}, joins: [], line() {} });
process.send?.(program.pid);
setInterval(() => {}, 1000);`,
  );
  const server = fork(script, [], { execArgv: ['--import', import.meta.resolve('tsx')] });
  t.after(() => server.kill('SIGKILL'));
  const pid = await inTime(
    'the pid of the program',
    new Promise<number>((resolve) => server.once('message', (value) => resolve(Number(value)))),
  );
  assert.ok(isAlive(pid), 'it runs');
  server.kill('SIGKILL');
  await eventually('the end of the program', () => !isAlive(pid));
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
