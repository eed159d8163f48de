// Runs every test of the project that needs no system program, or the files and folders named as arguments. Test files and the sources they test are bundled first.
// Programs that tests start come from the build in `dist`, and run on the same Node as this script.
//
// More processes run at a time than there are cores, because tests that start programs and browsers mostly wait for them.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bundleTests } from './bundle-tests.mjs';
import { groupTests } from './test-groups.mjs';

/** Milliseconds. A failed test can leave something open that keeps its process alive; the process is then ended and reported as failed. */
const MAX_PROCESS_TIME = 900_000;
const MAX_PROCESSES = 5;
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

const scripts = mkdtempSync(join(cacheFolder(), 'tests-'));
const options = [
  `--test-timeout=${MAX_PROCESS_TIME}`,
  `--test-concurrency=${MAX_PROCESSES}`,
  '--test-reporter=spec',
  '--enable-source-maps',
];
const groups = groupTests(files, (file) => readFileSync(file, 'utf8'));
const bundles = await bundleTests(
  groups.map(([, members]) => members),
  groups.map(([name], index) => `${String(index).padStart(3, '0')}-${name.replaceAll(/[^a-z]+/g, '-')}`),
  scripts,
);
const runner = spawn(process.execPath, ['--test', ...options, ...bundles], { stdio: 'inherit' });
runner.once('exit', (code) => {
  rmSync(scripts, { recursive: true, force: true });
  console.log(`The tests took ${duration((performance.now() - began) / 1000)} on Node ${process.versions.node}.`);
  process.exitCode = code ?? 1;
});

/** Inside `node_modules`, so that the scripts find the packages. */
function cacheFolder() {
  const folder = join(import.meta.dirname, '..', 'node_modules', '.cache');
  mkdirSync(folder, { recursive: true });
  return folder;
}

function testFiles(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((path) => /\.test\.tsx?$/.test(path))
    .map((path) => join(folder, path));
}

function duration(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
