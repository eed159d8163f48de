/**
 * Keeps one `nvidia-smi` running that prints a reading every second.
 *
 * Starting one for each reading would cost far more than the agent itself: where the driver does not stay loaded, each start initialises the GPU, which
 * takes up to seconds of a core. One that ends, goes silent or prints nonsense is ended and started again, later and later; where there is none, a look
 * every ten minutes finds one that was installed meanwhile. No shell is involved, and nothing from outside reaches the arguments.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { startLoop } from '../engine/loop.ts';
import type { Clock, Log } from '../ports.ts';
import { GPU_COLUMNS, GpuReadings, parseGpuLine, type GpuReading } from './gpu.ts';

export interface NvidiaSmi {
  /** The present reading, or `undefined` when there is no GPU that answers. To be asked every second: it also notices when the answers stop. */
  read(): GpuReading | undefined;
  close(): Promise<void>;
}

export interface NvidiaSmiOptions {
  readonly clock: Clock;
  readonly log?: Log;
  /** Name or path of the program. */
  readonly command?: string;
}

const ARGUMENTS = [`--query-gpu=${GPU_COLUMNS}`, '--format=csv,noheader,nounits', '--loop-ms=1000'];
/** Seconds without a line after which it hangs. Its first line may take many seconds on a machine with several GPUs. */
const SILENCE = 15;
/** Seconds between two attempts after one that gave readings. */
const PAUSE = 5;
/** Seconds between two attempts at most. */
const MAX_PAUSE = 600;
const MAX_LINE = 1000;
/** Characters between two calls of `read`. */
const MAX_OUTPUT = 65_536;

type Outcome = 'absent' | 'failed' | 'ended';

export function startNvidiaSmi({ clock, log, command = 'nvidia-smi' }: NvidiaSmiOptions): NvidiaSmi {
  const readings = new GpuReadings();
  const tell = teller(command, log);
  let run: Run | undefined;
  let failures = 0;

  const loop = startLoop({
    clock,
    async cycle(signal) {
      const present = new Run(command, clock, (line) => {
        const reading = parseGpuLine(line);
        if (reading === undefined) return false;
        readings.add(reading, clock.now());
        tell('reading', '');
        return true;
      });
      run = present;
      const end = (): void => present.end();
      signal.addEventListener('abort', end, { once: true });
      const outcome = await present.outcome;
      signal.removeEventListener('abort', end);
      run = undefined;
      if (!signal.aborted && outcome !== 'ended') tell(outcome, present.complaint);
      failures = outcome === 'failed' ? failures + 1 : 0;
      return pauseAfter(outcome, failures);
    },
    failed(error) {
      // No process could be started at all, for want of memory for instance.
      if (!(error instanceof Error && 'syscall' in error)) throw error;
      tell('failed', error.message);
      return MAX_PAUSE;
    },
  });

  return {
    read() {
      run?.look();
      return readings.highest(clock.now());
    },
    close: () => loop.stop(),
  };
}

function pauseAfter(outcome: Outcome, failures: number): number {
  switch (outcome) {
    case 'absent':
      return MAX_PAUSE;
    case 'ended':
      return PAUSE;
    case 'failed':
      return Math.min(MAX_PAUSE, PAUSE * 2 ** (failures - 1));
  }
}

/** Says what changed, not what stayed. */
function teller(command: string, log: Log | undefined): (state: 'absent' | 'failed' | 'reading', complaint: string) => void {
  let told: string | undefined;
  return (state, complaint) => {
    if (state === told) return;
    told = state;
    if (state === 'reading') log?.info('The GPU is part of the load', { command });
    else if (state === 'absent')
      log?.info('There is no NVIDIA GPU to measure: the load is that of processor and memory', { command, complaint });
    else log?.warn('The GPU cannot be measured and is left out of the load', { command, complaint });
  };
}

/** One run of the program, from its start to its end. */
class Run {
  readonly outcome: Promise<Outcome>;
  /** What went wrong, for the log. */
  complaint = '';
  readonly #clock: Clock;
  readonly #take: (line: string) => boolean;
  readonly #child: ChildProcessByStdio<null, Readable, null>;
  #finish: (outcome: Outcome) => void = () => undefined;
  #spoke = false;
  #heardAt: number;
  #rest = '';
  #output = 0;

  /** `take` says whether a line is a reading. */
  constructor(command: string, clock: Clock, take: (line: string) => boolean) {
    this.#clock = clock;
    this.#take = take;
    this.#heardAt = clock.now();
    this.outcome = new Promise((resolve) => (this.#finish = resolve));
    this.#child = spawn(command, ARGUMENTS, { stdio: ['ignore', 'pipe', 'ignore'], windowsHide: true });
    this.#child.once('error', (error: NodeJS.ErrnoException) => {
      this.complaint = error.message;
      this.#finish(error.code === 'ENOENT' ? 'absent' : 'failed');
    });
    this.#child.once('close', (code) => {
      this.complaint ||= `ended with status ${code ?? 'of a signal'} without a reading`;
      this.#finish(this.#spoke ? 'ended' : 'failed');
    });
    this.#child.stdout.setEncoding('latin1').on('data', (text: string) => this.#hear(text));
  }

  /** Ends it when it has been silent for too long. */
  look(): void {
    this.#output = 0;
    if (this.#clock.now() - this.#heardAt > SILENCE) this.#fail(`said nothing for ${SILENCE} s`);
  }

  /** Does not wait for the process: one that hangs in the driver ends only with it. It has nothing to clean up. */
  end(): void {
    this.#child.kill('SIGKILL');
    this.#child.stdout.destroy();
    this.#child.unref();
    this.#finish(this.#spoke ? 'ended' : 'failed');
  }

  #hear(text: string): void {
    this.#output += text.length;
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#output > MAX_OUTPUT || this.#rest.length > MAX_LINE) {
      this.#fail('prints far more than was asked for');
      return;
    }
    for (const line of lines) {
      if (this.#take(line)) {
        this.#spoke = true;
        this.#heardAt = this.#clock.now();
      } else if (this.complaint === '') {
        this.complaint = `said "${line.slice(0, 200)}"`;
      }
    }
  }

  #fail(complaint: string): void {
    this.#spoke = false;
    this.complaint ||= complaint;
    this.end();
  }
}
