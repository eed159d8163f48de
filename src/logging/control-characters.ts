/**
 * Text from outside must not forge a line of the log, nor command the terminal of the person who reads it
 * (docs/design/protocol.md, "Configuration file").
 *
 * Escaped are: control characters (with carriage return, line feed, escape and the C1 range that terminals obey), the line and paragraph separators
 * that some programs take for an end of line, the marks that turn the direction of writing, and halves of surrogate pairs.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;
const EVERY_UNPRINTABLE = new RegExp(UNPRINTABLE, 'gu');
/** JSON has escaped the range below 0x20 already; its line feed at the end must stay. */
const UNPRINTABLE_IN_JSON = /[\u007f-\u009f\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;
const EVERY_UNPRINTABLE_IN_JSON = new RegExp(UNPRINTABLE_IN_JSON, 'gu');

/** The text with `\n`, `\x1b`, `\u2028` … written out. */
export function printable(text: string): string {
  return UNPRINTABLE.test(text) ? text.replace(EVERY_UNPRINTABLE, escape) : text;
}

/** The same for a line of JSON, which stays the same JSON. */
export function printableJson(line: string): string {
  return UNPRINTABLE_IN_JSON.test(line) ? line.replace(EVERY_UNPRINTABLE_IN_JSON, unicodeEscape) : line;
}

function escape(character: string): string {
  switch (character) {
    case '\n':
      return '\\n';
    case '\r':
      return '\\r';
    case '\t':
      return '\\t';
    default:
      return character.charCodeAt(0) < 0x100 ? `\\x${hexadecimal(character, 2)}` : unicodeEscape(character);
  }
}

function unicodeEscape(character: string): string {
  return `\\u${hexadecimal(character, 4)}`;
}

function hexadecimal(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, '0');
}
