/**
 * Tokens for operator actions: drain a server, add one, test notifications. The configuration holds only their hashes, so that a reader of it cannot act.
 *
 * A token is 256 random bits, not a word that a person chose. One round of SHA-256 is therefore enough, and quick enough to check at every request.
 */
import { createHash } from 'node:crypto';

/** Random bytes in a token. */
export const tokenBytes = 32;
/** The beginning of every token, so that people and secret scanners recognise one. */
const PREFIX = 'sst_';

export interface MadeToken {
  /** For its holder. It is shown once and stored nowhere. */
  readonly token: string;
  /** For `admin.tokens`. */
  readonly hash: string;
}

/** Makes a token of `tokenBytes` random bytes. */
export function makeToken(random: Uint8Array): MadeToken {
  if (random.length < tokenBytes) throw new RangeError(`a token needs ${tokenBytes} random bytes`);
  const token = PREFIX + Buffer.from(random.subarray(0, tokenBytes)).toString('base64url');
  return { token, hash: hashOf(token) };
}

/** As `admin.tokens` holds it. */
export function hashOf(token: string): string {
  return `sha256:${createHash('sha256').update(token).digest('hex')}`;
}

/** What `session-server token NAME` prints. */
export function tokenAdvice(name: string, { token, hash }: MadeToken, { role }: { readonly role?: string } = {}): string {
  const entry = JSON.stringify({ name, hash, ...(role !== undefined && { role }) });
  const page = role === 'teacher' ? 'at /classes' : 'on the monitor page';
  return [
    `Token of ${name}, shown only once:`,
    '',
    `    ${token}`,
    '',
    'Add this to the configuration file; a running session server picks it up automatically:',
    '',
    `    "admin": { "tokens": [${entry}] }`,
    '',
    `Then enter the token ${page}, or send it as "Authorization: Bearer TOKEN".`,
    '',
  ].join('\n');
}
