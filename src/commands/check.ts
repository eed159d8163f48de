import { readConfiguration, REFUSED } from './configuration.ts';

/** `session-server check`: exit status 0, or 2 with every problem on stderr; with `strict` warnings are problems. */
export async function checkCommand(args: readonly string[], { strict = false }: { readonly strict?: boolean }): Promise<void> {
  const loaded = await readConfiguration(args);
  if (loaded === undefined) return;
  const { path, settings, warnings } = loaded;
  const servers = settings.simulationServers.length;
  console.log(
    `${path}: ${servers} simulation server${servers === 1 ? '' : 's'}, ${warnings.length} warning${warnings.length === 1 ? '' : 's'}, no errors`,
  );
  if (strict && warnings.length > 0) process.exitCode = REFUSED;
}
