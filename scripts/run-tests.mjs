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
  let integration = 0;
  for (const file of files) {
    const name = groupOf(file, () => (integration += 1));
    if (name === undefined) alone.push(file);
    else shared.set(name, [...(shared.get(name) ?? []), file]);
  }
  return [...alone, ...[...shared].map(([name, members]) => (members.length === 1 ? members[0] : together(name, members)))];
}

/** Files of the same group run one after the other in one process; `undefined`: it has one of its own. */
function groupOf(file, count) {
  // What a file says of each test it has would hold for those of the others.
  if (/^(?:before|after)(?:Each)?\(/m.test(readFileSync(file, 'utf8'))) return undefined;
  if (file.startsWith(join('src', ''))) return dirname(file);
  if (file.startsWith(join('test', 'integration', ''))) return `integration-${'abcd'[count() % INTEGRATION_PROCESSES]}`;
  return undefined;
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
    const index = ['integration', 'browser', 'simulation'].findIndex((part) => path.includes(part));
    return index < 0 ? Infinity : index;
  };
  return paths.toSorted((a, b) => rank(a) - rank(b));
}
