/**
 * The program that starts simulators, Git and all others: a child of the server, asked over Node's own channel.
 *
 * Why a process of its own: a simulator has to be in its cgroup before its first instruction, because processes that it forks before it is moved stay
 * outside. A process can only be born where its parent is; so the launcher joins the group, starts the simulator in the same synchronous step and goes
 * back. The server itself could not do that without blocking all clients. Any start blocks the process that asks for it until the system has begun it, which
 * takes tens of milliseconds on a busy machine.
 *
 * It also knows what it started: when its channel to the server is closed, because the server ended in whatever way, it kills all of it and ends.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { OutputLines } from '../../core/simulation/output-lines.ts';
import type { LauncherRequest, LauncherReport } from './messages.ts';
import { killGroup, runProgram } from './run.ts';

const OUTPUT = { line: 65_536, perSecond: 1_000_000, linesPerSecond: 1000 };

/** Milliseconds. */
const LAST_WORDS = 100;

const children = new Map<number, { readonly child: ChildProcess; readonly kills: readonly string[] }>();

/** Programs that are run to their end. */
const runs = new Map<number, AbortController>();

process.on('message', (request: LauncherRequest) => {
  switch (request.kind) {
    case 'start':
      start(request);
      break;
    case 'signal':
      killGroup(children.get(request.id)?.child.pid, request.name);
      break;
    case 'run':
      void run(request);
      break;
    case 'abort':
      runs.get(request.id)?.abort();
      break;
  }
});
process.on('disconnect', () => {
  for (const stopping of runs.values()) stopping.abort();
  for (const { child, kills } of children.values()) {
    for (const path of kills) write(path, '1');
    killGroup(child.pid);
  }
  process.exit(0);
});
// A terminal's interrupt goes to the whole group; the server decides what ends when.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

async function run({ id, argv, options }: Extract<LauncherRequest, { kind: 'run' }>): Promise<void> {
  const stopping = new AbortController();
  runs.set(id, stopping);
  try {
    report({ kind: 'ran', id, result: await runProgram(argv, { ...options, signal: stopping.signal }) });
  } catch (error) {
    report({ kind: 'failed', id, ...codeAndMessage(error) });
  }
  runs.delete(id);
}

function start(request: Extract<LauncherRequest, { kind: 'start' }>): void {
  const { id, argv, cwd, environment, joins, home, kills } = request;
  const [program = '', ...args] = argv;
  const failure = joins.map((path) => write(path, '0')).find((error) => error !== undefined);
  if (failure !== undefined) {
    for (const path of home) write(path, '0');
    report({ kind: 'failed', id, code: 'cgroup', message: failure.message });
    return;
  }
  const child = spawn(program, args, {
    cwd,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    windowsHide: true,
  });
  for (const path of home) write(path, '0');
  children.set(id, { child, kills });
  if (child.pid !== undefined) report({ kind: 'started', id, pid: child.pid });
  for (const stream of [child.stdout, child.stderr]) {
    const lines = new OutputLines(OUTPUT, (line) => report({ kind: 'line', id, line }));
    stream.setEncoding('utf8').on('data', (text: string) => {
      lines.add(text, performance.now() / 1000);
    });
    stream.once('end', () => {
      lines.end();
    });
  }
  child.once('error', (error) => {
    children.delete(id);
    report({ kind: 'failed', id, ...codeAndMessage(error) });
  });
  child.once('exit', (code, name) => {
    let reported = false;
    const end = () => {
      if (reported) return;
      reported = true;
      children.delete(id);
      report({ kind: 'ended', id, status: code ?? name ?? 'unknown' });
    };
    // The last lines are waited for only a moment: a process that it left behind may keep the output open.
    child.once('close', end);
    setTimeout(end, LAST_WORDS);
  });
}

function codeAndMessage(error: unknown): { readonly code: string; readonly message: string } {
  if (!(error instanceof Error)) return { code: 'unknown', message: String(error) };
  return { code: 'code' in error ? String(error.code) : 'unknown', message: error.message };
}

function write(path: string, text: string): Error | undefined {
  try {
    writeFileSync(path, text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function report(message: LauncherReport): void {
  // The channel may close at any time; `disconnect` follows.
  if (process.connected) process.send?.(message, () => undefined);
}
