import { readConfiguration, REFUSED } from './configuration.ts';

export interface ForgetCostsOptions {
  /** Id of a simulation server. */
  readonly server?: string;
  /** URL of a project. */
  readonly project?: string;
  /** Address of the session server. Default: the configured port on this machine. */
  readonly url?: string;
}

export const TOKEN_VARIABLE = 'SESSION_SERVER_TOKEN';
/** Milliseconds. */
const TIMEOUT_MS = 10_000;

/**
 * `session-server forget-costs`: asks the running session server, because it keeps what it learned in memory. The token comes from the environment: other
 * users of the machine can read the arguments of a command.
 */
export async function forgetCostsCommand(file: string | undefined, options: ForgetCostsOptions): Promise<void> {
  const { server, project } = options;
  const token = process.env[TOKEN_VARIABLE];
  if (token === undefined || token === '' || (server !== undefined && project !== undefined)) {
    const what =
      token === undefined || token === ''
        ? `set ${TOKEN_VARIABLE} to the token of an operator`
        : 'name a server or a project, not both';
    console.error(`error: ${what}`);
    process.exitCode = REFUSED;
    return;
  }
  const origin = options.url ?? (await configuredOrigin(file));
  if (origin === undefined) return;
  const failure = await forget(origin, token, { server, project });
  if (failure === undefined) {
    console.log('Forgotten. Costs are learned again from the next sessions.');
    return;
  }
  console.error(`error: ${failure}`);
  process.exitCode = 1;
}

async function configuredOrigin(file: string | undefined): Promise<string | undefined> {
  const loaded = await readConfiguration(file);
  if (loaded === undefined) return undefined;
  const { ownOrigin } = await import('../install/doctor/running.ts');
  return ownOrigin(loaded.settings);
}

/** The reason of a failure in a sentence; `undefined`: done. */
async function forget(origin: string, token: string, what: object): Promise<string | undefined> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(new URL('/api/v1/costs/forget', origin), {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(what),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    body = await response.json().catch(() => undefined);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return `${origin} does not answer (${cause instanceof Error ? cause.message : String(cause)}). Name its address with --url.`;
  }
  if (response.ok) return undefined;
  if (typeof body === 'object' && body !== null && 'reason' in body && typeof body.reason === 'string') return body.reason;
  return `${origin} answered with HTTP status ${response.status}.`;
}
