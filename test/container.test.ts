/** Dockerfile and compose.yml as far as they can be judged without a container engine: what is copied exists, and nothing runs with more rights than it needs. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfiguration } from '../src/config/load.ts';
import { temporary } from './support/start-program.ts';

const root = join(import.meta.dirname, '..');
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
const compose = readFileSync(join(root, 'compose.yml'), 'utf8');

test('everything that the Dockerfile copies from here exists', () => {
  const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) => paths.split(' '));
  assert.ok(sources.length > 8);
  for (const source of sources) {
    const [start = '', end] = source.split('*');
    const found =
      end === undefined
        ? existsSync(join(root, source))
        : readdirSync(root).some((name) => name.startsWith(start) && name.endsWith(end));
    assert.ok(found, source);
  }
});

test('the image has all that the package has', () => {
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: readonly string[] };
  for (const path of files.filter((path) => !/^docs$|\.md$/.test(path)))
    assert.match(dockerfile, new RegExp(`^COPY --from=build /build/${path} ${path}$`, 'm'));
});

test('the image runs without root and says whether it lives', () => {
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
  assert.match(last, /^USER node$/m);
  assert.match(last, /^HEALTHCHECK [\s\S]*\/livez/m);
  assert.ok(last.indexOf('\nRUN ') < last.indexOf('\nUSER '), 'nothing is done as root after the user is set');
  assert.doesNotMatch(last, /^ADD /m);
});

test('compose gives it a read-only root, no capability and no new privileges', () => {
  for (const line of [
    'read_only: true',
    'cap_drop: [ALL]',
    "security_opt: ['no-new-privileges:true']",
    'user: node',
    'restart: always',
  ])
    assert.match(compose, new RegExp(`^ {4}${line.replace(/[[\]]/g, '\\$&')}$`, 'm'));
  assert.match(compose, /healthcheck:[\s\S]*\/livez/);
});

test('files that are not in the image do not reach the builder either', () => {
  const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
  for (const path of ['.git', 'node_modules', 'dist', 'log', 'state']) assert.ok(ignored.includes(path), path);
});

test('the ports that are said to reach the gateway are accepted, and clients are sent to the one that is published', async (t) => {
  const text =
    /^"gateway": \{\n[\s\S]*?^\}$/m.exec(readFileSync(join(root, 'docs', 'how-to', 'run-in-a-container.md'), 'utf8'))?.[0] ?? '';
  const path = join(temporary(t), 'session.json');
  writeFileSync(path, `{"simulationServers": [], ${text}}`);
  const result = await loadConfiguration(path);
  assert.ok(result.kind === 'loaded', text);
  const { port, publicPort, redirectFrom } = result.settings.gateway;
  assert.equal(publicPort, 443);
  // No user inside has the capability for lower ports.
  assert.ok(port >= 1024 && (redirectFrom ?? 0) >= 1024);
  for (const published of [`'443:${port}'`, `'80:${redirectFrom ?? ''}'`, '"publicPort": 443'])
    assert.ok(compose.includes(published), published);
});

test('the port that the health check asks at is the one that is published and named', () => {
  const asked = [...`${dockerfile}${compose}`.matchAll(/http:\/\/127\.0\.0\.1:(\d+)\/livez/g)].map(([, port]) => port);
  assert.deepEqual(asked, ['1999', '1999']);
  assert.match(compose, /127\.0\.0\.1:1999:1999/);
  assert.match(compose, /"port" stays 1999/);
});
