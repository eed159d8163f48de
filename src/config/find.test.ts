import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { packageRoot } from '../system/package-root.ts';
import { findConfiguration, findInstalled } from './find.ts';
import { formatProblem } from './problem.ts';

test('the file that is named is meant, relative to the working directory', () => {
  assert.deepEqual(findConfiguration(['x.json'], '/work', packageRoot), { kind: 'found', path: '/work/x.json' });
  assert.deepEqual(findConfiguration(['/etc/x.json'], '/work', packageRoot), { kind: 'found', path: '/etc/x.json' });
});

test('without an argument the local configuration of the working directory is meant', async (t) => {
  const cwd = await temporaryFolder(t);
  await mkdir(join(cwd, 'config', 'session'), { recursive: true });
  await writeFile(join(cwd, 'config', 'session', 'local.json'), '{}');
  assert.deepEqual(findConfiguration([], cwd, packageRoot), {
    kind: 'found',
    path: join(cwd, 'config', 'session', 'local.json'),
  });
});

test('without one there, the one that comes with the package is meant, and it exists', async (t) => {
  const found = findConfiguration([], await temporaryFolder(t), packageRoot);
  assert.equal(found.kind, 'found');
  assert.ok(existsSync(found.path), found.path);
});

test('a command for an installation means the one that was installed, or none', async (t) => {
  const cwd = await temporaryFolder(t);
  await mkdir(join(cwd, 'config', 'session'), { recursive: true });
  await writeFile(join(cwd, 'config', 'session', 'local.json'), '{}');
  const installed = join(cwd, 'session.json');
  const refused = findInstalled([], cwd, installed);
  assert.match(
    refused.kind === 'refused' ? refused.problems.map(formatProblem).join() : '',
    /^command line: no configuration file — .*\/session\.json, where "session-server setup" writes it; name it/,
  );
  await writeFile(installed, '{}');
  assert.deepEqual(findInstalled([], cwd, installed), { kind: 'found', path: installed });
  assert.deepEqual(findInstalled(['x.json'], cwd, installed), { kind: 'found', path: join(cwd, 'x.json') });
});

test('several arguments are refused, and an empty one', () => {
  const lines = (args: string[]): string[] => {
    const result = findConfiguration(args, '/work', packageRoot);
    return result.kind === 'refused' ? result.problems.map(formatProblem) : [];
  };
  assert.deepEqual(lines(['a', 'b']), ['command line: 2 arguments — expected one configuration file, or none; name one file']);
  assert.deepEqual(lines(['']), [
    'command line: "" (empty) — expected the path of a configuration file; name the file, or leave the argument out',
  ]);
});

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'session-server-find-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
