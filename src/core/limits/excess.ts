/**
 * Which holders to end so that the others hold at most half of `max` together: those that hold the most first. None while all of them hold at most `max`.
 * A limit for each holder alone would be either too small for one of them or too large for thousands.
 */
export function excessOf<T>(holders: Iterable<T>, bytesOf: (holder: T) => number, max: number): T[] {
  const held = Array.from(holders, (holder) => ({ holder, bytes: bytesOf(holder) }));
  let total = held.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total <= max) return [];
  const excess: T[] = [];
  for (const { holder, bytes } of held.sort((a, b) => b.bytes - a.bytes)) {
    if (total <= max / 2) break;
    total -= bytes;
    excess.push(holder);
  }
  return excess;
}
