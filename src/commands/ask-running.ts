/** Questions to the running session server. The token comes from the environment: other users of the machine can read the arguments of a command. */
import { readConfiguration } from './configuration.ts';

export const TOKEN_VARIABLE = 'SESSION_SERVER_TOKEN';
/** Milliseconds. */
const TIMEOUT_MS = 30_000;

export type RunningAnswer =
  { readonly kind: 'answer'; readonly body: unknown } | { readonly kind: 'failure'; readonly reason: string };

/** The token; `undefined`: there is none. */
export function tokenOfEnvironment(): string | undefined {
  const token = process.env[TOKEN_VARIABLE];
  return token === '' ? undefined : token;
}

/** Where the session server of a configuration listens; `undefined`: it cannot be read, and the problems are printed. */
export async function configuredOrigin(file: string | undefined): Promise<string | undefined> {
  const loaded = await readConfiguration(file);
  if (loaded === undefined) return undefined;
  const { ownOrigin } = await import('../install/doctor/running.ts');
  return ownOrigin(loaded.settings);
}

export async function askRunning(origin: string, path: string, token: string, what: object): Promise<RunningAnswer> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(new URL(path, origin), {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(what),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    body = await response.json().catch(() => undefined);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why = cause instanceof Error ? cause.message : String(cause);
    return { kind: 'failure', reason: `${origin} does not answer (${why}). Name its address with --url.` };
  }
  if (response.ok) return { kind: 'answer', body };
  if (typeof body === 'object' && body !== null && 'reason' in body && typeof body.reason === 'string')
    return { kind: 'failure', reason: body.reason };
  return { kind: 'failure', reason: `${origin} answered with HTTP status ${response.status}.` };
}
