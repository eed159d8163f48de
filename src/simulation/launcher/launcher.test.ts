import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
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

test('a program is run to its end, unless it is no longer needed or the launcher ends', async (t) => {
  const launcher = launcherOf(t);
  const { status, stdout } = await launcher.run(node('process.stdout.write(Buffer.from([0, 255])); process.exitCode = 3'));
  assert.deepEqual([status, [...stdout]], [3, [0, 255]]);
  await assert.rejects(launcher.run(['/no/such/program']), { code: 'ENOENT' });
  const stopping = new AbortController();
  const needless = launcher.run(node('setInterval(() => {}, 1000)'), { signal: stopping.signal });
  stopping.abort();
  assert.equal((await needless).killed, 'aborted');
  assert.equal((await launcher.run(node('setInterval(() => {}, 1000)'), { deadline: 0.1 })).killed, 'deadline');
  const lost = assert.rejects(launcher.run(node('setInterval(() => {}, 1000)')), { code: 'launcher' });
  await launcher.close();
  await lost;
  await assert.rejects(launcher.run(node('')), { code: 'launcher' });
});

test('when the server is killed, what it started or runs ends with it', async (t) => {
  const folder = await temporaryFolder(t);
  const script = join(folder, 'server.mts');
  const launcher = join(import.meta.dirname, 'launcher.ts');
  const pidFile = join(folder, 'pid');
  writeFileSync(
    script,
    `import { createLauncher } from ${JSON.stringify(launcher)};
const launcher = createLauncher({ home: [] });
const program = await launcher.start([process.execPath, '-e', 'setInterval(() => {}, 1000)'], { cwd: '/', environment: {}, joins: [], line() {} });
void launcher.run([process.execPath, '-e', 'require("node:fs").writeFileSync(process.argv[1], String(process.pid)); setInterval(() => {}, 1000)', ${JSON.stringify(pidFile)}]);
process.send?.(program.pid);
setInterval(() => {}, 1000);`,
  );
  const server = fork(script, [], { execArgv: ['--import', import.meta.resolve('tsx')] });
  t.after(() => server.kill('SIGKILL'));
  const pid = await inTime(
    'the pid of the program',
    new Promise<number>((resolve) => server.once('message', (value) => resolve(Number(value)))),
  );
  const ran = await eventually('the program that is run to its end', () => existsSync(pidFile) && Number(readFileSync(pidFile)));
  assert.ok(isAlive(pid) && isAlive(ran), 'both run');
  server.kill('SIGKILL');
  await eventually('the end of both', () => !isAlive(pid) && !isAlive(ran));
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
