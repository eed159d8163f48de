/** Bytes that a folder takes on the disk. Links are not followed, and what disappears meanwhile is not counted. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

export async function folderSize(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const stats = await lstat(join(entry.parentPath, entry.name)).catch(() => undefined);
    bytes += stats === undefined ? 0 : stats.blocks * 512;
  }
  return bytes;
}

/** Calls `exceeded` once when the folders together have grown above `limit`, while `task` runs or when it has ended. */
export async function watchingSize(
  folders: readonly string[],
  limit: number,
  exceeded: () => void,
  task: () => Promise<void>,
): Promise<void> {
  const isTooLarge = async () => (await Promise.all(folders.map(folderSize))).reduce((sum, size) => sum + size, 0) > limit;
  const done = new AbortController();
  const watching = (async () => {
    let pause = MIN_PAUSE;
    while (await sleeps(pause, done.signal)) {
      const began = performance.now();
      if (await isTooLarge()) exceeded();
      // A folder with many files takes long to measure, and others wait meanwhile.
      pause = Math.max(MIN_PAUSE, PAUSE_FACTOR * (performance.now() - began));
    }
  })();
  try {
    await task();
    if (await isTooLarge()) exceeded();
  } finally {
    done.abort();
    await watching;
  }
}

/** Milliseconds between two measurements at least, and in measurements. */
const MIN_PAUSE = 200;
const PAUSE_FACTOR = 10;

/** `false`: it was aborted. */
function sleeps(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  return setTimeout(milliseconds, true, { signal }).catch(() => false);
}
