/** The lines of `monitor.csv`, with the original's header and columns. Pure. */

export const CSV_HEADER =
  'Timestamp, Webots running, Webots idle, CPU load, CPU memory, GPU load compute, GPU load memory, GPU memory, Swap, Disk, Network sent, Network received';

/** Percent where nothing else is said. */
export interface MonitorSample {
  /** Seconds since the epoch. */
  readonly wallTime: number;
  /** Sessions. */
  readonly running: number;
  readonly idle: number;
  readonly cpu: number;
  readonly memory: number;
  readonly gpu: number;
  readonly gpuMemory: number;
  readonly swap: number;
  readonly disk: number;
  /** Megabytes a second. */
  readonly sent: number;
  readonly received: number;
}

export function csvLine(sample: MonitorSample): string {
  const { wallTime, running, idle, cpu, memory, gpu, gpuMemory, swap, disk, sent, received } = sample;
  const percents = [cpu, memory, gpu, gpuMemory, gpuMemory, swap, disk].map((value) => value.toFixed(1));
  return [Math.floor(wallTime), running, idle, ...percents, sent.toFixed(6), received.toFixed(6)].join(', ');
}

/** Bytes sent and received by all interfaces together, from the text of `/proc/net/dev`. */
export function networkBytes(text: string): { readonly sent: number; readonly received: number } {
  let sent = 0;
  let received = 0;
  for (const line of text.split('\n')) {
    const columns = /^\s*[^\s:]+:\s*(?<columns>[0-9 ]+)$/.exec(line)?.groups?.['columns']?.trim().split(/ +/);
    received += Number(columns?.[0] ?? 0);
    sent += Number(columns?.[8] ?? 0);
  }
  return { sent, received };
}
