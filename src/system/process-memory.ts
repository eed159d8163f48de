/**
 * Settings of V8 that keep the memory of the process small. Each has its measured effect; `npm run bench -- start` and `npm run bench -- polling` print the
 * figures. They are set at run time so that the program behaves the same however it is started.
 */
import { setFlagsFromString } from 'node:v8';

/** Simulation servers above which speed of polling and the size of the old heap matter more than an idle process. */
const LARGE_FLEET = 2000;

/**
 * Runs `load`, which loads most of the program. Loading makes much garbage once, and the space for young objects would grow for it and keep its size: 6 to 20 MiB
 * for the rest of an idle life. It stays small until `load` has ended and may then grow under load as usual.
 */
export async function withSmallYoungHeap(load: () => Promise<void>): Promise<void> {
  setFlagsFromString('--semi-space-growth-factor=1');
  await load();
  if (!staysSmall) setFlagsFromString('--semi-space-growth-factor=2');
}

let staysSmall = false;

/** For a program that relays bytes and keeps little: 30 MiB less after a hundred sessions. */
export function keepYoungHeapSmall(): void {
  staysSmall = true;
}

/** Chooses between memory and speed by the number of simulation servers. Call it before the first poll. */
export function tuneForFleet(servers: number): void {
  if (servers > LARGE_FLEET) {
    // What is known of a server lives until its next poll, which is long enough to reach the old heap and to become garbage there. V8 lets that heap grow to
    // several times what is in use: 470 MiB instead of 240 with ten thousand servers. A smaller fleet gains little, and ten thousand allocations a second would
    // cost nearly twice as much.
    setFlagsFromString('--heap-growing-percent=25');
    return;
  }
  // undici parses HTTP answers with WebAssembly. Within seconds V8 compiles its one large function again with the optimizing compiler, and the allocator
  // never returns the 23 MiB that this needs: 10 MiB more on Node 20, 14 MiB on Node 24. The gain is about 3 µs of CPU a poll. No function has the index 0,
  // because it is an import.
  setFlagsFromString('--wasm-tier-up-filter=0');
}
