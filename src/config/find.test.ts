import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { packageRoot } from '../system/package-root.ts';
import { findConfiguration, findInstalled, isOfPackage } from './find.ts';

test('the file that is named is meant, relative to the working directory', () => {
  assert.equal(findConfiguration('x.json', '/work', packageRoot), '/work/x.json');
  assert.equal(findConfiguration('/etc/x.json', '/work', packageRoot), '/etc/x.json');
});

test('without an argument the local configuration of the working directory is meant', async (t) => {
  const cwd = await temporaryFolder(t);
  await mkdir(join(cwd, 'config', 'session'), { recursive: true });
  await writeFile(join(cwd, 'config', 'session', 'local.json'), '{}');
  assert.equal(findConfiguration(undefined, cwd, packageRoot), join(cwd, 'config', 'session', 'local.json'));
});

test('without one there, the one that comes with the package is meant, and it exists', async (t) => {
  const path = findConfiguration(undefined, await temporaryFolder(t), packageRoot);
  assert.ok(existsSync(path), path);
});

test('a command for an installation uses the installed configuration, or none', async (t) => {
  const cwd = await temporaryFolder(t);
  await mkdir(join(cwd, 'config', 'session'), { recursive: true });
  await writeFile(join(cwd, 'config', 'session', 'local.json'), '{}');
  const installed = join(cwd, 'session.json');
  const refused = findInstalled(undefined, cwd, installed);
  assert.match(
    refused.kind === 'refused' ? refused.reason : '',
    /^there is no configuration at .*\/session\.json; name a configuration file, or run "session-server setup" first$/,
  );
  await writeFile(installed, '{}');
  assert.deepEqual(findInstalled(undefined, cwd, installed), { kind: 'found', path: installed });
  assert.deepEqual(findInstalled('x.json', cwd, installed), { kind: 'found', path: join(cwd, 'x.json') });
});

test('the example of the package is known as such', () => {
  assert.equal(isOfPackage(findConfiguration(undefined, '/nowhere', '/package'), '/package'), true);
  assert.equal(isOfPackage(findConfiguration('x.json', '/nowhere', '/package'), '/package'), false);
});

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'session-server-find-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
