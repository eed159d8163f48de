/**
 * What people read. Subjects and first lines are the original's, word for word, because operators filter on them
 * (docs/design/protocol.md, "Notifications by e-mail"); what ours adds (why,
 * how long) stands on lines of its own below.
 *
 * Names come from outside. They are put on one line and cut here, so that no channel can be made to show a forged line; a channel with markup escapes
 * them besides.
 */
import type { Affected, Notification, NotificationKind } from './incidents.ts';

export interface NotificationText {
  readonly subject: string;
  /** One sentence for each server. */
  readonly sentences: readonly string[];
  /** Why and how long; may be empty. */
  readonly details: readonly string[];
}

/** Servers that are listed by name in one text; of more the number is told. */
export const mostNamed = 200;

const subjects: Readonly<Record<NotificationKind, string>> = {
  down: 'Simulation server not responding',
  recovered: 'Simulation server working again',
  full: 'Simulation server reached maximum load',
  available: 'Simulation server available again',
  suspect: 'Simulation server suspected of failing',
  certificate: 'Certificate of the session server needs attention',
  test: 'Test message of the session server',
};

export function textOf({ kind, servers }: Notification): NotificationText {
  const named = servers.slice(0, mostNamed);
  const omitted = servers.length - named.length;
  const sentences = kind === 'test' ? [TEST] : named.map((server) => sentence(kind, server));
  if (omitted > 0) sentences.push(`... and ${omitted} more.`);
  const details = named.flatMap((server) => detail(kind, server, servers.length === 1));
  return { subject: subjects[kind], sentences, details };
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
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
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

const TEST = 'This is a test: notifications of the session server reach you here.';
const LONGEST = 300;
/** Control characters, line and paragraph separators, halves of surrogate pairs, and the marks that turn the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const UNITS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;

function sentence(kind: Exclude<NotificationKind, 'test'>, server: Affected): string {
  const name = onOneLine(server.address);
  const load = percent(server.load);
  switch (kind) {
    case 'down':
      return `${name} simulation server may be down, as it is not responding to the requests of the session server...`;
    case 'recovered':
      return `${name} simulation server is up and running again (load = ${load}).`;
    case 'full':
      return `${name} simulation server has reached maximum load (${load}).`;
    case 'available':
      return `${name} simulation server is available again (load = ${load}).`;
    case 'suspect':
      return `${name} simulation server may be failing, as it still looks idle (load = ${load}) although sessions were handed out to it.`;
    case 'certificate':
      return `The certificate of ${name} needs attention.`;
  }
}

function detail(kind: NotificationKind, { address, lasted, reason }: Affected, alone: boolean): string[] {
  const facts: string[] = [];
  if (lasted !== undefined)
    facts.push(`${kind === 'available' ? 'it was full' : 'it was not responding'} for ${durationInWords(lasted)}`);
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
