/** The JSON Schema of the simulation server's configuration file as it is published. */
import { simulationJsonSchema } from './load.ts';

/** `config/simulation/schema.json`. */
export function simulationJsonSchemaFile(): string {
  return `${JSON.stringify(simulationJsonSchema(), undefined, 2)}\n`;
}
