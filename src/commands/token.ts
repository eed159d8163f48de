import { randomBytes } from 'node:crypto';
import { makeToken, tokenAdvice, tokenBytes } from '../config/token.ts';

/** `session-server token NAME`. */
export function tokenCommand(name: string): void {
  console.log(tokenAdvice(name, makeToken(randomBytes(tokenBytes))));
}
