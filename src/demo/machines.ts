/** The simulation servers of the demo: processes of their own, which end when this one does. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { DemoMachine, MachineState } from '../core/views/demo-view.ts';
import { packageRoot } from '../system/package-root.ts';

export interface MachineOptions {
  /** Shown on the page. */
  readonly name: string;
  /** Path of its configuration file. */
  readonly configuration: string;
}

const PROGRAM = join(packageRoot, 'bin', 'session-server.mjs');
/** Characters of its output that are searched for the line that says that it listens. */
const MAX_SEARCHED = 10_000;

export class Machine {
  readonly #options: MachineOptions;
  #killed = false;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #state: MachineState = 'stopped';

  constructor(options: MachineOptions) {
    this.#options = options;
  }

  get view(): DemoMachine {
    return { name: this.#options.name, state: this.#state };
  }

  /** Resolves when it listens, with `false` when it cannot: it has said why. */
  async start(): Promise<boolean> {
    if (this.#child !== undefined) return true;
    const child = spawn(process.execPath, [PROGRAM, 'simulation', this.#options.configuration], {
      // It ends when the channel does, however this process ends.
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.#state = 'starting';
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    this.#ended = ended.then(async () => {
      // As a supervisor does, and before it may start again.
      if (this.#killed) await this.#sweep();
      this.#killed = false;
      this.#child = undefined;
      this.#state = 'stopped';
    });
    const started = await Promise.race([listening(child), this.#ended.then(() => false)]);
    if (started) this.#state = 'running';
    return started;
  }

  /** At once, as when its power fails. */
  kill(): void {
    this.#killed = this.#child?.kill('SIGKILL') === true;
  }

  async stop(): Promise<void> {
    this.#child?.kill('SIGTERM');
    await this.#ended;
  }

  /** Removes the processes, mounts and files that a killed server left. */
  async #sweep(): Promise<void> {
    const sweeping = spawn(process.execPath, [PROGRAM, 'simulation', '--sweep', this.#options.configuration], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await new Promise<void>((resolve) => {
      sweeping.once('exit', () => resolve());
      sweeping.once('error', () => resolve());
    });
  }
}

function listening({ stdout }: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    let said = '';
    stdout?.setEncoding('utf8').on('data', (text: string) => {
      // What follows is read, so that the pipe never fills, and dropped.
      if (said.length < MAX_SEARCHED) said += text;
      if (/^Simulation server \S+ on port/m.test(said)) resolve(true);
    });
  });
}
