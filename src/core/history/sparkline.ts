/**
 * A small chart as text: one character a bucket, so that the last hour of a thousand servers travels in 60 kB and needs no parsing. A space is a gap;
 * otherwise the character's code says the load in steps of two percent, up to 126 %.
 */
const FIRST = 33;
const PERCENT_PER_CODE = 2;
const MOST = 63;

/** `null`: a gap. Loads are percent. */
export function encodeSparkline(loads: readonly (number | null)[]): string {
  let text = '';
  for (const load of loads) {
    text += load === null ? ' ' : String.fromCharCode(FIRST + Math.max(0, Math.min(MOST, Math.round(load / PERCENT_PER_CODE))));
  }
  return text;
}

/** Anything but what `encodeSparkline` writes reads as a gap. */
export function decodeSparkline(text: string): (number | null)[] {
  return Array.from(text, (character) => {
    const code = character.charCodeAt(0) - FIRST;
    return code >= 0 && code <= MOST ? code * PERCENT_PER_CODE : null;
  });
}
