import { randomBytes } from 'node:crypto';
import { makeToken, tokenAdvice, tokenBytes } from '../config/token.ts';

export interface TokenOptions {
  readonly readOnly?: boolean;
  readonly json?: boolean;
}

/** `session-server token NAME`. */
export function tokenCommand(name: string, { readOnly = false, json = false }: TokenOptions): void {
  const made = makeToken(randomBytes(tokenBytes));
  console.log(json ? JSON.stringify({ name, ...made, readOnly }, undefined, 2) : tokenAdvice(name, made, { readOnly }));
}
