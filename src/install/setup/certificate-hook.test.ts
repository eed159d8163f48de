import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporary } from '../../../test/support/start-program.ts';
import { certificateHook } from './certificate-hook.ts';

/** As certbot keeps a certificate: links to the files of the youngest one. */
function lineage(folder: string, number: number): string {
  const [archive, live] = [join(folder, 'archive'), join(folder, `live-${number}`)];
  mkdirSync(archive, { recursive: true });
  mkdirSync(live);
  for (const name of ['privkey', 'fullchain']) {
    writeFileSync(join(archive, `${name}${number}.pem`), `${name} ${number}`);
    symlinkSync(`../archive/${name}${number}.pem`, join(live, `${name}.pem`));
  }
  return live;
}

function run(t: TestContext, stateFolder: string, environment: Readonly<Record<string, string>>) {
  const script = join(temporary(t), 'hook');
  writeFileSync(script, certificateHook(stateFolder));
  const { status, stderr } = spawnSync('sh', [script], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...environment },
    timeout: 10_000,
  });
  return { status, stderr };
}

test('the hook of certbot replaces key and certificate as a whole, readable for their owner alone', (t) => {
  const folder = temporary(t);
  const state = join(folder, 'state');
  mkdirSync(state);
  for (const number of [1, 2]) {
    assert.deepEqual(run(t, state, { RENEWED_LINEAGE: lineage(folder, number) }), { status: 0, stderr: '' });
    assert.deepEqual(readdirSync(join(state, 'tls')).sort(), ['fullchain.pem', 'privkey.pem']);
    for (const name of ['privkey', 'fullchain']) {
      const path = join(state, 'tls', `${name}.pem`);
      assert.equal(readFileSync(path, 'utf8'), `${name} ${number}`);
      assert.equal(statSync(path).mode & 0o777, 0o600);
      assert.equal(statSync(path).uid, statSync(state).uid);
    }
  }
});

test('the hook of certbot works before the session server has run for the first time', (t) => {
  const folder = temporary(t);
  const state = join(folder, 'not', 'yet');
  assert.deepEqual(run(t, state, { RENEWED_LINEAGE: lineage(folder, 1) }), { status: 0, stderr: '' });
  assert.equal(readFileSync(join(state, 'tls', 'privkey.pem'), 'utf8'), 'privkey 1');
});

test('the hook of certbot fails with a message, and changes nothing, when it is called without a certificate', (t) => {
  const state = temporary(t);
  mkdirSync(join(state, 'tls'));
  writeFileSync(join(state, 'tls', 'privkey.pem'), 'before');
  for (const environment of [{}, { RENEWED_LINEAGE: join(state, 'nowhere') }]) {
    const { status, stderr } = run(t, state, environment);
    assert.notEqual(status, 0);
    assert.match(stderr, /RENEWED_LINEAGE|nowhere/);
    assert.equal(readFileSync(join(state, 'tls', 'privkey.pem'), 'utf8'), 'before');
  }
});

test('the hook that is installed writes where systemd keeps the state of the unit', () => {
  assert.match(certificateHook(), /^state=\/var\/lib\/private\/session-server$/m);
});
