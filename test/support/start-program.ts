/** The real program, from the build, as a process of its own: with a configuration in a temporary folder, on a free port, and never left behind. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, inTime } from './eventually.ts';

const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'session-server.mjs');

/** A `TestContext`, or the functions of `node:test` for what all tests of a file share. */
export interface Scope {
  after(done: () => Promise<void>): void;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The program itself; default: the build. */
  readonly program?: string;
  /** Options of Node itself. */
  readonly node?: readonly string[];
  /** Shell commands before the program, such as `ulimit -n 200`. */
  readonly before?: string;
}

export interface StartOptions extends RunOptions {
  /** Options of the command line before the configuration file. */
  readonly args?: readonly string[];
  /** A folder that outlives this run; default: one of this run alone. */
  readonly folder?: string;
}

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Seconds from the start, or from the last signal, to the end. */
  readonly took: number;
}

export type Configuration = Readonly<Record<string, unknown>>;

/** Runs the program until it ends by itself. */
export async function runProgram(scope: Scope, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const child = new Child(scope, args, options);
  return inTime(`the end of session-server ${args.join(' ')}`, child.ended);
}

/** Starts the program and waits for nothing. */
export function startChild(scope: Scope, args: readonly string[], options: RunOptions = {}): Child {
  return new Child(scope, args, options);
}

/** Starts the program and waits until it says on which port it listens. */
export async function startProgram(scope: Scope, configuration: Configuration, options: StartOptions = {}): Promise<Program> {
  const folder = options.folder ?? temporary(scope);
  const path = join(folder, 'session.json');
  const written = configurationIn(folder, configuration);
  writeFileSync(path, JSON.stringify(written));
  const child = new Child(scope, [...(options.args ?? []), path], options);
  const port = await Promise.race([
    eventually('the port of the session server', () => /^Session server \S+ on port (\d+)/m.exec(child.stdout)?.[1]),
    child.ended.then(({ status, stderr }) => {
      throw new Error(`the session server ended with status ${status} instead of starting: ${stderr}`);
    }),
  ]);
  return new Program(child, Number(port), folder, written);
}

/** With what most tests want, and everything that is written inside the folder. */
export function configurationIn(folder: string, configuration: Configuration): Configuration {
  return { ...DEFAULTS, logDir: join(folder, 'log'), stateDir: join(folder, 'state'), ...configuration };
}

/** The poll interval is the program's own: on a busy machine a probe must have time. All servers are asked within half a second of the start. */
const DEFAULTS: Configuration = {
  server: 'localhost',
  ssl: false,
  portRewrite: false,
  port: 0,
  simulationServers: [],
};

/** A folder that is removed when everything in it has ended. */
export function temporary(scope: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'session-server-'));
  scope.after(async () => {
    // What was started later has to end first.
    await Promise.all(
      [...running].filter((child) => child.args.some((arg) => arg.startsWith(folder))).map((child) => child.kill()),
    );
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** What most tests need of a session server, be it a process or not (see `start-program-inside.ts`). */
export interface RunningProgram {
  readonly port: number;
  readonly folder: string;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** `ws://127.0.0.1:PORT`. */
  readonly socketUrl: string;
  /** The log file so far; empty while there is none. */
  readonly log: string;
  /** Body of an answer whose status is not looked at. */
  get(path: string, init?: RequestInit): Promise<string>;
  /** Changes the configuration and waits until the program has taken it. */
  reconfigure(change: Configuration): Promise<void>;
  stop(): Promise<unknown>;
}

export function logIn(folder: string): string {
  try {
    return readFileSync(join(folder, 'log', 'session', 'output.log'), 'utf8');
  } catch {
    return '';
  }
}

export async function getText(url: string, init: RequestInit = {}): Promise<string> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(90_000) });
  return response.text();
}

export class Program implements RunningProgram {
  readonly port: number;
  readonly folder: string;
  readonly url: string;
  readonly socketUrl: string;
  /** As it was written last. */
  configuration: Configuration;
  readonly #child: Child;

  constructor(child: Child, port: number, folder: string, configuration: Configuration) {
    this.#child = child;
    this.port = port;
    this.folder = folder;
    this.url = `http://127.0.0.1:${port}`;
    this.socketUrl = `ws://127.0.0.1:${port}`;
    this.configuration = configuration;
  }

  get stdout(): string {
    return this.#child.stdout;
  }

  get stderr(): string {
    return this.#child.stderr;
  }

  get ended(): Promise<Ended> {
    return this.#child.ended;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Path of the configuration file. */
  get path(): string {
    return join(this.folder, 'session.json');
  }

  get log(): string {
    return logIn(this.folder);
  }

  get(path: string, init: RequestInit = {}): Promise<string> {
    return getText(this.url + path, init);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.signal(name);
  }

  /** Ends it as a supervisor does. */
  async stop(): Promise<Ended> {
    this.signal('SIGTERM');
    return inTime('the end of the session server', this.ended);
  }

  /** Resident memory in bytes. */
  get memory(): number {
    const pages = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1];
    return Number(pages) * 1024;
  }

  /** Replaces the configuration file as a whole, as editors do. Text is written as it is. */
  configure(change: Configuration | string): void {
    if (typeof change !== 'string') this.configuration = { ...this.configuration, ...change };
    const next = `${this.path}.next`;
    writeFileSync(next, typeof change === 'string' ? change : JSON.stringify(this.configuration));
    renameSync(next, this.path);
  }

  async reconfigure(change: Configuration): Promise<void> {
    const reloads = this.#reloads();
    this.configure(change);
    await eventually('the new configuration', () => this.#reloads() > reloads);
  }

  #reloads(): number {
    return this.log.split('configuration read again').length;
  }
}

const running = new Set<Child>();
process.once('exit', () => {
  for (const child of running) child.signal('SIGKILL');
});

/** A process of the program, which may have ended already. */
export class Child {
  readonly args: readonly string[];
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';
  #since = performance.now();
  readonly #process: ChildProcess;

  constructor(scope: Scope, args: readonly string[], { cwd, env = {}, program = PROGRAM, node = [], before }: RunOptions) {
    this.args = args;
    const command = [process.execPath, ...node, program, ...args];
    const [file = '', ...rest] = before === undefined ? command : ['sh', '-c', `${before}; exec "$@"`, 'sh', ...command];
    const child = spawn(file, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...environment(), ...env },
      ...(cwd !== undefined && { cwd }),
    });
    this.#process = child;
    running.add(this);
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status, signal) => {
        running.delete(this);
        resolve({ status, signal, stdout: this.stdout, stderr: this.stderr, took: (performance.now() - this.#since) / 1000 });
      });
    });
    scope.after(() => this.kill());
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  signal(name: NodeJS.Signals): void {
    this.#since = performance.now();
    this.#process.kill(name);
  }

  async kill(): Promise<void> {
    if (!running.has(this)) return;
    this.signal('SIGKILL');
    await this.ended;
  }
}

/** The environment of the tests, without what would change the program. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: coverage, ...rest } = process.env;
  const own = Object.entries(rest).filter(
    ([name]) => !name.startsWith('SESSION_SERVER_') && !name.startsWith('NODE_TEST') && !/_proxy$/i.test(name),
  );
  return { ...Object.fromEntries(own), ...(coverage !== undefined && { NODE_V8_COVERAGE: coverage }) };
}

/** A folder inside another. */
export function subfolder(...path: string[]): string {
  const folder = join(...path);
  mkdirSync(folder, { recursive: true });
  return folder;
}
