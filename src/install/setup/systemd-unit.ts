/**
 * The systemd unit: the program runs as a user of its own that exists only while it runs, sees nothing it does not need, and is restarted after every end
 * but a rejected configuration. `systemd-analyze security` rates it below 2.0.
 *
 * `MemoryDenyWriteExecute` is missing, because Node would not start: its compiler writes code.
 */
import { onlyIf, renderFile } from '../template.ts';

export interface UnitOptions {
  /** Absolute path of Node. */
  readonly node: string;
  /** Absolute path of `bin/session-server.mjs`. */
  readonly program: string;
  /** Absolute path of the configuration file. */
  readonly configuration: string;
  /** Listens on ports below 1024, as the gateway does. */
  readonly lowPorts: boolean;
}

/**
 * Group that can read the configuration file, which can hold passwords. Never named like the user: systemd does not create a temporary user with the
 * name of an existing group, and the unit would not start.
 */
export const GROUP = 'session-server-config';

export function systemdUnit({ node, program, configuration, lowPorts }: UnitOptions): string {
  return renderFile('session-server.service', {
    ...{ node: argument(node), program: argument(program), configuration: argument(configuration), group: GROUP },
    ...{ lowPorts: onlyIf(lowPorts), highPorts: onlyIf(!lowPorts) },
  });
}

/** One argument of a command line (systemd.service(5), "Command lines"). */
export function argument(text: string): string {
  const plain = text.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[A-Za-z0-9_./:@%$+-]+$/.test(plain) ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`;
}
