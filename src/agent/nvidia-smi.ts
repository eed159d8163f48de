/** Asks `nvidia-smi` for the load of the GPUs every five seconds. No shell is involved, and nothing from outside reaches the arguments. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startLoop } from '../engine/loop.ts';
import type { Clock, Log } from '../ports.ts';
import { GPU_COLUMNS, highestReading, type GpuReading } from './gpu.ts';

export interface NvidiaSmi {
  /** The last reading, or `undefined` without a GPU that answers. */
  read(): GpuReading | undefined;
  close(): Promise<void>;
}

export interface NvidiaSmiOptions {
  readonly clock: Clock;
  readonly log?: Log;
  /** Name or path of the program. */
  readonly command?: string;
}

const ARGUMENTS = [`--query-gpu=${GPU_COLUMNS}`, '--format=csv,noheader,nounits'];
/** Seconds between two readings. */
const INTERVAL = 5;
/** Maximum seconds between two attempts, and the pause where the program is missing. */
const MAX_PAUSE = 600;
/** Seconds after which the program hangs. A machine with several GPUs may need many. */
const TIMEOUT = 15;
/** Bytes. */
const MAX_OUTPUT = 65_536;

export function startNvidiaSmi({ clock, log, command = 'nvidia-smi' }: NvidiaSmiOptions): NvidiaSmi {
  const report = reporter(command, log);
  let reading: GpuReading | undefined;
  let pause = INTERVAL / 2;
  const loop = startLoop({
    clock,
    async cycle(signal) {
      const limits = {
        signal,
        timeout: TIMEOUT * 1000,
        maxBuffer: MAX_OUTPUT,
        killSignal: 'SIGKILL',
        windowsHide: true,
      } as const;
      const { stdout } = await promisify(execFile)(command, ARGUMENTS, limits);
      reading = highestReading(stdout);
      if (reading === undefined) throw new Error(`it printed "${stdout.slice(0, 200).trim()}"`);
      report('reading', '');
      pause = INTERVAL / 2;
      return INTERVAL;
    },
    failed(error) {
      reading = undefined;
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (name !== 'AbortError') report(isAbsent ? 'absent' : 'failed', message);
      pause = isAbsent ? MAX_PAUSE : Math.min(MAX_PAUSE, pause * 2);
      return pause;
    },
  });
  return { read: () => reading, close: () => loop.stop() };
}

/** Logs changes only. */
function reporter(command: string, log: Log | undefined): (state: 'absent' | 'failed' | 'reading', complaint: string) => void {
  let reported: string | undefined;
  return (state, complaint) => {
    if (state === reported) return;
    reported = state;
    if (state === 'reading') log?.info('The load includes the GPU', { command });
    else if (state === 'absent') log?.info('No NVIDIA GPU found; load covers CPU and memory only', { command, complaint });
    else log?.warn('The GPU cannot be measured; load covers CPU and memory only', { command, complaint });
  };
}
