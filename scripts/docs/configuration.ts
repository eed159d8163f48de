/** The reference page of the configuration, from its schema. */
import { allKeys, expectation, type KeyInfo } from '../../src/config/keys.ts';
import { originalKeys } from '../../src/config/schema.ts';
import { listItem, wrapped } from './layout.ts';

const introduction = `<!-- Written by scripts/generate-docs.mjs from the configuration schema. Change the schema, not this page. -->

# Configuration

The configuration is one JSON file. \`session-server path/to/config.json\` starts the program with it. Without an argument, the
program reads \`config/session/local.json\` of the working directory, or else the one that comes with the package.
[\`config/session/example.json\`](../../config/session/example.json) is a good start. The smallest configuration that works:

\`\`\`json
{ "simulationServers": ["localhost:2000"], "ssl": false, "portRewrite": false }
\`\`\`

- **Check it** before you use it: \`session-server check config.json\` lists every error and warning, and how to fix each. The exit
  code is 2 if there is an error. With \`--strict\`, warnings count as errors.
- **Warnings** do not stop the program: an unknown key (ignored), a server listed twice (counted once), a mail key without its
  partner (e-mail is disabled), an address that does not fit \`portRewrite\`, a key given twice (the last one counts).
- **Editor support**: with \`"$schema": "./schema.json"\` in the file, and the path of \`config/session/schema.json\`, editors
  complete and check keys. \`session-server schema\` prints the schema.
- **Changes** take effect when you save the file, and on SIGHUP, without dropping a connection. A file with errors is rejected, and
  the current configuration stays active. Some keys need a restart; their entry says so.
- **Secrets** can be outside the file. See [Environment variables](environment.md) and \`webhooks[].secretFile\`. No message, log
  line or page shows a secret.
- **Folders**: \`~\`, \`$VAR\` and \`\${VAR}\` are expanded. Relative paths start at the working directory.
- **Format**: UTF-8 text of at most 5 MiB. JSON has no comments and no comma after the last entry. An error is reported with its
  line and column.

A dot means a nested key: \`waiting.hold\` is written \`{"waiting": {"hold": 20}}\`. \`[]\` means each entry of a list.
`;

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

/** `docs/reference/configuration.md`. */
export function configurationPage(): string {
  return `${introduction}\n${groups.map(section).join('\n')}`;
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
