/**
 * Writes what is derived from the configuration's schema: the reference page, the table in the README and the JSON Schema.
 *
 *     node --import tsx scripts/generate-docs.mjs
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { configurationPage, jsonSchemaFile, withConfigurationTable } from '../src/config/reference.ts';

const root = new URL('../', import.meta.url);
writeFileSync(new URL('docs/configuration.md', root), configurationPage());
writeFileSync(new URL('config/session/schema.json', root), jsonSchemaFile());
const readme = new URL('README.md', root);
writeFileSync(readme, withConfigurationTable(readFileSync(readme, 'utf8')));
