/**
 * The program that starts simulators: a child of the server, asked over Node's own channel.
 *
 * Why a process of its own: a simulator has to be in its cgroup before its first instruction, because processes that it forks before it is moved stay
 * outside. A process can only be born where its parent is; so the launcher joins the group, starts the simulator in the same synchronous step and goes
 * back. The server itself could not do that without blocking all clients.
 *
 * It also knows what it started: when its channel to the server is closed, because the server ended in whatever way, it kills all of it and ends.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { OutputLines } from '../../core/simulation/output-lines.ts';
import type { LauncherRequest, LauncherReport } from './messages.ts';
import { killGroup } from './run.ts';

const OUTPUT = { line: 65_536, perSecond: 1_000_000 };

/** Milliseconds. */
const LAST_WORDS = 100;

const children = new Map<number, { readonly child: ChildProcess; readonly kills: readonly string[] }>();

process.on('message', (request: LauncherRequest) => {
  if (request.kind === 'start') start(request);
  else killGroup(children.get(request.id)?.child.pid, request.name);
});
process.on('disconnect', () => {
  for (const { child, kills } of children.values()) {
    for (const path of kills) write(path, '1');
    killGroup(child.pid);
  }
  process.exit(0);
});
// A terminal's interrupt goes to the whole group; the server decides what ends when.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

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
  child.once('error', (error: NodeJS.ErrnoException) => {
    children.delete(id);
    report({ kind: 'failed', id, code: error.code ?? 'unknown', message: error.message });
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
