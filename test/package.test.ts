/** The package as people get it: packed, installed by npm in an empty folder, and run from there. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/free-port.ts';
import { freeRange } from './support/simulation-server.ts';
import { SocketClient } from './support/socket-client.ts';
import { startSimulationServer } from './support/start-simulation-server.ts';
import { runProgram, startChild, startProgram, temporary } from './support/start-program.ts';

/** Seconds. */
const PATIENCE = 120;
const root = join(import.meta.dirname, '..');
const run = promisify(execFile);
const scope = { after };
const folder = temporary(scope);
const program = join(folder, 'node_modules', '.bin', 'session-server');
const installed = join(folder, 'node_modules', 'session-server');
let files: readonly string[] = [];

before(async () => {
  // Scripts are left out: they would build again during the other tests.
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], { cwd: root });
  const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  files = packed.files.map(({ path }) => path);
  // What `npm ci` has fetched is in npm's cache, so that this needs no network then.
  const quiet = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--omit=dev'];
  await run('npm', ['install', ...quiet, `./${packed.filename}`], { cwd: folder });
});

test('it has the program, the page, the examples and the documents, and no development files', () => {
  for (const path of [
    'bin/session-server.mjs',
    'dist/program/main.js',
    'dist/program/demo-simulator.js',
    'dist/program/mujoco.wasm',
    'dist/program/LICENSES.txt',
    'dist/web/manifest.json',
    'dist/web/v1.js',
    'dist/web/v1-button.js',
    'dist/src/client/index.d.ts',
    'dist/src/client/session-button.d.ts',
    'src/install/templates/nginx.conf',
    'src/install/templates/deploy-certificate.sh',
    'src/stores/redis/commit.lua',
    'config/session/local.json',
    'config/session/demo.json',
    'config/simulation/demo.json',
    'config/session/example.json',
    'config/session/schema.json',
    'docs/reference/configuration.md',
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
    'package.json',
  ])
    assert.ok(files.includes(path), path);
  for (const path of files)
    assert.doesNotMatch(
      path,
      /(?:^|\/)(?:test|bench|scripts|node_modules|log|state|\.ci|\.git)\/|\.test\.|tsbuildinfo|\.tsx?$(?<!\.d\.ts)/,
      path,
    );
});

test('it has the parts of the program from the last build and no older ones', () => {
  const parts = JSON.parse(readFileSync(join(root, 'dist', 'program', 'parts.json'), 'utf8')) as string[];
  const packed = files.flatMap((path) => /^dist\/program\/(.+\.js(?:\.map)?)$/.exec(path)?.[1] ?? []);
  assert.deepEqual(packed.sort(), parts.sort());
});

test('a build keeps the parts of the previous one for a week, for running programs, and ignores leftovers of an interrupted one', async (t) => {
  const built = temporary(t);
  const build = () => run(process.execPath, [join(root, 'scripts', 'build-program.mjs'), built]);
  await build();
  const parts = JSON.parse(readFileSync(join(built, 'parts.json'), 'utf8')) as string[];
  assert.ok(parts.includes('main.js'), parts.join(' '));
  const old = join(built, 'app-OLD.js');
  writeFileSync(old, '');
  writeFileSync(join(built, 'parts.json'), JSON.stringify([...parts, 'app-OLD.js']));
  const longAgo = new Date(Date.now() - 30 * 86_400_000);
  utimesSync(old, longAgo, longAgo);
  await build();
  assert.ok(existsSync(old), 'it was a part a moment ago');
  assert.match(readFileSync(join(built, '.npmignore'), 'utf8'), /^app-OLD\.js$/m);

  writeFileSync(join(built, 'parts.json'), '["app-');
  utimesSync(old, longAgo, longAgo);
  await build();
  assert.ok(!existsSync(old), 'it has been none for a month');
  assert.deepEqual(JSON.parse(readFileSync(join(built, 'parts.json'), 'utf8')), parts);
});

test('the command is there and knows its version', async (t) => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const { status, stdout, stderr } = await runProgram(t, ['--version'], { program, cwd: folder });
  assert.deepEqual([status, stdout, stderr], [0, `${version}\n`, '']);
});

test('it checks the configuration that ships with it', async (t) => {
  const { status, stdout, stderr } = await runProgram(t, ['check', '--strict'], { program, cwd: temporary(t) });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /session-server\/config\/session\/local\.json: 1 simulation server, 0 warnings, no errors/);
});

test('a project can use the client package, with types that are checked strictly', async () => {
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'use.ts'), USE_OF_CLIENT);
  const options = ['--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--lib', 'es2022,dom', '--noEmit'];
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  await run(process.execPath, [compiler, ...options, '--module', 'nodenext', 'use.ts'], { cwd: folder }).catch((error: unknown) =>
    assert.fail((error as { stdout: string }).stdout),
  );
  const names = "import('session-server/client').then((client) => console.log(Object.keys(client).join()))";
  const { stdout } = await run(process.execPath, ['--eval', names], { cwd: folder });
  assert.equal(stdout, 'SessionError,hasPlace,requestSession,waitForSession\n');
});

test('it starts, answers, serves its page, and writes nothing into the package', async (t) => {
  const before = fingerprint(installed);
  const server = await startSimulationServer(t, 12.5);
  const own = temporary(t);
  const started = await startProgram(t, { simulationServers: [server.address] }, { program, folder: own, cwd: own });
  await eventually('the load', async () => (await started.get('/load')) === '12.5');
  assert.equal(await started.get('/session'), `ws://${server.address}`);
  const page = await fetch(`${started.url}/monitor`);
  assert.equal(page.status, 200);
  const html = await page.text();
  assert.ok(html.includes(server.address));
  const assets = [...html.matchAll(/(?:src|href)="(monitor\?\/monitor\/[^"]+)"/g)].map(([, asset = '']) => asset);
  assert.ok(assets.length > 0, 'the page names no file of its own');
  for (const asset of assets) assert.equal((await fetch(new URL(asset, page.url))).status, 200, asset);
  assert.equal((await started.stop()).status, 0);
  assert.deepEqual(fingerprint(installed), before);
});

test('its demo shows a robot, and leaves the working directory and the package as they are', async (t) => {
  const before = fingerprint(installed);
  const cwd = temporary(t);
  const [port, simulation] = [await freePort(), await freeRange(3)];
  const options = ['--port', String(port), '--simulation-port', String(simulation), '--machines', '1'];
  const demo = startChild(t, ['demo', ...options], { program, cwd });
  await eventually('the demo', () => demo.stdout.includes(`Open http://localhost:${port}/\n`), PATIENCE);
  const read = async (path: string) => (await fetch(`http://localhost:${port}/${path}`)).text();
  await eventually('a free place', async () => (await read('')) === '1', PATIENCE);
  const client = await new SocketClient(t, `${await read('session')}/client`).open();
  client.socket.send(JSON.stringify({ start: { url: 'demo:rover' } }));
  await eventually('the robot', () => client.messages.some((line) => line.startsWith('webots:')), PATIENCE);
  demo.signal('SIGTERM');
  assert.equal((await demo.ended).status, 0);
  assert.deepEqual([readdirSync(cwd), fingerprint(installed)], [[], before]);
});

const USE_OF_CLIENT = `
import { requestSession, SessionError, waitForSession } from 'session-server/client';
import { SessionButton } from 'session-server/client/button';

export async function use(project: string | undefined): Promise<string> {
  const options = { server: 'https://session.example.org', ...(project !== undefined && { project }) };
  for await (const event of requestSession(options)) {
    if (event.type === 'allocated') return event.url;
    if (event.type === 'waiting') console.log(event.position?.toFixed(), event.estimate?.from);
  }
  await waitForSession(options);
  throw new SessionError('code', 'A sentence.');
}
/** Options are named: a misspelt one does not pass. */
export const isRefused: 'projekt' extends keyof Parameters<typeof waitForSession>[0] ? false : true = true;
export const button: HTMLElement = new SessionButton();
`;

/** Every file with its size and time. */
function fingerprint(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { size, mtimeMs } = statSync(join(path, name));
      return `${name} ${size} ${mtimeMs}`;
    });
}
