/**
 * One line of the log as the original writes it (docs/design/protocol.md, "Configuration file"), in the words of
 * Python's logging: `%(asctime)s [%(levelname)-7s]  %(message)s`, local
 * time. Fields follow the message as `key=value`, so that one `grep` finds them.
 */
import { printable } from './control-characters.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogRecord {
  readonly level: LogLevel;
  /** Seconds since the epoch. */
  readonly wallTime: number;
  readonly message: string;
  /** As `loggableFields` returned them: plain values, no cycles. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Characters of a line; above it the fields are truncated. */
export const MAX_LINE = 16_384;

/** Ends with a line feed and contains no other. */
export function textLine({ level, wallTime, message, fields }: LogRecord): string {
  let line = `${timestamp(wallTime)} [${LEVEL_NAMES[level]}]  ${printable(message)}`;
  if (fields !== undefined) line += fieldsText(fields, '', 1);
  if (line.length > MAX_LINE) line = `${printable(line.slice(0, MAX_LINE))}… (cut)`;
  return `${line}\n`;
}

/** Padded to seven characters. */
const LEVEL_NAMES: Readonly<Record<LogLevel, string>> = { debug: 'DEBUG  ', info: 'INFO   ', warn: 'WARNING', error: 'ERROR  ' };

let lastSecond = Number.NaN;
let lastSecondText = '';

/** `2026-11-22 15:18:24,789`. The calendar is asked once a second: it costs more than the rest of the line. */
function timestamp(wallTime: number): string {
  const milliseconds = Math.round(wallTime * 1000);
  const second = Math.floor(milliseconds / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastSecondText = localTime(new Date(second * 1000));
  }
  return `${lastSecondText},${pad(milliseconds - second * 1000, 3)}`;
}

function localTime(date: Date): string {
  const day = `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1, 2)}-${pad(date.getDate(), 2)}`;
  return `${day} ${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}`;
}

function pad(number: number, digits: number): string {
  return String(number).padStart(digits, '0');
}

/** Objects one level deep become `server.id=…`; deeper ones are written as JSON. */
function fieldsText(fields: Readonly<Record<string, unknown>>, prefix: string, depth: number): string {
  let text = '';
  for (const [key, value] of Object.entries(fields)) {
    const name = prefix + (/^[\w.-]+$/.test(key) ? key : quoted(key));
    text += depth === 1 && isRecord(value) ? fieldsText(value, `${name}.`, 2) : ` ${name}=${valueText(value)}`;
  }
  return text;
}

function valueText(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"\\=]+$/.test(value) ? printable(value) : quoted(value);
  return printable(JSON.stringify(value));
}

function quoted(text: string): string {
  return `"${printable(text.replace(/["\\]/g, '\\$&'))}"`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
