/** The server's side of the launcher: starts it when it is first needed, and again should it end. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LaunchOptions, Launcher, Program, RunOptions, RunResult } from '../ports.ts';
import { environmentFor } from './environment.ts';
import type { LauncherReport, LauncherRequest } from './messages.ts';

/** From the sources in tests, from the bundle otherwise: it lies beside this file in both. */
const LAUNCHER = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './launcher-process.ts' : './launcher-process.js', import.meta.url),
);

/** The error of a program that could not be started. */
export interface LaunchError extends Error {
  /** That of the operating system, such as `ENOENT`; `cgroup`: its group could not be joined; `launcher`: the launcher ended. */
  readonly code: string;
}

/** A program that was asked for, until its end. */
interface Started extends Pick<LaunchOptions, 'line'> {
  readonly started: (program: Program) => void;
  readonly failed: (error: LaunchError) => void;
  readonly ended: (status: number | string) => void;
  readonly exited: Promise<number | string>;
}

/** A program whose result is awaited. */
interface AwaitedRun {
  readonly finished: (result: RunResult) => void;
  readonly failed: (error: LaunchError) => void;
}

/** `home`: the files by which a process returns to the cgroups of the server. */
export function createLauncher({ home }: { readonly home: readonly string[] }): Launcher {
  return new LauncherClient(home);
}

class LauncherClient implements Launcher {
  readonly #home: readonly string[];
  readonly #programs = new Map<number, Started>();
  readonly #runs = new Map<number, AwaitedRun>();
  #nextId = 1;
  #child: ChildProcess | undefined;
  #closed = false;

  constructor(home: readonly string[]) {
    this.#home = home;
  }

  async run(argv: readonly string[], { signal, ...options }: RunOptions = {}): Promise<RunResult> {
    if (this.#closed) throw launchError('launcher', 'the server stops');
    const id = this.#nextId++;
    const abort = () => {
      this.#send({ kind: 'abort', id });
    };
    try {
      return await new Promise<RunResult>((resolve, reject) => {
        this.#runs.set(id, { finished: resolve, failed: reject });
        this.#send({ kind: 'run', id, argv, options });
        if (signal?.aborted === true) abort();
        else signal?.addEventListener('abort', abort, { once: true });
      });
    } finally {
      this.#runs.delete(id);
      signal?.removeEventListener('abort', abort);
    }
  }

  start(argv: readonly string[], { cwd, environment, joins, line }: LaunchOptions): Promise<Program> {
    if (this.#closed) return Promise.reject(launchError('launcher', 'the server stops'));
    const id = this.#nextId++;
    const { promise: exited, resolve: ended } = withResolver<number | string>();
    const started = new Promise<Program>((resolve, reject) => {
      this.#programs.set(id, { line, started: resolve, failed: reject, ended, exited });
    });
    this.#send({
      ...{ kind: 'start', id, argv, cwd, environment: environmentFor(environment) },
      joins: joins.map((group) => `${group}/cgroup.procs`),
      home: joins.length === 0 ? [] : this.#home,
      kills: joins.map((group) => `${group}/cgroup.kill`),
    });
    return started;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => {
        resolve();
      });
    });
    child.disconnect();
    await ended;
  }

  #send(request: LauncherRequest): void {
    // What it started ends with it.
    if (this.#closed) return;
    this.#child ??= this.#begin();
    this.#child.send(request, () => undefined);
  }

  #begin(): ChildProcess {
    const child = fork(LAUNCHER, [], {
      ...{ stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: execArgv(), detached: true },
      // Output of programs is bytes.
      serialization: 'advanced',
    });
    child.on('message', (report: LauncherReport) => {
      this.#hear(report);
    });
    for (const event of ['error', 'exit'] as const)
      child.once(event, () => {
        this.#lose(child);
      });
    return child;
  }

  /** What it had started is not watched any more; the sessions end, and the sweep finds what is left. */
  #lose(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    for (const { failed, ended } of this.#programs.values()) {
      failed(launchError('launcher', 'the launcher ended'));
      ended('launcher-lost');
    }
    this.#programs.clear();
    for (const { failed } of this.#runs.values()) failed(launchError('launcher', 'the launcher ended'));
  }

  #hear(report: LauncherReport): void {
    switch (report.kind) {
      case 'ran':
        this.#runs.get(report.id)?.finished(report.result);
        break;
      case 'failed':
        this.#fail(report.id, launchError(report.code, report.message));
        break;
      case 'started':
        this.#programs.get(report.id)?.started(this.#program(report.id, report.pid));
        break;
      case 'line':
        this.#programs.get(report.id)?.line(report.line);
        break;
      case 'ended':
        this.#programs.get(report.id)?.ended(report.status);
        this.#programs.delete(report.id);
        break;
    }
  }

  #fail(id: number, error: LaunchError): void {
    this.#runs.get(id)?.failed(error);
    this.#programs.get(id)?.failed(error);
    this.#programs.delete(id);
  }

  #program(id: number, pid: number): Program {
    return {
      pid,
      exited: this.#programs.get(id)?.exited ?? Promise.resolve('unknown'),
      signal: (name) => {
        this.#send({ kind: 'signal', id, name });
      },
    };
  }
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
