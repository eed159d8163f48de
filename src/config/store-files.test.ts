import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeCertificate } from '../../test/support/certificate.ts';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { loadConfiguration } from './load.ts';
import { formatProblem } from './problem.ts';

const own = makeCertificate({ names: ['replica'] });
const other = makeCertificate({ names: ['other'] });

/** Loads a configuration beside these files. */
async function load(t: TestContext, replicas: object, files: Readonly<Record<string, string>> = {}, mode = 0o600) {
  const folder = await temporaryFolder(t);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const path = join(folder, 's.json');
  await writeFile(path, JSON.stringify({ simulationServers: ['a:2000'], portRewrite: false, replicas }));
  await chmod(path, mode);
  const result = await loadConfiguration(path, { cwd: folder });
  return {
    files: result.kind === 'loaded' ? result.settings.replicas?.files : undefined,
    problems: (result.kind === 'refused' ? result.problems : []).map(formatProblem),
    warnings: result.warnings.map(formatProblem),
  };
}

const store = 'rediss://redis.example.org:6379';

test('the files for TLS with the store are read with the configuration', async (t) => {
  const names = { authority: 'ca.pem', certificate: 'own.pem', key: 'own.key' };
  const { files, problems } = await load(
    t,
    { store, ...names },
    { 'ca.pem': other.cert, 'own.pem': own.cert, 'own.key': own.key },
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(files, { authority: other.cert, certificate: own.cert, key: own.key });
});

test('a file for TLS that is missing, not PEM, or of another pair is a problem with its name', async (t) => {
  const problemsWith = async (names: object, files = {}) => (await load(t, { store, ...names }, files)).problems.join('\n');
  assert.match(
    await problemsWith({ authority: 'gone.pem' }),
    /^replicas\.authority: "gone\.pem", which does not exist — expected/,
  );
  assert.match(
    await problemsWith({ authority: 'a' }, { a: 'PEM?' }),
    /^replicas\.authority: "a", which holds no certificate in PEM/,
  );
  assert.match(await problemsWith({ authority: 'a' }, { a: own.key }), /^replicas\.authority: /);
  const damaged = own.cert.replace(/[A-Za-z]{20}/, 'A'.repeat(20));
  assert.match(await problemsWith({ certificate: 'a', key: 'b' }, { a: damaged, b: own.key }), /^replicas\.certificate: /);
  assert.match(await problemsWith({ certificate: 'a' }, { a: own.cert }), /^replicas\.key: not the key of "certificate"/);
  assert.match(await problemsWith({ certificate: 'a', key: 'b' }, { a: own.cert, b: other.key }), /^replicas\.key: not the key/);
});

test('a store on the Internet without TLS, and sentinels without a name, cause a warning', async (t) => {
  const warningsWith = async (replicas: object) => (await load(t, replicas)).warnings.join('\n');
  assert.match(await warningsWith({ store: 'redis://8.8.8.8:6379/0' }), /^replicas\.store: .*plain text.*rediss/);
  assert.match(await warningsWith({ store: 'unix:/run/redis.sock', sentinels: ['a:26379'] }), /^replicas\.store: .*mymaster/);
  assert.equal(await warningsWith({ store: 'redis://10.0.0.5:6379/0' }), '');
  assert.equal(await warningsWith({ store: 'redis://mymaster', sentinels: ['[fd00::5]:26379', 'b'] }), '');
});

test('a file with the password of the store that every user can read causes a warning', async (t) => {
  const { warnings } = await load(t, { store, password: 'secret' }, {}, 0o644);
  assert.match(warnings.join(), /a file with a password that every user can read.*separate file/);
});
