/**
 * What a simulation server says on `/client` before the simulation runs, and what it means for the client: a second chance
 * on another machine, or the end, because no machine can run this.
 *
 * The original forwards every line of an image build as `loading: …`, also those that begin with `Error:`. So such a line is
 * a failure only if it is one of the server's own sentences, or if the server then closes the connection or falls silent.
 */

export type Meaning =
  /** The simulation runs: from now on the session belongs to this server. */
  | { readonly kind: 'stream' }
  | { readonly kind: 'progress' }
  /** The server has given up. */
  | { readonly kind: 'failure'; readonly reason: string; readonly cause: Cause }
  /** It has given up, and its close code says the cause. */
  | { readonly kind: 'farewell'; readonly reason: string }
  /** A failure, if nothing else follows. */
  | { readonly kind: 'complaint'; readonly reason: string };

/** `machine`: another one may do better. `project`: none can. */
export type Cause = 'machine' | 'project';

/** Sentences of the original simulation server. After most of them it leaves the connection open. */
const SENTENCES: readonly (readonly [pattern: RegExp, cause: Cause])[] = [
  [/^Wrong Webots simulation URL/, 'project'],
  [/^Missing (?:blob|worlds folder|world file) in Webots simulation URL/, 'project'],
  [/^\S+\.wbt does not exist\.$/, 'project'],
  [/^Cannot run simulation from blocked repository/, 'project'],
  [/^Image version \S+ not available on Cyberbotics' dockerHub/, 'project'],
  [/^Docker not enabled: cannot host simulations/, 'machine'],
  [/^This simulation server is not configured to share idle time/, 'machine'],
  [/^Cannot share idle time when current load is above threshold/, 'machine'],
  [/^Missing (?:Dockerfile\.default|docker-compose-default\.yml) in /, 'machine'],
  [/^Unable to start Webots: /, 'machine'],
];

/** RFC 6455 § 7.4.1, and the registry of close codes: what our own simulation server means by them. They come before any sentence. */
const CAUSE_OF_CODE: ReadonlyMap<number, Cause> = new Map([
  [1008, 'project'],
  [1011, 'machine'],
  [1012, 'machine'],
  [1013, 'machine'],
]);

/** Seconds a server may be silent before the simulation runs: it may load an image of gigabytes, of which it reports nothing. */
const MAX_SILENCE = 600;
/** After a line that looks like a failure. The step of a build that follows may be long. */
const AFTER_COMPLAINT = 60;
/** After a message that makes every client quit. The close code follows at once. */
const AFTER_FAREWELL = 2;
/** Maximum length of a reason; it comes from outside. */
const MAX_REASON = 300;

/** What a message means. */
export function meaningOf(message: string): Meaning {
  if (message.startsWith('webots:')) return { kind: 'stream' };
  if (message.startsWith('error:')) return { kind: 'farewell', reason: reasonIn(message.slice('error:'.length)) };
  const { source, text } = /^(?<source>(?:loading|docker): ?)?Error: ?(?<text>[^]*)$/.exec(message)?.groups ?? {};
  if (text === undefined) return { kind: 'progress' };
  const reason = reasonIn(text);
  const cause = causeOf(reason);
  if (cause !== undefined) return { kind: 'failure', reason, cause };
  // Only lines of a build come with the prefix. Without it, no client shows the message, and the server goes on no further.
  return source === undefined ? { kind: 'failure', reason, cause: 'project' } : { kind: 'complaint', reason };
}

/** Seconds of silence after such a message, or after the beginning, that mean a failure. */
export function maxSilence(last: Meaning['kind']): number {
  if (last === 'farewell') return AFTER_FAREWELL;
  return last === 'complaint' ? AFTER_COMPLAINT : MAX_SILENCE;
}

/** Why a server closed the connection with this code, or fell silent (`undefined`), before the simulation ran. */
export function causeOfEnd(code: number | undefined, reason: string | undefined): Cause {
  const byCode = code === undefined ? undefined : CAUSE_OF_CODE.get(code);
  return byCode ?? (reason === undefined ? undefined : causeOf(reason)) ?? 'machine';
}

function causeOf(reason: string): Cause | undefined {
  return SENTENCES.find(([pattern]) => pattern.test(reason))?.[1];
}

function reasonIn(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, MAX_REASON);
}
