/** The unit that `session-server setup` writes, judged by systemd itself. Needs Debian's package `systemd`: `npm run test:system`. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { simulationUnit } from '../../src/install/setup/simulation-unit.ts';
import { systemdUnit } from '../../src/install/setup/systemd-unit.ts';
import { temporary } from '../support/start-program.ts';
import { requireProgram } from './web-server.ts';

const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'session-server.mjs');

function analyze(t: TestContext, lowPorts: boolean, command: readonly string[]) {
  requireProgram('systemd-analyze', 'systemd');
  const path = join(temporary(t), 'session-server.service');
  const configuration = '/etc/session-server/session.json';
  writeFileSync(path, systemdUnit({ node: process.execPath, program: PROGRAM, configuration, lowPorts }));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', [...command, path], { encoding: 'utf8', timeout: 60_000 });
  return { status, said: stdout + stderr };
}

for (const lowPorts of [true, false]) {
  const kind = lowPorts ? 'for ports below 1024' : 'for ports from 1024 on';

  test(`systemd finds nothing to say about the unit ${kind}`, (t) => {
    assert.deepEqual(analyze(t, lowPorts, ['verify', '--man=no']), { status: 0, said: '' });
  });

  test(`the unit ${kind} is exposed by 2.0 at most`, (t) => {
    const { status, said } = analyze(t, lowPorts, ['security', '--offline=true', '--threshold=20']);
    const exposure = Number(/Overall exposure level for \S+: ([0-9.]+)/.exec(said)?.[1]);
    assert.ok(exposure > 0 && exposure <= 2, `${exposure}\n${said}`);
    assert.equal(status, 0);
  });
}

test('systemd finds nothing to say about the unit of a simulation server', (t) => {
  requireProgram('systemd-analyze', 'systemd');
  const path = join(temporary(t), 'simulation-server.service');
  const configuration = '/etc/simulation-server/simulation.json';
  writeFileSync(path, simulationUnit({ node: process.execPath, program: PROGRAM, configuration, docker: false, groups: [] }));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.deepEqual({ status, said: stdout + stderr }, { status: 0, said: '' });
});

test('bubblewrap works as a user without rights, unless a part of /proc is covered, as some settings of units do', () => {
  const bubblewrap = 'bwrap --unshare-all --ro-bind / / --proc /proc /bin/echo works';
  const asUser = `setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs ${bubblewrap}`;
  const inMounts = (...commands: readonly string[]) =>
    spawnSync('unshare', ['--mount', 'sh', '-c', [...commands, asUser].join('; ')], { encoding: 'utf8', timeout: 60_000 }).stdout;
  assert.equal(inMounts(), 'works\n', 'this test needs root and bubblewrap');
  assert.equal(inMounts('mount --bind /dev/null /proc/kmsg'), '', 'ProtectKernelLogs=');
});

test('systemd finds a program that is not there, so the other tests can fail', (t) => {
  const path = join(temporary(t), 'wrong.service');
  const options = { node: '/nowhere/node', program: PROGRAM, configuration: '/etc/session.json', lowPorts: false };
  writeFileSync(path, systemdUnit(options));
  const { stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8', timeout: 60_000 });
  assert.match(stderr, /\/nowhere\/node/);
});
