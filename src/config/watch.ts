/**
 * Reports when the configuration file has changed, however that was done: written in place, replaced by renaming, deleted and made again, or by changing
 * a symbolic link on the way to it, as Kubernetes does. One `stat` a second sees all of these, on network file systems too; a watch of the operating
 * system stays with the old file, and sees nothing there.
 */
import { stat } from 'node:fs/promises';
import { startLoop, type Loop } from '../engine/loop.ts';
import type { Clock } from '../ports.ts';

export interface WatchOptions {
  readonly clock: Clock;
  /** Called once for each change, when the file stayed the same from one look to the next. The file may be gone. */
  readonly changed: () => void;
}

/** Seconds from one look to the next. */
const INTERVAL = 1;

/** Resolves once the file was looked at for the first time; later changes are reported. */
export async function watchConfiguration(file: string, { clock, changed }: WatchOptions): Promise<Loop> {
  let reported = await fingerprint(file);
  let seen = reported;
  return startLoop({
    clock,
    delay: INTERVAL,
    cycle: async (signal) => {
      const before = seen;
      seen = await fingerprint(file);
      if (seen === before && seen !== reported && !signal.aborted) {
        reported = seen;
        changed();
      }
      return INTERVAL;
    },
    failed: () => INTERVAL,
  });
}

/** Differs when the file differs; contents are not read. Permissions count, because the file may have become readable. */
async function fingerprint(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch {
    return 'missing';
  }
}
