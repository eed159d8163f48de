import { randomBytes } from 'node:crypto';
import { makeToken, tokenAdvice, tokenBytes } from '../config/token.ts';

/** `session-server token NAME`. */
export function tokenCommand(name: string, options: { readonly readOnly?: boolean }): void {
  console.log(tokenAdvice(name, makeToken(randomBytes(tokenBytes)), options));
}
