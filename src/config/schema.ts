/**
 * The configuration file, put together from its sections. A section's file has its keys (type, default, check, unit, description) and the checks that
 * concern several keys at once. The reference page, the JSON Schema, the error messages and the type `Settings` all come from here; a key is
 * documented nowhere else.
 *
 * The first keys are those of the original session server, with the original's meaning (docs/design/protocol.md, "Configuration file"). Beside its description a key may carry:
 *
 * - `unit`: of the number;
 * - `expected`: what is allowed, where type and range do not describe it well enough;
 * - `absent`: the default in words, where it is not a fixed value;
 * - `secret`: the value is never shown;
 * - `restart`: a change takes effect after a restart.
 */
import { z } from 'zod';
import type { Environment } from './environment.ts';
import type { Problem } from './problem.ts';
import { accessKeys, checkTokens } from './schema/access.ts';
import { allocation } from './schema/allocation.ts';
import { fairness } from './schema/fairness.ts';
import { checkFolders, folderKeys } from './schema/folders.ts';
import { checkGateway, gateway } from './schema/gateway.ts';
import { languages } from './schema/languages.ts';
import { limits } from './schema/limits.ts';
import { checkMail, mailKeys, ownMailKeys } from './schema/mail.ts';
import { pollingKeys } from './schema/polling.ts';
import { checkOperatorsOrigin } from './schema/operators-origin.ts';
import { registration } from './schema/registration.ts';
import { checkReplicas, replicas } from './schema/replicas.ts';
import { checkReservations, reservations } from './schema/reservations.ts';
import { checkServers, simulationServers } from './schema/simulation-servers.ts';
import { checkName, siteKeys } from './schema/site.ts';
import { tracing } from './schema/tracing.ts';
import { waiting } from './schema/waiting.ts';
import { webhooks } from './schema/webhooks.ts';

const { server, ssl, port, portRewrite } = siteKeys;
const { logDir, debug } = folderKeys;
const original = { server, ssl, port, portRewrite, simulationServers, ...mailKeys, logDir, debug };

/** The keys that the original session server has; all others are ours. */
export const originalKeys: readonly string[] = Object.keys(original);

export const schema = z.strictObject({
  $schema: z.string().optional().describe('Path of the JSON Schema, for editors.').meta({ absent: 'none' }),
  // First, so that they come first in the reference.
  ...original,
  ...siteKeys,
  ...pollingKeys,
  ...folderKeys,
  ...ownMailKeys,
  ...accessKeys,
  ...{ webhooks, limits, allocation, waiting, fairness, reservations, gateway, registration, languages, tracing },
  replicas: replicas.optional().meta({ absent: 'one session server' }),
});

/** The file as it is written. */
export type ConfigurationFile = z.input<typeof schema>;
/** The file with every default filled in. */
export type Configuration = z.output<typeof schema>;
/** Some keys of the file, namely those without problems, defaults filled in. */
export type PartOfConfiguration = { readonly [K in keyof Configuration]?: Configuration[K] | undefined };

/** Keys that contradict, repeat or lack one another: warnings, because the program can run with them. `hasPassword`: a mail password is known. */
export function contradictions(configuration: PartOfConfiguration, hasPassword: boolean, env: Environment['env']): Problem[] {
  return [
    ...checkName(configuration),
    ...checkServers(configuration),
    ...checkMail(configuration, hasPassword),
    ...checkFolders(configuration, env),
    ...checkTokens(configuration),
    ...checkOperatorsOrigin(configuration),
    ...checkGateway(configuration),
    ...checkReservations(configuration),
    ...checkReplicas(configuration),
  ];
}
