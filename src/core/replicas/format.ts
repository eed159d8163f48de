/**
 * The format of what replicas share, a number that rises when an older version could not read it any more. Versions whose formats are neighbours work together:
 * as long as one replica does not know the newer format, all write the older one.
 */

/** The newest format that this version reads and writes. */
export const FORMAT = 1;
/** The oldest one. */
export const OLDEST_FORMAT = 1;
/** Where the format that is written now is. */
export const FORMAT_KEY = 'format';

/** `text`: what is at `FORMAT_KEY`; absent: nothing is shared yet. Whether this version can lead with it. */
export function isReadable(text: string | undefined): boolean {
  const format = readFormat(text);
  return text === undefined || (format !== undefined && format >= OLDEST_FORMAT && format <= FORMAT);
}

/** What a leader writes: it raises the format when every replica knows the newer one, and never lowers it. `known`: the newest formats of all replicas. */
export function formatToWrite(text: string | undefined, known: readonly number[]): number {
  return Math.max(readFormat(text) ?? OLDEST_FORMAT, Math.min(FORMAT, ...known.filter((format) => format >= OLDEST_FORMAT)));
}

export function readFormat(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,5}$/.test(text) ? Number(text) : undefined;
}
