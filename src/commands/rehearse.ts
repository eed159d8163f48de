import { askRunning, configuredOrigin, tokenOfEnvironment, TOKEN_VARIABLE } from './ask-running.ts';
import { REFUSED } from './configuration.ts';

export interface RehearseOptions {
  readonly people: string;
  /** `2026-09-15T09:00`, by the clock of this machine, or ISO 8601 with a zone. */
  readonly at: string;
  readonly minutes?: string;
  /** URL of a project. */
  readonly project?: string;
  readonly json?: boolean;
  /** Address of the session server. Default: the configured port on this machine. */
  readonly url?: string;
}

interface Answer {
  readonly sentence: string;
  readonly changes: readonly { readonly sentence: string }[];
  readonly waits: { readonly sentence: string } | null;
  readonly waitChanges: readonly { readonly waits: { readonly sentence: string } }[];
  readonly notKnown: readonly string[];
}

/** `session-server rehearse`: would so many people fit at a time? */
export async function rehearseCommand(file: string | undefined, options: RehearseOptions): Promise<void> {
  const token = tokenOfEnvironment();
  const at = new Date(options.at);
  if (token === undefined || Number.isNaN(at.getTime())) {
    const what =
      token === undefined
        ? `set ${TOKEN_VARIABLE} to the token of a teacher or an operator`
        : '--at: write a time such as 2026-09-15T09:00';
    console.error(`error: ${what}`);
    process.exitCode = REFUSED;
    return;
  }
  const origin = options.url ?? (await configuredOrigin(file));
  if (origin === undefined) return;
  const { people, minutes, project } = options;
  const question = {
    ...{ people: Number(people), at: at.toISOString(), waits: true },
    ...(minutes !== undefined && { minutes: Number(minutes) }),
    ...(project !== undefined && { project }),
  };
  const answer = await askRunning(origin, '/api/v1/rehearsals', token, question);
  if (answer.kind === 'failure') {
    console.error(`error: ${answer.reason}`);
    process.exitCode = 1;
    return;
  }
  console.log(options.json === true ? JSON.stringify(answer.body, undefined, 2) : inLines(answer.body as Answer));
}

function inLines({ sentence, changes, waits, waitChanges, notKnown }: Answer): string {
  const simulated = waits === null ? [] : [waits.sentence, ...waitChanges.map((change) => `- ${change.waits.sentence}`)];
  return [sentence, ...changes.map((change) => `- ${change.sentence}`), ...simulated, ...notKnown].join('\n');
}
