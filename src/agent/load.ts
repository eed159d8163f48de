/**
 * The load a simulation server reports (docs/design/protocol.md, "Simulation servers"): the mean of the last five
 * one-second samples of `max(CPU, (swap + memory + GPU memory) / 3, GPU)`.
 *
 * Without a GPU its two figures are 0 and memory is still divided by three, as the original does: the same machine must report the same load whichever
 * program measures it.
 */

/** Percent. */
export interface Figures {
  readonly cpu: number;
  readonly memory: number;
  readonly swap: number;
  /** Absent: there is no GPU, or none that answers. */
  readonly gpu?: number;
  readonly gpuMemory?: number;
}

/** Percent. */
export function loadOf({ cpu, memory, swap, gpu = 0, gpuMemory = 0 }: Figures): number {
  return Math.max(cpu, (swap + memory + gpuMemory) / 3, gpu);
}

const SAMPLES = 5;
/** Seconds. After a longer gap, in which the machine slept or could not be measured, older samples say nothing. */
const MAX_GAP = 5;

export class LoadWindow {
  readonly #needed: number;
  #samples: number[] = [];
  #youngestAt = -Infinity;

  /** `needed`: samples before there is a mean. */
  constructor(needed = SAMPLES) {
    this.#needed = needed;
  }

  /** `at` is seconds. */
  add(load: number, at: number): void {
    if (at - this.#youngestAt > MAX_GAP) this.#samples = [];
    if (this.#samples.length === SAMPLES) this.#samples.shift();
    this.#samples.push(load);
    this.#youngestAt = at;
  }

  /** Percent; `undefined` until there are enough samples, and when the youngest is too old to be true. */
  mean(now: number): number | undefined {
    if (this.#samples.length < this.#needed || now - this.#youngestAt > MAX_GAP) return undefined;
    return this.#samples.reduce((sum, load) => sum + load, 0) / this.#samples.length;
  }
}
