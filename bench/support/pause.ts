import { setTimeout as sleep } from 'node:timers/promises';

export async function pause(seconds: number): Promise<void> {
  await sleep(seconds * 1000);
}

/** Asks until the answer satisfies; throws after `seconds`. Returns the seconds it took. */
export async function until(what: string, seconds: number, every: number, satisfied: () => Promise<boolean>): Promise<number> {
  const began = performance.now();
  for (;;) {
    if (await satisfied()) return (performance.now() - began) / 1000;
    if (performance.now() - began > seconds * 1000) throw new Error(`${what}: not within ${seconds} s`);
    await pause(every);
  }
}
