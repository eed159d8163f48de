/** Bytes that a folder takes on the disk. Links are not followed, and what disappears meanwhile is not counted. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

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
  let looking: Promise<boolean> | undefined;
  const isTooLarge = async () => (await Promise.all(folders.map(folderSize))).reduce((sum, size) => sum + size, 0) > limit;
  const timer = setInterval(() => {
    looking ??= isTooLarge().then((tooLarge) => {
      looking = undefined;
      if (tooLarge) exceeded();
      return tooLarge;
    });
  }, LOOK);
  try {
    await task();
    if (await isTooLarge()) exceeded();
  } finally {
    clearInterval(timer);
    await looking;
  }
}

/** Milliseconds between two measurements. */
const LOOK = 200;
