import { jsonSchemaFile } from '../config/reference.ts';

/** `session-server schema`. */
export function schemaCommand(): void {
  process.stdout.write(jsonSchemaFile());
}
