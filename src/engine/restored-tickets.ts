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
  /** In the order in which they were added, by their claims. */
  readonly #tokens = new Map<string, Set<string>>();
  readonly #keys = new Map<string, string>();

  get isEmpty(): boolean {
    return this.#tokens.size === 0;
  }

  add(claim: Claim, token: string): void {
    const key = keyOf(claim);
    this.#keys.set(token, key);
    const tokens = this.#tokens.get(key);
    if (tokens === undefined) this.#tokens.set(key, new Set([token]));
    else tokens.add(token);
  }

  /** Returned once: from then on the caller knows what the client was answered. Only one that `isFree`. */
  take(claim: Claim, isFree: (token: string) => boolean = () => true): string | undefined {
    for (const token of this.#tokens.get(keyOf(claim)) ?? []) {
      if (!isFree(token)) continue;
      this.delete(token);
      return token;
    }
    return undefined;
  }

  delete(token: string): void {
    const key = this.#keys.get(token);
    if (key === undefined) return;
    this.#keys.delete(token);
    const tokens = this.#tokens.get(key);
    tokens?.delete(token);
    if (tokens?.size === 0) this.#tokens.delete(key);
  }
}

function keyOf({ clientId, limitKey, project, labels, reservation }: Claim): string {
  const wanted = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([clientId, limitKey, project, wanted, reservation]);
}
