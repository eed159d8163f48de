/**
 * Writes the parts of the documentation that come from the source: configuration, metrics, routes and codes, command line, log messages, JSON Schema.
 *
 *     npm run docs
 */
import { writeFileSync } from 'node:fs';
import { generatedFiles } from './docs/pages.ts';

const root = new URL('../', import.meta.url);
for (const [path, current] of generatedFiles) writeFileSync(new URL(path, root), await current());
