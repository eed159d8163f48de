// Runs every test of the project that needs no program of the system, or the files and folders named as arguments. Test files run from the TypeScript sources; what they start as processes of their own is
// the build in `dist`.
//
// The test files of one folder of `src` share a process, because to start one and to read the sources costs several times what most of these tests cost. The others, which start
// programs and browsers, have a process each; three at a time, because they wait for most of theirs.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const named = process.argv.slice(2);
/** Needs web servers and systemd: `npm run test:fronts`. */
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
  ['--import', 'tsx', '--test', '--test-concurrency=3', '--test-reporter=spec', ...longestFirst(processes(files))],
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

/** One file for each process. */
function processes(files) {
  const shared = new Map();
  const alone = [];
  for (const file of files) {
    // What a file says of each test it has would hold for those of the others.
    const hasHooks = /^(?:before|after)(?:Each)?\(/m.test(readFileSync(file, 'utf8'));
    if (!file.startsWith(join('src', '')) || hasHooks) alone.push(file);
    else shared.set(dirname(file), [...(shared.get(dirname(file)) ?? []), file]);
  }
  return [...alone, ...[...shared].map(([name, members]) => (members.length === 1 ? members[0] : together(name, members)))];
}

/** A file that runs all of these. */
function together(name, members) {
  const path = join(folder, `${name.replaceAll(/[^a-z]+/g, '-')}.mjs`);
  writeFileSync(path, members.map((member) => `await import(${JSON.stringify(pathToFileURL(resolve(member)))});\n`).join(''));
  return path;
}

/** Those that take longest begin first, so that no core idles while the last one goes on alone. */
function longestFirst(paths) {
  const rank = (path) => {
    const index = ['browser', 'simulation', 'setup', 'command-line', 'registration'].findIndex((part) => path.includes(part));
    return index < 0 ? Infinity : index;
  };
  return paths.toSorted((a, b) => rank(a) - rank(b));
}
