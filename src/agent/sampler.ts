/** Measures this machine once a second. */
import { startLoop } from '../engine/loop.ts';
import type { Clock, Log } from '../ports.ts';
import { cpuPercent, type CpuTimes } from './cpu.ts';
import type { GpuReading } from './gpu.ts';
import { loadOf, LoadWindow } from './load.ts';
import type { Machine } from './machine.ts';
import { percentOf, type MemoryReading } from './memory.ts';

/** The last sample. */
export interface Measurement extends MemoryReading {
  /** Percent. */
  readonly cpu: number;
  /** Absent: there is no GPU, or none that answers. */
  readonly gpu?: GpuReading;
}

export interface Sampler {
  /** `undefined` until there is one. */
  measurement(): Measurement | undefined;
  /** Percent, the mean that `/load` reports; `undefined` while it is not known. */
  load(): number | undefined;
  stop(): Promise<void>;
}

export interface SamplerOptions {
  readonly clock: Clock;
  readonly machine: Machine;
  readonly readGpu: () => GpuReading | undefined;
  readonly log?: Log;
  /** Samples before the load is known; five by default. */
  readonly samplesNeeded?: number;
}

/** Seconds between two samples. */
const INTERVAL = 1;

export function startSampler({ clock, machine, readGpu, log, samplesNeeded }: SamplerOptions): Sampler {
  const samples = new LoadWindow(samplesNeeded);
  let measurement: Measurement | undefined;
  let before: CpuTimes | undefined;
  let failing = false;

  const loop = startLoop({
    clock,
    cycle() {
      const after = machine.cpuTimes();
      const cpu = before === undefined ? undefined : cpuPercent(before, after);
      before = after;
      if (cpu !== undefined) {
        measurement = measured(cpu, machine.memory(), readGpu());
        samples.add(loadOfMeasurement(measurement), clock.now());
      }
      failing = false;
      return INTERVAL;
    },
    failed(error) {
      measurement = undefined;
      if (!failing) log?.error('The load of this machine cannot be measured', { error });
      failing = true;
      return INTERVAL;
    },
  });

  return {
    measurement: () => measurement,
    load: () => samples.mean(clock.now()),
    stop: () => loop.stop(),
  };
}

function measured(cpu: number, reading: MemoryReading, gpu: GpuReading | undefined): Measurement {
  return { cpu, ...reading, ...(gpu !== undefined && { gpu }) };
}

function loadOfMeasurement({ cpu, memory, swap, gpu }: Measurement): number {
  return loadOf({ cpu, memory: percentOf(memory), swap: percentOf(swap), ...gpu });
}
