/**
 * The texts of notifications. Subjects and first lines are in `notification-kinds.ts`; what the original does not have (why, how long) is on lines of its
 * own below.
 *
 * Names come from outside. They are put on one line and cut here, so that no channel can be made to show a forged line. A channel with markup also
 * escapes them.
 */
import type { Affected, Notification } from './incidents.ts';
import { notificationKinds, type NotificationKind } from './notification-kinds.ts';

export interface NotificationText {
  readonly subject: string;
  /** One sentence for each server. */
  readonly sentences: readonly string[];
  /** Why and how long; may be empty. */
  readonly details: readonly string[];
}

/** Servers that one text lists by name. Of the others it has the number. */
export const MAX_NAMED = 200;

export function textOf({ kind, servers }: Notification): NotificationText {
  const { subject, sentence } = notificationKinds[kind];
  const named = servers.slice(0, MAX_NAMED);
  const omitted = servers.length - named.length;
  const sentences =
    servers.length === 0 ? [sentence('', '')] : named.map(({ address, load }) => sentence(onOneLine(address), percent(load)));
  if (omitted > 0) sentences.push(`... and ${omitted} more.`);
  const details = named.flatMap((server) => detail(kind, server, servers.length === 1));
  return { subject, sentences, details };
}

/** Sentences and details as lines of one text, without a line feed at the end. */
export function plainText({ sentences, details }: NotificationText): string {
  return [...sentences, ...(details.length > 0 ? ['', ...details] : [])].join('\n');
}

/** The body of a mail. `remark` is a line about the message itself. */
export function mailText(text: NotificationText, monitorUrl: string, remark?: string): string {
  const parts = [
    'Hello,',
    plainText(text),
    ...(remark === undefined ? [] : [remark]),
    `Check it at ${monitorUrl}`,
    '-Simulation Server',
  ];
  return `${parts.join('\n\n')}\n`;
}

/** A name, or an answer, from outside: one line, at most 300 characters. */
export function onOneLine(text: string): string {
  const cut = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}...` : text;
  return cut.replace(UNPRINTABLE, '\ufffd');
}

/** Seconds in words, at most two units: `2 hours 5 minutes`. */
export function durationInWords(seconds: number): string {
  let rest = Math.max(0, Math.round(seconds));
  const words: string[] = [];
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) words.push(`${count} ${unit}${count === 1 ? '' : 's'}`);
    else if (words.length > 0) break;
    if (words.length === 2) break;
  }
  return words.length === 0 ? 'less than a second' : words.join(' ');
}

const MAX_LENGTH = 300;
/** Control characters, line and paragraph separators, halves of surrogate pairs, and the marks that turn the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const UNITS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;

function detail(kind: NotificationKind, { address, lasted, reason }: Affected, alone: boolean): string[] {
  const facts: string[] = [];
  const { ended } = notificationKinds[kind];
  if (ended !== undefined && lasted !== undefined) facts.push(`${ended} for ${durationInWords(lasted)}`);
  if (reason !== undefined) facts.push(onOneLine(reason));
  return facts
    .map((fact) => (alone ? `${fact.charAt(0).toUpperCase()}${fact.slice(1)}.` : `${onOneLine(address)}: ${fact}.`))
    .map(oneStop);
}

/** A reason may come with its own full stop. */
function oneStop(line: string): string {
  return line.replace(/\.\.$/, '.');
}

/**
 * At most two decimals, as the reports have them; `30`, not `30.0`
 * (docs/design/protocol.md, "Deliberate differences from the original").
 */
function percent(load: number | undefined): string {
  return load === undefined ? 'not known' : `${Math.round(load * 100) / 100}%`;
}
