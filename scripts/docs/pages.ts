/** Every file that is generated as a whole or in part: its path from the root, and what it is now. `npm run docs` writes them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { jsonSchemaFile } from '../../src/config/reference.ts';
import { simulationJsonSchemaFile } from '../../src/simulation/settings/reference.ts';
import { apiLists } from './api.ts';
import { commandLineHelp } from './command-line.ts';
import { configurationKeys, simulationConfigurationKeys } from './configuration.ts';
import { withGenerated } from './layout.ts';
import { logMessages } from './log-messages.ts';
import { metricsList } from './metrics.ts';
import { pageTexts } from './page-texts.ts';

const root = new URL('../../', import.meta.url);

export const generatedFiles: readonly (readonly [path: string, current: () => string | Promise<string>])[] = [
  ['config/session/schema.json', jsonSchemaFile],
  ['config/simulation/schema.json', simulationJsonSchemaFile],
  inPage('docs/reference/configuration.md', configurationKeys),
  inPage('docs/reference/simulation-configuration.md', simulationConfigurationKeys),
  inPage('docs/reference/metrics.md', metricsList),
  inPage('docs/reference/api-codes.md', apiLists),
  inPage('docs/reference/command-line.md', commandLineHelp),
  inPage('docs/reference/page-texts.md', pageTexts),
  inPage('docs/reference/log.md', () => logMessages(fileURLToPath(new URL('src/', root)))),
];

/** The rest of the page is written by hand. */
function inPage(path: string, text: () => string | Promise<string>): readonly [string, () => Promise<string>] {
  return [path, async () => withGenerated(readFileSync(new URL(path, root), 'utf8'), await text())];
}
