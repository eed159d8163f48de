export { seededRandom } from '../../src/core/rehearsal/seeded-random.ts';

/** Exponentially distributed, with the given mean. */
export function exponential(random: () => number, mean: number): number {
  return -mean * Math.log(1 - random());
}
