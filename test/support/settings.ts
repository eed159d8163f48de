import { schema, type ConfigurationFile } from '../../src/config/schema.ts';
import { toSettings, type Settings } from '../../src/config/settings.ts';

/** The settings of a configuration file with these keys, on a machine that has nothing else. */
export function settingsOf(file: Partial<ConfigurationFile>): Settings {
  return toSettings(
    schema.parse({ simulationServers: [], ...file }),
    { webhookSecrets: new Map() },
    { env: {}, cwd: '/srv', home: '/home/me', readFile: () => Promise.resolve({ kind: 'missing', code: 'ENOENT' }) },
  );
}
