/**
 * A small chart as text: one character for each bucket, so that the last hour of a thousand servers takes 60 kB and needs no parsing. A space is a gap;
 * otherwise the character's code is the load in steps of two percent, up to 126%.
 */
const FIRST = 33;
const PERCENT_PER_CODE = 2;
const MAX_CODE = 63;

/** `null`: a gap. Loads are percent. */
export function encodeSparkline(loads: readonly (number | null)[]): string {
  let text = '';
  for (const load of loads) {
    text +=
      load === null ? ' ' : String.fromCharCode(FIRST + Math.max(0, Math.min(MAX_CODE, Math.round(load / PERCENT_PER_CODE))));
  }
  return text;
}

/** Characters that `encodeSparkline` does not write read as gaps. */
export function decodeSparkline(text: string): (number | null)[] {
  return Array.from(text, (character) => {
    const code = character.charCodeAt(0) - FIRST;
    return code >= 0 && code <= MAX_CODE ? code * PERCENT_PER_CODE : null;
  });
}
