import { randomBytes } from 'node:crypto';
import { makeToken, tokenAdvice, tokenBytes } from '../config/token.ts';

export interface TokenOptions {
  readonly readOnly?: boolean;
  readonly role?: string;
  readonly json?: boolean;
}

/** `session-server token NAME`. */
export function tokenCommand(
  name: string,
  { readOnly = false, role = readOnly ? 'reader' : 'operator', json = false }: TokenOptions,
): void {
  const made = makeToken(randomBytes(tokenBytes));
  const shown = { name, ...made, readOnly: role === 'reader', role };
  console.log(json ? JSON.stringify(shown, undefined, 2) : tokenAdvice(name, made, role === 'operator' ? {} : { role }));
}
