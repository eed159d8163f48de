/** Runs one program to its end: Git, container engines, trial runs. Its whole process group is killed when it takes too long or writes too much. */
import { spawn } from 'node:child_process';
import type { RunOptions, RunResult } from '../ports.ts';
import { environmentFor } from './environment.ts';

/** Seconds. */
const DEADLINE = 30;
const MAX_OUTPUT = 1_000_000;
/** Bytes at the end of what it says about its failure. */
const STDERR_KEPT = 4096;

/** Rejects with the error of the start, such as one with the code `ENOENT`. */
export function runProgram(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { cwd = '/', environment = {}, deadline = DEADLINE, maxOutput = MAX_OUTPUT, signal } = options;
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: environmentFor(environment),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      windowsHide: true,
    });
    const chunks: Buffer[] = [];
    let size = 0;
    let stderr = '';
    let killed: RunResult['killed'];
    const kill = (why: NonNullable<RunResult['killed']>) => {
      killed ??= why;
      killGroup(child.pid);
    };
    const timer = setTimeout(() => {
      kill('deadline');
    }, deadline * 1000);
    const abort = () => {
      kill('aborted');
    };
    if (signal?.aborted === true) abort();
    else signal?.addEventListener('abort', abort, { once: true });
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxOutput) kill('output');
      else chunks.push(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-STDERR_KEPT)));
    const finish = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    child.once('error', (error) => {
      finish();
      reject(error);
    });
    child.once('close', (code, name) => {
      finish();
      resolve({
        status: code ?? name ?? 'unknown',
        stdout: Buffer.concat(chunks),
        stderr,
        ...(killed !== undefined && { killed }),
      });
    });
  });
}

/** What has ended meanwhile needs no signal. */
export function killGroup(pid: number | undefined, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
