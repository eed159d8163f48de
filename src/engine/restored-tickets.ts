/** Resume tokens of places from before a restart, by client and request: a client that asks again gets the place it had. */
import type { Labels } from '../core/fleet/routing.ts';

/** A client and its request, as far as both are known after a restart. */
export interface Claim {
  readonly clientId: string;
  /** The address as limits know it. */
  readonly limitKey: string | undefined;
  readonly project: string | undefined;
  readonly labels: Labels | undefined;
}

export class RestoredTickets {
  readonly #tokens = new Map<string, string>();

  get isEmpty(): boolean {
    return this.#tokens.size === 0;
  }

  add(claim: Claim, token: string): void {
    this.#tokens.set(keyOf(claim), token);
  }

  /** Returned once: from then on the caller knows what the client was answered. */
  take(claim: Claim): string | undefined {
    const key = keyOf(claim);
    const token = this.#tokens.get(key);
    this.#tokens.delete(key);
    return token;
  }
}

function keyOf({ clientId, limitKey, project, labels }: Claim): string {
  const wanted = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([clientId, limitKey, project, wanted]);
}
