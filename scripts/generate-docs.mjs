/**
 * Writes what is derived from the configuration's schema: the reference page and the JSON Schema.
 *
 *     node --import tsx scripts/generate-docs.mjs
 */
import { writeFileSync } from 'node:fs';
import { configurationPage, jsonSchemaFile } from '../src/config/reference.ts';

const root = new URL('../', import.meta.url);
writeFileSync(new URL('docs/configuration.md', root), configurationPage());
writeFileSync(new URL('config/session/schema.json', root), jsonSchemaFile());
