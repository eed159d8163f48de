/**
 * Resume tokens of places from before a restart, or of another replica, by client and request: a client that asks again gets the place it had. Of clients that
 * cannot be distinguished, such as a class behind one address, the one that comes first gets the place that is furthest ahead.
 */
import type { Labels } from '../core/fleet/routing.ts';

/** A client and its request, as far as both are known after a restart. */
export interface Claim {
  /** Absent: the client did not name itself. */
  readonly clientId?: string;
  /** The address as limits know it. */
  readonly limitKey: string | undefined;
  readonly project: string | undefined;
  readonly labels: Labels | undefined;
  /** The class of which it takes a seat. */
  readonly reservation?: string | undefined;
}

export class RestoredTickets {
  readonly #tokens = new Map<string, string[]>();

  get isEmpty(): boolean {
    return this.#tokens.size === 0;
  }

  add(claim: Claim, token: string): void {
    const key = keyOf(claim);
    const tokens = this.#tokens.get(key);
    if (tokens === undefined) this.#tokens.set(key, [token]);
    else tokens.push(token);
  }

  /** Returned once: from then on the caller knows what the client was answered. */
  take(claim: Claim): string | undefined {
    const key = keyOf(claim);
    const tokens = this.#tokens.get(key);
    const token = tokens?.shift();
    if (tokens?.length === 0) this.#tokens.delete(key);
    return token;
  }
}

function keyOf({ clientId, limitKey, project, labels, reservation }: Claim): string {
  const wanted = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([clientId, limitKey, project, wanted, reservation]);
}
