/**
 * What may be logged: a copy of any value, without secrets and of bounded size.
 *
 * This is done here and not by pino's `redact`, because that knows exact paths of exact spelling (`password`, `*.password`): it lets
 * `mailSenderPassword`, `Authorization` and everything deeper through, and neither looks into texts nor limits sizes.
 */
import { REDACTED, withoutSecrets } from '../core/text/secrets.ts';
import type { LogFields } from '../ports.ts';

const SECRET_KEY = /pass(?:word|wd|phrase)|secret|token|authorization|cookie|credential|(?:api|private)[-_]?key/i;

const MAX_TEXT = 4096;
/** More is not even searched for secrets. */
const MAX_SEARCHED = 16_384;
const MAX_DEPTH = 5;
const DECIMALS = 3;
const MAX_VALUES = 200;
/** Of all texts in the fields of one line together. */
const MAX_CHARACTERS = 8192;

/** The text without passwords in URLs, and cut at 4096 characters. */
export function loggableText(text: string): string {
  const searched = withoutSecrets(text.length > MAX_SEARCHED ? text.slice(0, MAX_SEARCHED) : text);
  if (text.length <= MAX_SEARCHED && searched.length <= MAX_TEXT) return searched;
  const kept = searched.slice(0, MAX_TEXT);
  return `${kept}… (truncated, ${text.length} characters)`;
}

/** A copy of the fields: values of keys such as `password` hidden, at most five levels, 200 values and 8192 characters, errors as plain objects. */
export function loggableFields(fields: LogFields): Record<string, unknown> {
  return copyObject(fields, 1, { values: MAX_VALUES, characters: MAX_CHARACTERS });
}

interface Budget {
  values: number;
  characters: number;
}

function copyObject(object: object, depth: number, budget: Budget): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined || key === '__proto__') continue;
    if (budget.values-- <= 0) {
      copy['…'] = 'more was cut';
      break;
    }
    copy[copyText(key.slice(0, 200), budget)] = hides(key, value) ? REDACTED : copyValue(value, depth, budget);
  }
  return copy;
}

/** The log may say whether there is a password, but not the password. */
function hides(key: string, value: unknown): boolean {
  return typeof value !== 'boolean' && value !== null && SECRET_KEY.test(key);
}

function copyValue(value: unknown, depth: number, budget: Budget): unknown {
  switch (typeof value) {
    case 'string':
      return copyText(value, budget);
    case 'number':
      return Number.isFinite(value) ? readable(value) : String(value);
    case 'boolean':
    case 'undefined':
      return value;
    case 'bigint':
    case 'symbol':
      return copyText(value.toString(), budget);
    case 'function':
      return '[function]';
    case 'object':
      return value === null ? null : copyReference(value, depth, budget);
  }
}

/** Sums of seconds and loads have fifteen decimals of noise. */
function readable(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toFixed(DECIMALS));
}

function copyReference(value: object, depth: number, budget: Budget): unknown {
  if (value instanceof URL) return copyText(value.href, budget);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return Array.isArray(value) ? '[array]' : '[object]';
  if (value instanceof Error) return copyError(value, depth, budget);
  if (value instanceof Map) return copyObject(Object.fromEntries(value) as object, depth + 1, budget);
  if (Array.isArray(value) || value instanceof Set) return copyItems([...value], depth + 1, budget);
  return copyObject(value, depth + 1, budget);
}

function copyItems(items: readonly unknown[], depth: number, budget: Budget): unknown[] {
  const copy: unknown[] = [];
  for (const item of items) {
    if (budget.values-- <= 0) {
      copy.push(`… ${items.length - copy.length} more`);
      break;
    }
    copy.push(copyValue(item, depth, budget));
  }
  return copy;
}

function copyText(text: string, budget: Budget): string {
  const shown = loggableText(text);
  const room = Math.max(0, budget.characters);
  budget.characters -= shown.length;
  return shown.length <= room ? shown : `${shown.slice(0, room)}…`;
}

/** A failure of the outside world has a code, of ours or of the operating system: the place in the program where it was noticed does not help. Node's own begin with `ERR_` and are mistakes. */
function isOfTheOutside(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && !error.code.startsWith('ERR_');
}

/** `message` and `stack` are not enumerable, so that a plain copy of an error would be empty. */
function copyError(error: Error, depth: number, budget: Budget): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  const own = copyObject(error, depth + 1, budget);
  return {
    type: copyText(name, budget),
    message: copyText(message, budget),
    ...own,
    ...(stack !== undefined && !isOfTheOutside(error) && { stack: copyText(stack, budget) }),
    ...(cause !== undefined && { cause: copyValue(cause, depth + 1, budget) }),
  };
}
