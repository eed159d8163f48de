import { askRunning, configuredOrigin, tokenOfEnvironment, TOKEN_VARIABLE } from './ask-running.ts';
import { REFUSED } from './configuration.ts';

export interface ForgetCostsOptions {
  /** Id of a simulation server. */
  readonly server?: string;
  /** URL of a project. */
  readonly project?: string;
  /** Address of the session server. Default: the configured port on this machine. */
  readonly url?: string;
}

/** `session-server forget-costs`: asks the running session server, because it keeps what it learned in memory. */
export async function forgetCostsCommand(file: string | undefined, options: ForgetCostsOptions): Promise<void> {
  const { server, project } = options;
  const token = tokenOfEnvironment();
  if (token === undefined || (server !== undefined && project !== undefined)) {
    const what =
      token === undefined ? `set ${TOKEN_VARIABLE} to the token of an operator` : 'name a server or a project, not both';
    console.error(`error: ${what}`);
    process.exitCode = REFUSED;
    return;
  }
  const origin = options.url ?? (await configuredOrigin(file));
  if (origin === undefined) return;
  const answer = await askRunning(origin, '/api/v1/costs/forget', token, { server, project });
  if (answer.kind === 'answer') {
    console.log('Forgotten. Costs are learned again from the next sessions.');
    return;
  }
  console.error(`error: ${answer.reason}`);
  process.exitCode = 1;
}
