/** Which stored projects are removed to free disk space. Pure. */

export interface Stored {
  readonly name: string;
  readonly bytes: number;
  /** Seconds; only the order counts. */
  readonly lastUsed: number;
  readonly inUse: boolean;
}

export interface Room {
  /** Bytes that all of them together may have. */
  readonly bytes: number;
  /** Bytes that are missing on the disk; 0 or less: enough is free. */
  readonly missing: number;
}

/** Least recently used first, never one in use. Names in the order in which they are to be removed. */
export function toEvict(stored: readonly Stored[], { bytes, missing }: Room): readonly string[] {
  let over = Math.max(stored.reduce((sum, one) => sum + one.bytes, 0) - bytes, missing);
  const names: string[] = [];
  for (const one of [...stored].sort((a, b) => a.lastUsed - b.lastUsed)) {
    if (over <= 0) break;
    if (one.inUse) continue;
    names.push(one.name);
    over -= one.bytes;
  }
  return names;
}
