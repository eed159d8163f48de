/**
 * Why a text is not JSON, for readers who are not programmers: line, column, what is wrong, what to do.
 *
 * `JSON.parse` reads the values; its messages differ between versions of Node, mostly name no position, and quote the text, which may hold a
 * password. This reader stores no values: it reads the text once, stops at the first fault, and notes keys that are given twice, which
 * `JSON.parse` hides.
 */
import { characterName } from './character-name.ts';
import type { KeyPath } from './problem.ts';

export type JsonCheck =
  | { readonly kind: 'ok'; readonly duplicates: readonly DuplicateKey[] }
  | { readonly kind: 'fault'; readonly line: number; readonly column: number; readonly fault: string; readonly fix: string };

export interface DuplicateKey {
  readonly path: KeyPath;
  /** Of the second occurrence. Lines count from 1. */
  readonly line: number;
}

/** A configuration has six levels; the limit keeps a hostile file from exhausting the stack. */
const MAX_DEPTH = 64;
const MAX_DUPLICATES = 100;

const NUMBER_OR_WORD = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y;
const WORD = /[A-Za-z_]+/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})/y;

/** Words from other languages, in small letters. */
const foreignWords: ReadonlyMap<string, readonly [fault: string, fix: string]> = new Map([
  ['true', ['true that is not in lower case', 'write true']],
  ['false', ['false that is not in lower case', 'write false']],
  ['null', ['null that is not in lower case', 'write null, or remove the key']],
  ['yes', ['yes, which is not part of JSON', 'write true']],
  ['on', ['on, which is not part of JSON', 'write true']],
  ['no', ['no, which is not part of JSON', 'write false']],
  ['off', ['off, which is not part of JSON', 'write false']],
  ['none', ['None, which is not part of JSON', 'remove the key']],
  ['undefined', ['undefined, which is not part of JSON', 'remove the key']],
]);

/** `text` without a byte order mark. */
export function checkJson(text: string): JsonCheck {
  const reader = new JsonReader(text);
  const fault = reader.read();
  if (fault === undefined) {
    const duplicates = reader.duplicates.map(({ path, at }) => ({ path, line: position(text, at).line }));
    return { kind: 'ok', duplicates };
  }
  return { kind: 'fault', ...position(text, fault.at), fault: fault.fault, fix: fault.fix };
}

interface Fault {
  readonly at: number;
  readonly fault: string;
  readonly fix: string;
}

/** Methods return the first fault, or `undefined` when they have read what they are named after. */
class JsonReader {
  readonly duplicates: { path: KeyPath; at: number }[] = [];
  readonly #text: string;
  readonly #path: (string | number)[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Fault | undefined {
    this.#skipSpace();
    const fault = this.#value();
    if (fault !== undefined) return fault;
    this.#skipSpace();
    if (this.#at === this.#text.length) return undefined;
    return (
      this.#hidden() ??
      this.#comment() ??
      this.#fault('more text after the end of the configuration', 'remove what follows the last bracket')
    );
  }

  #value(): Fault | undefined {
    const character = this.#text[this.#at];
    if (character === '{' || character === '[') {
      if (this.#path.length >= MAX_DEPTH)
        return this.#fault(`nested deeper than ${MAX_DEPTH} levels`, 'check the brackets before it');
      return character === '{' ? this.#object() : this.#list();
    }
    if (character === '"') return this.#string();
    const word = this.#match(NUMBER_OR_WORD);
    const follows = this.#text[this.#at + (word?.length ?? 0)] ?? ' ';
    if (word === undefined || /[\w.+-]/.test(follows)) return this.#notAValue();
    this.#at += word.length;
    return undefined;
  }

  #object(): Fault | undefined {
    const seen = new Set<string>();
    const opening = this.#at;
    return this.#entries('}', opening, () => {
      const start = this.#at;
      const fault = this.#text[start] === '"' ? this.#string() : this.#notAKey(opening);
      if (fault !== undefined) return fault;
      const key = String(JSON.parse(this.#text.slice(start, this.#at)));
      if (seen.has(key) && this.duplicates.length < MAX_DUPLICATES)
        this.duplicates.push({ path: [...this.#path, key], at: start });
      seen.add(key);
      this.#skipSpace();
      if (this.#text[this.#at] !== ':') return this.#noColon(opening);
      this.#at += 1;
      this.#skipSpace();
      return this.#below(key);
    });
  }

  #list(): Fault | undefined {
    let index = 0;
    return this.#entries(']', this.#at, () => this.#below(index++));
  }

  #below(step: string | number): Fault | undefined {
    this.#path.push(step);
    const fault = this.#value();
    this.#path.pop();
    return fault;
  }

  /** The entries between two brackets, separated by commas. */
  #entries(closing: '}' | ']', opening: number, entry: () => Fault | undefined): Fault | undefined {
    this.#at += 1;
    this.#skipSpace();
    if (this.#text[this.#at] === closing) {
      this.#at += 1;
      return undefined;
    }
    for (;;) {
      if (this.#at >= this.#text.length) return this.#endOfFile(opening);
      const fault = entry();
      if (fault !== undefined) return fault;
      this.#skipSpace();
      const separator = this.#text[this.#at];
      if (separator === closing) {
        this.#at += 1;
        return undefined;
      }
      if (separator !== ',') return this.#noComma(closing, opening);
      const comma = this.#at;
      this.#at += 1;
      this.#skipSpace();
      if (/[}\]]/.test(this.#text[this.#at] ?? ''))
        return this.#fault('a comma after the last entry', 'remove this comma', comma);
    }
  }

  #string(): Fault | undefined {
    const start = this.#at;
    for (this.#at += 1; ; this.#at += 1) {
      const character = this.#text[this.#at] ?? '\n';
      if (character === '"') {
        this.#at += 1;
        return undefined;
      }
      if (character === '\\') {
        const escape = this.#match(ESCAPE);
        if (escape === undefined) return this.#fault('a backslash that has no meaning in JSON', 'write a backslash twice: \\\\');
        this.#at += escape.length - 1;
      }
      if (character === '\t') return this.#fault('a tab inside quoted text', 'write \\t, or a space');
      if (character < ' ') return this.#fault('text whose closing quote is missing', 'put a double quote at its end', start);
    }
  }

  #notAKey(opening: number): Fault {
    if (this.#at >= this.#text.length) return this.#endOfFile(opening);
    if (this.#text[this.#at] === ',') return this.#fault('a comma with nothing before it', 'remove this comma');
    if (/[\w$]/.test(this.#text[this.#at] ?? '')) return this.#fault('a key without quotes', 'put the key between double quotes');
    return this.#quotes() ?? this.#hidden() ?? this.#comment() ?? this.#fault('no key', 'write the key between double quotes');
  }

  #noColon(opening: number): Fault {
    if (this.#at >= this.#text.length) return this.#endOfFile(opening);
    return this.#hidden() ?? this.#comment() ?? this.#fault('no colon after a key', 'write a colon between key and value');
  }

  #noComma(closing: '}' | ']', opening: number): Fault {
    if (this.#at >= this.#text.length) return this.#endOfFile(opening);
    const character = this.#text[this.#at] ?? '';
    if (/[}\]]/.test(character)) return this.#fault(`${character} in place of ${closing}`, 'check which bracket is open here');
    if (character === ';') return this.#fault('a semicolon', 'separate entries by commas');
    return this.#hidden() ?? this.#comment() ?? this.#fault('no comma between two entries', 'put a comma before this');
  }

  #notAValue(): Fault {
    const word = this.#match(WORD)?.toLowerCase();
    if (word !== undefined)
      return this.#fault(...(foreignWords.get(word) ?? ['text without quotes', 'put it between double quotes']));
    const character = this.#text[this.#at];
    if (character === undefined)
      return this.#fault('the end of the file in place of a value', 'write the rest of the configuration');
    if (/[,}\]]/.test(character)) return this.#fault('no value', 'write a value before this');
    if (/[0-9.+-]/.test(character))
      return this.#fault('not a number in JSON', 'write it like 5, 0.5 or -1, or between double quotes');
    return (
      this.#quotes() ??
      this.#hidden() ??
      this.#comment() ??
      this.#fault('a character that cannot begin a value', 'check this character')
    );
  }

  #quotes(): Fault | undefined {
    const character = this.#text[this.#at] ?? '';
    if (character === "'" || character === '`') return this.#fault('a single quote', 'use double quotes');
    if (/[\u2018-\u201f\u00ab\u00bb]/.test(character)) return this.#fault('a typographic quote', 'use straight double quotes');
    return undefined;
  }

  /** White space and invisible characters that JSON does not allow, as text from web pages brings along. */
  #hidden(): Fault | undefined {
    const [character] = /^(?:\s|\p{Cf})/u.exec(this.#text.slice(this.#at, this.#at + 2)) ?? [];
    return character === undefined ? undefined : this.#fault(`the invisible character ${characterName(character)}`, 'remove it');
  }

  #comment(): Fault | undefined {
    if (!/[/#]/.test(this.#text[this.#at] ?? '')) return undefined;
    return this.#fault('a comment, which JSON does not allow', 'remove it');
  }

  #endOfFile(opening: number): Fault {
    const bracket = this.#text[opening] === '{' ? '}' : ']';
    const { line, column } = position(this.#text, opening);
    return this.#fault(
      `the end of the file inside the bracket opened at line ${line}, column ${column}`,
      `write the rest, and "${bracket}" at its end`,
    );
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0];
  }

  #skipSpace(): void {
    while (' \t\n\r'.includes(this.#text[this.#at] ?? 'end')) this.#at += 1;
  }

  #fault(fault: string, fix: string, at: number = this.#at): Fault {
    return { at, fault, fix };
  }
}

function position(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at).split(/\r\n|\r|\n/);
  return { line: before.length, column: Array.from(before.at(-1) ?? '').length + 1 };
}
