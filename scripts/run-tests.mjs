// Runs every test of the project that needs no program of the system, or the files and folders named as arguments. Test files run from the TypeScript sources; what they start as processes of their own is
// the build in `dist`.
import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const named = process.argv.slice(2);
/** Needs web servers and systemd: `npm run test:fronts`. */
const NEEDS_SYSTEM = join('test', 'fronts');
const files =
  named.length > 0
    ? named.flatMap((path) => (statSync(path).isDirectory() ? testFiles(path) : path))
    : ['src', 'test'].flatMap(testFiles).filter((path) => !path.startsWith(NEEDS_SYSTEM));
files.sort();
if (files.length === 0) throw new Error('no test file found');

const runner = spawn(process.execPath, ['--import', 'tsx', '--test', '--test-concurrency=2', '--test-reporter=spec', ...files], {
  stdio: 'inherit',
});
runner.once('exit', (code) => {
  process.exitCode = code ?? 1;
});

function testFiles(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((path) => /\.test\.tsx?$/.test(path))
    .map((path) => join(folder, path));
}
