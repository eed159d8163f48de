/**
 * Resume tokens. The store has only their digests, so that a person who reads the store cannot take the place of a waiting client. The queue of a new
 * leader has these digests as tokens, until their clients come and show the tokens themselves.
 */
import { createHash } from 'node:crypto';
import type { NewId } from '../../ports.ts';

export class ResumeTokens {
  readonly #newId: NewId;
  /** Digests that the queue has as tokens. */
  readonly #restored = new Set<string>();
  /** Those of clients that were recognized without one: the digest that the queue has, by the digest of the new token. One for each place, the newest. */
  readonly #issued = new Map<string, string>();
  readonly #newest = new Map<string, string>();

  constructor(newId: NewId) {
    this.#newId = newId;
  }

  /** As the store has it. */
  stored(token: string): string {
    return this.#restored.has(token) ? token : digest(token);
  }

  /** A place that the store has under this digest is in the queue from now on. */
  restore(stored: string): void {
    this.#restored.add(stored);
  }

  /** As the queue has the token that a client shows. `undefined`: it is not a token but a digest, which no client was given. */
  known(shown: string): string | undefined {
    const own = digest(shown);
    const issued = this.#issued.get(own);
    if (issued !== undefined) return issued;
    if (this.#restored.has(own)) return own;
    return this.#restored.has(shown) ? undefined : shown;
  }

  /** A token for the client of this place, as the queue has it. */
  issue(known: string): string {
    if (!this.#restored.has(known)) return known;
    const token = this.#newId();
    const own = digest(token);
    // Otherwise, a client that asks again and again would fill the memory.
    this.#issued.delete(this.#newest.get(known) ?? '');
    this.#issued.set(own, known);
    this.#newest.set(known, own);
    return token;
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
