/**
 * The output of `nvidia-smi`: a line for each GPU.
 *
 * With several, the highest figure of each kind counts. The original reads the first one alone, which hides a second that is exhausted; a mean would
 * hide a first that is, and simulations use the first one by default.
 */

/** Percent. */
export interface GpuReading {
  readonly gpu: number;
  readonly gpuMemory: number;
}

/** For `nvidia-smi --query-gpu=`, in the order in which `parseGpuLine` reads. */
export const GPU_COLUMNS = 'index,utilization.gpu,memory.used,memory.total';

/** `0, 35, 1024, 8192`; `undefined` for any other text. A figure that a GPU does not support (`[N/A]`) is 0, as in the original. */
export function parseGpuLine(line: string): GpuReading | undefined {
  const columns = line.split(',').map((column) => column.trim());
  const [index, gpu, used, total, ...more] = columns;
  if (index === undefined || !/^[0-9]{1,3}$/.test(index) || more.length > 0) return undefined;
  const figures = [gpu, used, total].map(figure);
  const [percent, usedMemory, totalMemory] = figures;
  if (percent === undefined || usedMemory === undefined || totalMemory === undefined) return undefined;
  return {
    gpu: Math.min(100, percent),
    gpuMemory: totalMemory === 0 ? 0 : Math.min(100, (100 * usedMemory) / totalMemory),
  };
}

/** The highest figures of all GPUs, or `undefined` without a line that is a reading. */
export function highestReading(output: string): GpuReading | undefined {
  const readings = output.split('\n').flatMap((line) => parseGpuLine(line) ?? []);
  if (readings.length === 0) return undefined;
  return { gpu: Math.max(...readings.map(({ gpu }) => gpu)), gpuMemory: Math.max(...readings.map(({ gpuMemory }) => gpuMemory)) };
}

function figure(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\[?(?:N\/A|Not Supported)\]?$/.test(text)) return 0;
  return /^[0-9]{1,9}(?:\.[0-9]{1,9})?$/.test(text) ? Number(text) : undefined;
}
