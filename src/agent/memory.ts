/** Memory and swap space in use. What the system would give away without swapping, such as its disk cache, is not in use. */

export interface Space {
  /** Bytes. */
  readonly used: number;
  /** Bytes; 0 for swap space that does not exist. */
  readonly total: number;
}

export interface MemoryReading {
  readonly memory: Space;
  readonly swap: Space;
}

/** From the text of `/proc/meminfo` (proc(5)); `undefined` when it is not such a text. */
export function memoryFromMeminfo(text: string): MemoryReading | undefined {
  const bytes = (name: string): number | undefined => {
    const kibibytes = new RegExp(`^${name}: +([0-9]+) kB$`, 'm').exec(text)?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  };
  const total = bytes('MemTotal');
  const free = bytes('MemFree');
  if (total === undefined || free === undefined) return undefined;
  // Before Linux 3.14 the system did not say what is available.
  const available = bytes('MemAvailable') ?? free + (bytes('Buffers') ?? 0) + (bytes('Cached') ?? 0);
  const swapTotal = bytes('SwapTotal') ?? 0;
  return { memory: space(total, available), swap: space(swapTotal, bytes('SwapFree') ?? 0) };
}

/** For other systems than Linux, from `os.totalmem()` and `os.freemem()`. Their swap space is not known and counts as unused. */
export function memoryFromTotals(total: number, free: number): MemoryReading {
  return { memory: space(total, free), swap: space(0, 0) };
}

/** 0 to 100; 0 for space that does not exist, as psutil has it. */
export function percentOf({ used, total }: Space): number {
  return total === 0 ? 0 : (100 * used) / total;
}

function space(total: number, free: number): Space {
  return { used: Math.min(total, Math.max(0, total - free)), total };
}
