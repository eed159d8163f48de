// Runs every test of the project that needs no program of the system, or the files and folders named as arguments. Test files run from the TypeScript sources; what they start as processes of their own is
// the build in `dist`.
//
// Test files share processes, because to start one and to read the sources costs several times what most tests cost. Three at a time, because those that start programs and browsers wait
// for most of theirs.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const named = process.argv.slice(2);
/** Processes that share the tests of whole programs. */
const INTEGRATION_PROCESSES = 4;
/** Milliseconds. What a failed test left open can keep its process for ever; then it is ended, and told as failed. */
const MAX_PROCESS = 300_000;
/** Parts of names, of what takes longest first. */
const LONGEST = [
  'browser/monitor',
  'simulation/day',
  'integration-',
  'browser',
  'integration',
  'src/config',
  'src/http',
  'src/core',
];
/** Needs web servers and systemd: `npm run test:system`. */
const NEEDS_SYSTEM = join('test', 'fronts');
const files =
  named.length > 0
    ? named.flatMap((path) => (statSync(path).isDirectory() ? testFiles(path) : path))
    : ['src', 'test'].flatMap(testFiles).filter((path) => !path.startsWith(NEEDS_SYSTEM));
files.sort();
if (files.length === 0) throw new Error('no test file found');

const folder = mkdtempSync(join(tmpdir(), 'session-server-tests-'));
const runner = spawn(
  process.execPath,
  [
    '--import',
    'tsx',
    '--test',
    `--test-timeout=${MAX_PROCESS}`,
    '--test-concurrency=3',
    '--test-reporter=spec',
    ...processes(files),
  ],
  { stdio: 'inherit' },
);
runner.once('exit', (code) => {
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = code ?? 1;
});

function testFiles(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((path) => /\.test\.tsx?$/.test(path))
    .map((path) => join(folder, path));
}

/** One file for each process, named so that those that take longest begin first: no core shall idle while the last one goes on alone, and the runner takes them by name. */
function processes(files) {
  const groups = new Map();
  let integration = 0;
  for (const file of files) {
    const name = groupOf(file, () => (integration += 1)) ?? file;
    groups.set(name, [...(groups.get(name) ?? []), file]);
  }
  return [...groups]
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([name, members], index) => {
      const path = join(folder, `${String(index).padStart(3, '0')}-${name.replaceAll(/[^a-z]+/g, '-')}.mjs`);
      writeFileSync(path, members.map((member) => `await import(${JSON.stringify(pathToFileURL(resolve(member)))});\n`).join(''));
      return path;
    });
}

function rank(name) {
  const index = LONGEST.findIndex((part) => name.includes(part));
  return index < 0 ? LONGEST.length : index;
}

/** Files of the same group run one after the other in one process; `undefined`: it has one of its own. */
function groupOf(file, count) {
  // What a file says of each test it has would hold for those of the others.
  if (/^(?:before|after)(?:Each)?\(/m.test(readFileSync(file, 'utf8'))) return undefined;
  if (file.startsWith(join('src', ''))) return dirname(file);
  if (file.startsWith(join('test', 'integration', ''))) return `integration-${'abcd'[count() % INTEGRATION_PROCESSES]}`;
  return undefined;
}
