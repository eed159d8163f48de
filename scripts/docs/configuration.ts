/** The keys of the configuration, from its schema. */
import { allKeys, expectation, type KeyInfo } from '../../src/config/keys.ts';
import { originalKeys } from '../../src/config/schema.ts';
import { listItem, wrapped } from './layout.ts';

interface Group {
  readonly title: string;
  readonly text: string;
  /** The keys, in the order of the schema. */
  readonly has: (key: string) => boolean;
}

/** Every key is in exactly one of them. */
const groups: readonly Group[] = [
  {
    title: 'Keys of the original session server',
    text: 'A configuration file of the original works without a change.',
    has: (key) => originalKeys.includes(key),
  },
  {
    title: 'Further keys',
    text: 'All of these are optional.',
    has: (key) => !originalKeys.includes(key) && !/[.[]/.test(key) && !isSection(key),
  },
  {
    title: 'An entry of `simulationServers`',
    text: 'An entry is an address in quotes, or an object with these keys.',
    has: (key) => key.startsWith('simulationServers[].'),
  },
  { title: 'An entry of `webhooks`', text: '', has: (key) => key.startsWith('webhooks[].') },
  ...[...allKeys()]
    .filter(([key]) => isSection(key))
    .map(([section, { description }]) => ({
      title: `\`${section}\``,
      text: description,
      has: (key: string) => !isSection(key) && sectionOf(key) === section,
    })),
];

/** A section for each group, and in it one for each key. */
export function configurationKeys(): string {
  return groups.map(section).join('\n');
}

/** The innermost section of a key. */
function sectionOf(key: string): string | undefined {
  for (let end = key.lastIndexOf('.'); end > 0; end = key.lastIndexOf('.', end - 1))
    if (isSection(key.slice(0, end))) return key.slice(0, end);
  return undefined;
}

function isSection(key: string): boolean {
  return (allKeys().get(key)?.keys.size ?? 0) > 0;
}

function section({ title, text, has }: Group): string {
  const entries = [...allKeys()].filter(([key]) => has(key)).map(([key, info]) => entry(key, info));
  const about = text === '' ? '' : `${wrapped(text)}\n\n`;
  return `## ${title}\n\n${about}${entries.join('\n')}`;
}

function entry(key: string, info: KeyInfo): string {
  const facts = [`Default: ${defaultOf(info)}`, `Allowed: ${allowed(info)}`];
  if (info.restart) facts.push('A change takes effect after a restart.');
  return [`### \`${key}\``, '', wrapped(info.description), '', ...facts.map(listItem), ''].join('\n');
}

function defaultOf(info: KeyInfo): string {
  if (info.absent !== undefined) return info.absent;
  if (info.default !== undefined) return `\`${JSON.stringify(info.default)}\``;
  return info.required ? '**required**' : 'none';
}

/** Shorter than in messages, where the reader has not chosen to read a reference. */
function allowed(info: KeyInfo): string {
  if (info.type === 'boolean') return '`true`, `false`';
  return info.words.length > 0 ? info.words.map((word) => `\`"${word}"\``).join(', ') : expectation(info);
}
