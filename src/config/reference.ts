/**
 * The reference page of the configuration and its JSON Schema, from the schema. `scripts/generate-docs.mjs` writes them; a test compares the files in
 * the repository with what would be written now.
 */
import { allKeys, expectation, type KeyInfo, publishedJsonSchema } from './keys.ts';
import { originalKeys } from './schema.ts';

const introduction = `<!-- Written by scripts/generate-docs.mjs from src/config/schema/. Change the schema, not this page. -->

# Configuration

The configuration is one JSON file. \`session-server path/to/config.json\` reads the file that is named; without an argument it reads
\`config/session/local.json\` of the working directory, or the one that comes with the package.
[\`config/session/example.json\`](../config/session/example.json) is a good starting point. The smallest configuration that works:

\`\`\`json
{ "simulationServers": ["localhost:2000"], "ssl": false, "portRewrite": false }
\`\`\`

- **Check** the file before you use it: \`session-server check config.json\` lists every error with its key, its value, what is expected and how to fix it.
  It exits with 2 if there is one. With \`--strict\` warnings count as errors. With \`--json\` the result is JSON.
- **Warnings** do not stop the program: an unknown key (it is ignored), a server listed twice (it counts once), a mail key without its partner (e-mail is
  disabled), an address that does not fit \`portRewrite\`, a key given twice (the last one counts).
- **Editor support**: with \`"$schema": "./schema.json"\` in the file, and the path of \`config/session/schema.json\`, editors complete and check
  keys. \`session-server schema\` prints the schema.
- **Changes** take effect within two seconds after the file is saved, or at once on SIGHUP. No connection is dropped. An invalid file is rejected as a
  whole, and the current configuration stays active. Keys that need a restart are marked below.
- **Secrets** can be kept outside the file. Set the mail password in the environment variable \`SESSION_SERVER_MAIL_PASSWORD\`, or name a file in
  \`SESSION_SERVER_MAIL_PASSWORD_FILE\` (a line break at its end is removed). The first of these that is set overrides \`mailSenderPassword\`. For the secret
  of a webhook use \`secretFile\`. No message, log line or page shows a secret.
- **Folders**: \`~\`, \`$VAR\` and \`\${VAR}\` are expanded; relative paths begin at the working directory.
- **Format**: UTF-8 text of at most 5 MiB. JSON has no comments and no comma after the last entry; an error is reported with line and column.

A dot means a nested key: \`waiting.hold\` is written \`{"waiting": {"hold": 20}}\`. \`[]\` means each entry of a list.
`;

/** Marks around the table that `npm run docs` writes; the formatter leaves it alone. */
const TABLE_BEGINS = '<!-- prettier-ignore-start -->';
const TABLE_ENDS = '<!-- prettier-ignore-end -->';

interface Group {
  readonly title: string;
  readonly text: string;
  /** The keys, in the order of the schema. */
  readonly has: (key: string) => boolean;
}

/** Every key belongs to exactly one of them. */
const groups: readonly Group[] = [
  {
    title: 'Keys of the original session server',
    text: 'With these a configuration file of the original works as it is.',
    has: (key) => originalKeys.includes(key),
  },
  {
    title: 'Further keys',
    text: 'All optional.',
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

/** The tables of all groups, with headings of the given level. */
export function configurationTables(level = 2): string {
  const heading = '#'.repeat(level);
  return groups
    .map(({ title, text, has }) => {
      const introduction = text === '' ? '' : `${text}\n\n`;
      return `${heading} ${title}\n\n${introduction}${configurationTable(has)}`;
    })
    .join('\n');
}

/** One table of the keys that `has` accepts. */
export function configurationTable(has: (key: string) => boolean): string {
  const rows = [...allKeys()].filter(([key]) => has(key)).map(([key, info]) => row(key, info));
  return ['| key | meaning | default | allowed |', '|---|---|---|---|', ...rows, ''].join('\n');
}

/** The table of the original's keys, for the README. */
export function originalKeysTable(): string {
  return configurationTable((key) => originalKeys.includes(key));
}

/** `docs/configuration.md`. */
export function configurationPage(): string {
  return `${introduction}\n${configurationTables()}`;
}

/** The text of a page with the table of the original's keys between its two marks. Throws when the marks are missing. */
export function withConfigurationTable(page: string): string {
  const [before, rest] = page.split(TABLE_BEGINS);
  const after = rest?.split(TABLE_ENDS)[1];
  if (before === undefined || after === undefined) throw new Error(`the page lacks the marks ${TABLE_BEGINS} and ${TABLE_ENDS}`);
  return `${before}${TABLE_BEGINS}\n\n${originalKeysTable().trim()}\n\n${TABLE_ENDS}${after}`;
}

/** `config/session/schema.json`. */
export function jsonSchemaFile(): string {
  return `${JSON.stringify(publishedJsonSchema(), undefined, 2)}\n`;
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

function row(key: string, info: KeyInfo): string {
  const meaning = info.restart ? `${info.description} *A change takes effect after a restart.*` : info.description;
  return `| ${[`\`${key}\``, meaning, defaultOf(info), allowed(info)].map(escapeCell).join(' | ')} |`;
}

function defaultOf(info: KeyInfo): string {
  if (info.absent !== undefined) return info.absent;
  if (info.default !== undefined) return `\`${JSON.stringify(info.default)}\``;
  return info.required ? '**required**' : 'none';
}

/** Shorter than in messages. */
function allowed(info: KeyInfo): string {
  if (info.type === 'boolean') return '`true`, `false`';
  return info.words.length > 0 ? info.words.map((word) => `\`"${word}"\``).join(', ') : expectation(info);
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
