/** `2026-11-22T15:18:24Z`. `time` is seconds since the epoch; fractions are dropped. */
export function isoTime(time: number): string {
  return new Date(Math.floor(time) * 1000).toISOString().replace('.000', '');
}
