/**
 * Old files of the log: `output.log.1` is the youngest, `output.log.10` the oldest, as Python's RotatingFileHandler
 * names them (docs/design/protocol.md, "Configuration file").
 */
import { existsSync, renameSync, rmSync } from 'node:fs';

/**
 * Makes room for a new `path`: it becomes `path.1`, `path.1` becomes `path.2` …; the oldest of `keep` is overwritten. Throws what `renameSync` throws.
 *
 * Only the files before the first gap are moved, so that an attempt that failed in the middle costs no old file when it is repeated.
 */
export function rotate(path: string, keep: number): void {
  if (keep === 0) {
    rmSync(path);
    return;
  }
  let last = 1;
  while (last < keep && existsSync(`${path}.${last}`)) last += 1;
  for (let number = last - 1; number >= 1; number -= 1) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
  renameSync(path, `${path}.1`);
}
