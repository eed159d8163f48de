/**
 * How busy all processors together were between two readings. Waiting for the disk counts as idle, time stolen by a hypervisor as busy, and time of
 * virtual machines once, as psutil does, by which the original measures.
 */
import type { CpuInfo } from 'node:os';

/** Time since the machine started, in any unit. */
export interface CpuTimes {
  readonly busy: number;
  readonly total: number;
}

/** From the text of `/proc/stat` (proc(5)); `undefined` when it is not such a text. */
export function cpuTimesFromProcStat(text: string): CpuTimes | undefined {
  const line = /^cpu +([0-9 ]+)/.exec(text)?.[1];
  if (line === undefined) return undefined;
  // user nice system idle iowait irq softirq steal; guest times follow, and are in user and nice already.
  const times = line.trim().split(/ +/).slice(0, 8).map(Number);
  if (times.length < 4) return undefined;
  const total = times.reduce((sum, time) => sum + time, 0);
  const idle = (times[3] ?? 0) + (times[4] ?? 0);
  return { busy: total - idle, total };
}

/** From `os.cpus()`, for other systems than Linux; `undefined` where it knows no processor. */
export function cpuTimesFromCpus(cpus: readonly Pick<CpuInfo, 'times'>[]): CpuTimes | undefined {
  let busy = 0;
  let idle = 0;
  for (const { times } of cpus) {
    busy += times.user + times.nice + times.sys + times.irq;
    idle += times.idle;
  }
  return busy + idle === 0 ? undefined : { busy, total: busy + idle };
}

/** Percent, 0 to 100; `undefined` when no time passed between the readings. */
export function cpuPercent(before: CpuTimes, after: CpuTimes): number | undefined {
  const total = after.total - before.total;
  if (total <= 0) return undefined;
  // Linux may count waiting for the disk backwards.
  const busy = Math.min(total, Math.max(0, after.busy - before.busy));
  return (100 * busy) / total;
}
