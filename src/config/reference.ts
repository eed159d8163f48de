/** The JSON Schema of the configuration file as it is published. */
import { publishedJsonSchema } from './keys.ts';

/** `config/session/schema.json`. */
export function jsonSchemaFile(): string {
  return `${JSON.stringify(publishedJsonSchema(), undefined, 2)}\n`;
}
