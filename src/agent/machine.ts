/** What the operating system reports about this machine. */
import { readFileSync } from 'node:fs';
import { cpus, freemem, totalmem } from 'node:os';
import { cpuTimesFromCpus, cpuTimesFromProcStat, type CpuTimes } from './cpu.ts';
import { memoryFromMeminfo, memoryFromTotals, type MemoryReading } from './memory.ts';

/** Both throw when the system does not say: *not known* must not look like *idle*. */
export interface Machine {
  cpuTimes(): CpuTimes;
  memory(): MemoryReading;
}

export function thisMachine(): Machine {
  return process.platform === 'linux' ? linux : otherSystem;
}

/** `/proc` is memory, so that reading it synchronously waits for nothing; `os.cpus()` reads a file for each processor besides. */
const linux: Machine = {
  cpuTimes: () => known(cpuTimesFromProcStat(readFileSync('/proc/stat', 'latin1')), '/proc/stat'),
  memory: () => known(memoryFromMeminfo(readFileSync('/proc/meminfo', 'latin1')), '/proc/meminfo'),
};

const otherSystem: Machine = {
  cpuTimes: () => known(cpuTimesFromCpus(cpus()), 'os.cpus()'),
  memory: () => memoryFromTotals(totalmem(), freemem()),
};

function known<T>(reading: T | undefined, source: string): T {
  if (reading === undefined) throw new Error(`${source} does not contain the expected values.`);
  return reading;
}
