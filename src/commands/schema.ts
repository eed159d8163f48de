import { jsonSchemaFile } from '../config/reference.ts';

/** `session-server schema`. */
export async function schemaCommand({ simulation = false }: { readonly simulation?: boolean }): Promise<void> {
  if (!simulation) {
    process.stdout.write(jsonSchemaFile());
    return;
  }
  const { simulationJsonSchemaFile } = await import('../simulation/settings/reference.ts');
  process.stdout.write(simulationJsonSchemaFile());
}
