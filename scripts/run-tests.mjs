// Runs every test of the project that needs no system program, or the files and folders named as arguments. Test files run from the TypeScript sources.
// Programs that tests start come from the build in `dist`, and run on the same Node as this script.
//
// More processes run at a time than there are cores, because tests that start programs and browsers mostly wait for them.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { groupTests } from './test-groups.mjs';

/** Milliseconds. A failed test can leave something open that keeps its process alive; the process is then ended and reported as failed. */
const MAX_PROCESS_TIME = 900_000;
const MAX_PROCESSES = 5;
/** What tests share in a process, such as a browser, ends with its last test, whatever failed before. */
const AT_END = [
  "import { after } from 'node:test';",
  'globalThis.sharedByTests = new Set();',
  'after(() => Promise.all([...globalThis.sharedByTests].map((end) => end())));',
];
/** Needs web servers, systemd, bubblewrap and podman: `npm run test:system`. */
const NEEDS_SYSTEM = join('test', 'system');

const began = performance.now();
const named = process.argv.slice(2);
const files =
  named.length > 0
    ? named.flatMap((path) => (statSync(path).isDirectory() ? testFiles(path) : path))
    : ['src', 'test'].flatMap(testFiles).filter((path) => !path.startsWith(NEEDS_SYSTEM));
files.sort();
if (files.length === 0) throw new Error('no test file found');

const folder = mkdtempSync(join(tmpdir(), 'session-server-tests-'));
const options = [`--test-timeout=${MAX_PROCESS_TIME}`, `--test-concurrency=${MAX_PROCESSES}`, '--test-reporter=spec'];
const runner = spawn(process.execPath, ['--import', 'tsx', '--test', ...options, ...processes()], { stdio: 'inherit' });
runner.once('exit', (code) => {
  rmSync(folder, { recursive: true, force: true });
  console.log(`The tests took ${duration((performance.now() - began) / 1000)} on Node ${process.versions.node}.`);
  process.exitCode = code ?? 1;
});

function testFiles(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((path) => /\.test\.tsx?$/.test(path))
    .map((path) => join(folder, path));
}

/** One file for each process, named so that the runner, which sorts by name, keeps their order. */
function processes() {
  return groupTests(files, (file) => readFileSync(file, 'utf8')).map(([name, members], index) => {
    const path = join(folder, `${String(index).padStart(3, '0')}-${name.replaceAll(/[^a-z]+/g, '-')}.mjs`);
    writeFileSync(path, loaderOf(members));
    return path;
  });
}

/**
 * Where files share a process, the first test ends when all are loaded: otherwise, tests of a later file may begin before the rest of that file has run.
 * A file with hooks is alone, and they would apply to that test.
 */
function loaderOf(members) {
  return [...AT_END, ...loading(members)].join('\n');
}

function loading(members) {
  const imports = members.map((member) => `await import(${JSON.stringify(pathToFileURL(resolve(member)))});`);
  if (imports.length === 1) return imports;
  return [
    "import { test } from 'node:test';",
    'let loaded;',
    'const ready = new Promise((resolve) => (loaded = resolve));',
    "void test('the files of this process are loaded', () => ready);",
    ...imports,
    'loaded();',
  ];
}

function duration(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
