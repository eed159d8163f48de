/**
 * What `nvidia-smi` prints about the graphics processors, a line for each at every round.
 *
 * With several, the highest figure of each kind counts. The original looks at the first one alone, which hides a second that is exhausted; a mean would
 * hide a first that is, and simulations use the first one unless told otherwise.
 */

/** Percent. */
export interface GpuReading {
  readonly gpu: number;
  readonly gpuMemory: number;
}

/** What `nvidia-smi --query-gpu=` is asked for, in the order `parseGpuLine` reads. */
export const GPU_COLUMNS = 'index,utilization.gpu,memory.used,memory.total';

/** Seconds after which a reading is not believed any more. */
const FRESH = 10;
const MAX_GPUS = 64;

export interface GpuLine extends GpuReading {
  readonly index: number;
}

/** `0, 35, 1024, 8192`; `undefined` for any other text. What a GPU does not support (`[N/A]`) is 0, as the original has it. */
export function parseGpuLine(line: string): GpuLine | undefined {
  const columns = line.split(',').map((column) => column.trim());
  const [index, gpu, used, total, ...more] = columns;
  if (index === undefined || !/^[0-9]{1,3}$/.test(index) || more.length > 0) return undefined;
  const figures = [gpu, used, total].map(figure);
  const [percent, usedMemory, totalMemory] = figures;
  if (percent === undefined || usedMemory === undefined || totalMemory === undefined) return undefined;
  return {
    index: Number(index),
    gpu: Math.min(100, percent),
    gpuMemory: totalMemory === 0 ? 0 : Math.min(100, (100 * usedMemory) / totalMemory),
  };
}

/** The last reading of each GPU. */
export class GpuReadings {
  readonly #byIndex = new Map<number, { reading: GpuReading; at: number }>();

  /** `at` is seconds. */
  add({ index, ...reading }: GpuLine, at: number): void {
    if (this.#byIndex.size < MAX_GPUS || this.#byIndex.has(index)) this.#byIndex.set(index, { reading, at });
  }

  /** The highest figures of the last ten seconds, or `undefined` when there are none. */
  highest(now: number): GpuReading | undefined {
    let highest: GpuReading | undefined;
    for (const { reading, at } of this.#byIndex.values()) {
      if (now - at > FRESH) continue;
      highest = {
        gpu: Math.max(highest?.gpu ?? 0, reading.gpu),
        gpuMemory: Math.max(highest?.gpuMemory ?? 0, reading.gpuMemory),
      };
    }
    return highest;
  }
}

function figure(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\[?(?:N\/A|Not Supported)\]?$/.test(text)) return 0;
  return /^[0-9]{1,9}(?:\.[0-9]{1,9})?$/.test(text) ? Number(text) : undefined;
}
