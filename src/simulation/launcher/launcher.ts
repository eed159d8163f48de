/** The server's side of the launcher: starts it when it is first needed, and again should it end. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LaunchOptions, Launcher, Program } from '../ports.ts';
import { environmentFor } from './environment.ts';
import type { LauncherReport, LauncherRequest } from './messages.ts';
import { runProgram } from './run.ts';

/** From the sources in tests, from the bundle otherwise: it lies beside this file in both. */
const LAUNCHER = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './launcher-process.ts' : './launcher-process.js', import.meta.url),
);

/** The error of a program that could not be started. */
export interface LaunchError extends Error {
  /** That of the operating system, such as `ENOENT`; `cgroup`: its group could not be joined; `launcher`: the launcher ended. */
  readonly code: string;
}

interface Started {
  readonly options: LaunchOptions;
  readonly started: (program: Program) => void;
  readonly failed: (error: LaunchError) => void;
  readonly ended: (status: number | string) => void;
  readonly exited: Promise<number | string>;
}

/** `home`: the files by which a process returns to the cgroups of the server. */
export function createLauncher({ home }: { readonly home: readonly string[] }): Launcher {
  const programs = new Map<number, Started>();
  let nextId = 1;
  let child: ChildProcess | undefined;
  let closed = false;

  const send = (request: LauncherRequest): void => {
    child ??= begin();
    child.send(request, () => undefined);
  };

  const begin = (): ChildProcess => {
    const begun = fork(LAUNCHER, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: execArgv(), detached: true });
    begun.on('message', (report: LauncherReport) => {
      hear(report);
    });
    begun.once('error', () => {
      lose(begun);
    });
    begun.once('exit', () => {
      lose(begun);
    });
    return begun;
  };

  /** What it had started is not watched any more; the sessions end, and the sweep finds what is left. */
  const lose = (lost: ChildProcess): void => {
    if (child !== lost) return;
    child = undefined;
    for (const { failed, ended } of programs.values()) {
      failed(launchError('launcher', 'the launcher ended'));
      ended('launcher-lost');
    }
    programs.clear();
  };

  const hear = (report: LauncherReport): void => {
    const program = programs.get(report.id);
    if (program === undefined) return;
    switch (report.kind) {
      case 'started':
        program.started({
          pid: report.pid,
          exited: program.exited,
          signal: (name) => send({ kind: 'signal', id: report.id, name }),
        });
        break;
      case 'failed':
        programs.delete(report.id);
        program.failed(launchError(report.code, report.message));
        break;
      case 'line':
        program.options.line(report.line);
        break;
      case 'ended':
        programs.delete(report.id);
        program.ended(report.status);
        break;
    }
  };

  return {
    run: runProgram,
    start(argv, options) {
      if (closed) return Promise.reject(launchError('launcher', 'the server stops'));
      const id = nextId++;
      const { promise: exited, resolve: ended } = withResolver<number | string>();
      const started = new Promise<Program>((resolve, reject) => {
        programs.set(id, { options, started: resolve, failed: reject, ended, exited });
      });
      send({
        ...{ kind: 'start', id, argv, cwd: options.cwd, environment: environmentFor(options.environment) },
        joins: options.joins.map((group) => `${group}/cgroup.procs`),
        home: options.joins.length === 0 ? [] : home,
        kills: options.joins.map((group) => `${group}/cgroup.kill`),
      });
      return started;
    },
    async close() {
      closed = true;
      const ending = child;
      if (ending === undefined) return;
      const ended = new Promise<void>((resolve) => {
        ending.once('exit', () => {
          resolve();
        });
      });
      ending.disconnect();
      await ended;
    },
  };
}

/** Node's options for the launcher: those that load TypeScript in tests, and a small heap, for it keeps nothing. */
function execArgv(): string[] {
  const loaders = process.execArgv.flatMap((argument, index, all) =>
    argument === '--import' ? [argument, all[index + 1] ?? ''] : [],
  );
  return [...loaders, '--max-semi-space-size=1', '--max-old-space-size=64'];
}

function launchError(code: string, message: string): LaunchError {
  return Object.assign(new Error(message), { code });
}

function withResolver<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((set) => (resolve = set));
  return { promise, resolve };
}
