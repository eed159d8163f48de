/** Measures this machine: the load that `/load` reports, as the load agent does, and what the monitor page and `monitor.csv` have besides. */
import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { percentOf } from '../../agent/memory.ts';
import { thisMachine } from '../../agent/machine.ts';
import { startNvidiaSmi } from '../../agent/nvidia-smi.ts';
import { startSampler, type Measurement } from '../../agent/sampler.ts';
import { networkBytes, type MonitorSample } from '../../core/simulation/monitor-csv.ts';
import { startLoop } from '../../engine/loop.ts';
import type { Clock, Log } from '../../ports.ts';

export interface MachineMeter {
  /** Percent; `undefined` until the first sample is there. */
  load(): number | undefined;
  measurement(): Measurement | undefined;
  stop(): Promise<void>;
}

export interface MachineMeterOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Called once a second, when there is a measurement. */
  readonly sample?: (sample: Omit<MonitorSample, 'running' | 'idle'>) => void;
}

/** Seconds between two samples. */
const INTERVAL = 1;

export function startMachineMeter({ clock, log, sample }: MachineMeterOptions): MachineMeter {
  const gpu = startNvidiaSmi({ clock, log });
  // Websites drop a server that misses one poll, so the first sample has to do, as in the original.
  const sampler = startSampler({ clock, log, machine: thisMachine(), readGpu: () => gpu.read(), samplesNeeded: 1 });
  let before = { ...readNetwork(), at: clock.now() };
  const loop = startLoop({
    clock,
    delay: INTERVAL,
    async cycle() {
      const measurement = sampler.measurement();
      if (measurement === undefined || sample === undefined) return INTERVAL;
      const now = { ...readNetwork(), at: clock.now() };
      const rate = (key: 'sent' | 'received') => (now[key] - before[key]) / Math.max(0.001, now.at - before.at) / 1e6;
      const rates = { sent: rate('sent'), received: rate('received') };
      before = now;
      sample({ ...figuresOf(measurement), ...rates, wallTime: clock.wallTime(), disk: await diskPercent() });
      return INTERVAL;
    },
    failed: (error) => {
      log.limited('warn', 'monitor', 'this machine cannot be measured', { error });
      return INTERVAL;
    },
  });
  return {
    load: () => sampler.load(),
    measurement: () => sampler.measurement(),
    async stop() {
      await Promise.all([loop.stop(), sampler.stop(), gpu.close()]);
    },
  };
}

function figuresOf({ cpu, memory, swap, gpu }: Measurement) {
  return {
    ...{ cpu, memory: percentOf(memory), swap: percentOf(swap), gpu: gpu?.gpu ?? 0, gpuMemory: gpu?.gpuMemory ?? 0 },
  };
}

function readNetwork(): { readonly sent: number; readonly received: number } {
  try {
    return networkBytes(readFileSync('/proc/net/dev', 'latin1'));
  } catch {
    return { sent: 0, received: 0 };
  }
}

/** Of the root, as psutil counts it. */
async function diskPercent(): Promise<number> {
  const { blocks, bfree, bavail } = await statfs('/');
  const used = blocks - bfree;
  return used + bavail === 0 ? 0 : (100 * used) / (used + bavail);
}
