/** The keys of both configurations, that of the session server and that of the simulation server, from their schemas. */
import { allKeys, expectation, rootOf, type KeyInfo } from '../../src/config/keys.ts';
import { originalKeys } from '../../src/config/schema.ts';
import { originalKeys as originalSimulationKeys, schema as simulationSchema } from '../../src/simulation/settings/schema.ts';
import { listItem, wrapped } from './layout.ts';

type Keys = ReadonlyMap<string, KeyInfo>;

interface Group {
  readonly title: string;
  readonly text: string;
  /** The keys, in the order of the schema. */
  readonly has: (key: string) => boolean;
}

/** A section for each group, and in it one for each key. */
export function configurationKeys(): string {
  const entries: readonly Group[] = [
    {
      title: 'An entry of `simulationServers`',
      text: 'An entry is an address in quotes, or an object with these keys.',
      has: (key) => key.startsWith('simulationServers[].'),
    },
    { title: 'An entry of `webhooks`', text: '', has: (key) => key.startsWith('webhooks[].') },
  ];
  return sections(allKeys(), 'session server', originalKeys, entries);
}

/** The same for the simulation server. */
export function simulationConfigurationKeys(): string {
  return sections(allKeys(rootOf(simulationSchema)), 'simulation server', originalSimulationKeys, []);
}

/** Every key is in exactly one group. */
function sections(keys: Keys, program: string, original: readonly string[], entries: readonly Group[]): string {
  const groups: readonly Group[] = [
    {
      title: `Keys of the original ${program}`,
      text: 'A configuration file of the original works without a change.',
      has: (key) => original.includes(key),
    },
    {
      title: 'Further keys',
      text: 'All of these are optional.',
      has: (key) => !original.includes(key) && !/[.[]/.test(key) && !isSection(keys, key),
    },
    ...entries,
    ...[...keys]
      .filter(([key]) => isSection(keys, key))
      .map(([name, { description }]) => ({
        title: `\`${name}\``,
        text: description,
        has: (key: string) => !isSection(keys, key) && sectionOf(keys, key) === name,
      })),
  ];
  return groups.map((group) => section(keys, group)).join('\n');
}

/** The innermost section of a key. */
function sectionOf(keys: Keys, key: string): string | undefined {
  for (let end = key.lastIndexOf('.'); end > 0; end = key.lastIndexOf('.', end - 1))
    if (isSection(keys, key.slice(0, end))) return key.slice(0, end);
  return undefined;
}

function isSection(keys: Keys, key: string): boolean {
  return (keys.get(key)?.keys.size ?? 0) > 0;
}

function section(keys: Keys, { title, text, has }: Group): string {
  const entries = [...keys].filter(([key]) => has(key)).map(([key, info]) => entry(key, info));
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
