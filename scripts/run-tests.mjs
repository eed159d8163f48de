// Runs every test of the project, or the files named as arguments. Test files run from the TypeScript sources; what they start as processes of their own is
// the build in `dist`.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const named = process.argv.slice(2);
const files = named.length > 0 ? named : ['src', 'test'].flatMap(testFiles).sort();
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
