/**
 * `session-server migrate OLD.json`: what each key of an original configuration means here. The file needs no change; this is for people who want to be sure of
 * that, and to know what is different.
 */
import { readFile } from 'node:fs/promises';
import { allKeys, isObject } from '../config/keys.ts';
import { formatProblem, showValue } from '../config/problem.ts';
import { originalKeys } from '../config/schema.ts';
import type { Settings } from '../config/settings.ts';
import { readConfiguration } from './configuration.ts';

export async function migrateCommand(path: string): Promise<void> {
  const loaded = await readConfiguration([path]);
  if (loaded === undefined) {
    console.error('The original would not have run with this file either, or not as it says. Fix it, and ask again.');
    return;
  }
  const file: unknown = JSON.parse((await readFile(loaded.path, 'utf8')).replace(/^\ufeff/, ''));
  console.log(explain(loaded.path, isObject(file) ? file : {}, loaded.settings));
  if (loaded.warnings.length > 0)
    console.log(`\nWorth a look:\n${loaded.warnings.map((each) => `  ${formatProblem(each)}`).join('\n')}`);
  console.log(
    [
      '',
      'The file can be used as it is:',
      `  session-server ${path}`,
      'Intended differences are listed in docs/reference/differences-from-the-original.md.',
      'To run without a separate web server, see docs/how-to/gateway.md. For a systemd unit: session-server setup --help.',
    ].join('\n'),
  );
}

/** Key by key: first those of the file, then the original's that are not in it. */
export function explain(path: string, file: Readonly<Record<string, unknown>>, settings: Settings): string {
  const keys = allKeys();
  const lines = [`${path}, key by key:`];
  for (const [key, value] of Object.entries(file)) {
    const info = keys.get(key);
    const shown = info?.secret === true ? 'a value that is not shown' : showValue(value);
    lines.push('', `  ${JSON.stringify(key).slice(1, -1)}: ${shown}`);
    if (info === undefined) lines.push('    Unknown here, and ignored; the original ignores it, too.');
    else lines.push(`    ${info.description}`, ...notes(key, path, settings).map((note) => `    ${note}`));
  }
  const absent = originalKeys.filter((key) => !Object.hasOwn(file, key));
  if (absent.length > 0) lines.push('', 'Not in the file, so by default:');
  for (const key of absent) {
    const info = keys.get(key);
    lines.push(`  ${key}: ${info?.absent ?? JSON.stringify(info?.default)}`);
  }
  return lines.join('\n');
}

/** What is the same word and yet a little different, with this file's values. */
function notes(key: string, path: string, settings: Settings): string[] {
  switch (key) {
    case 'simulationServers':
      return [
        `Here: ${settings.simulationServers.length}, handed out letter for letter. One gets a session while its load, with the new session in it, is predicted to stay below ${settings.allocation.target} %; the original looked at the reported load alone.`,
      ];
    case 'ssl':
      return [
        settings.ssl
          ? 'Clients get wss:// and machines are polled by https. Both can be set apart: "handOutSsl", "pollSsl".'
          : 'Clients get ws://, which pages that came by https may not open.',
      ];
    case 'port':
      return ['All addresses are listened on; behind a front on this machine "listen": "127.0.0.1" is better.'];
    case 'portRewrite':
      return settings.portRewrite
        ? [
            'The rule of the original passes on to any local port; "session-server setup apache" (or nginx, caddy) writes one that does not.',
          ]
        : [];
    case 'logDir':
      return [
        `Here: ${settings.logDir}. A relative path begins in the working directory; the original began in the folder of the program.`,
      ];
    case 'mailSenderPassword':
      return ['Better outside the file: SESSION_SERVER_MAIL_PASSWORD_FILE names a file that holds it.'];
    case 'administrator':
      return [
        settings.mail === undefined
          ? 'Without "mailServer" and "mailSender" no e-mail is sent.'
          : `The subjects are the same word for word. Try it: session-server test-notification ${path}`,
      ];
    default:
      return [];
  }
}
