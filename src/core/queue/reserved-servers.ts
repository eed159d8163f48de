/**
 * The servers that are reserved for tickets that may not be overtaken, and what remains of the candidates of other tickets.
 *
 * The next session on a reserved server belongs to such a ticket, whichever of its servers gets room first. Every other server is open to the tickets
 * behind it. What remains is the same object as long as the same servers are reserved, so that the ledger resolves it once, and a walk along a long line
 * gets it as cheaply as the candidates themselves.
 */
import type { ServerId } from '../fleet/endpoint.ts';
import type { Candidates } from '../fleet/candidates.ts';

export class ReservedServers {
  /** Disjoint, so there are never more than servers, however many tickets they are reserved for. */
  readonly #reserved: Candidates[] = [];
  readonly #left = new Map<Candidates, { readonly beside: number; readonly left: Candidates }>();

  reserve(candidates: Candidates): void {
    const left = this.leftOf(candidates);
    if (left.tiers.length > 0) this.#reserved.push(left);
  }

  /** The candidates without the reserved servers. No tiers: none is left. A tier keeps its index, so one between others may be empty. */
  leftOf(candidates: Candidates): Candidates {
    const known = this.#left.get(candidates);
    if (known?.beside === this.#reserved.length) return known.left;
    let left = known?.left ?? candidates;
    for (const reserved of this.#reserved.slice(known?.beside ?? 0)) left = without(left, reserved);
    this.#left.set(candidates, { beside: this.#reserved.length, left });
    return left;
  }
}

/** The candidates that are not left, because they are reserved. */
export function reservedOf(candidates: Candidates, left: Candidates): ReadonlySet<ServerId> {
  if (candidates === left) return NOTHING;
  const reserved = new Set(candidates.tiers.flat());
  for (const tier of left.tiers) for (const id of tier) reserved.delete(id);
  return reserved;
}

const NOTHING: ReadonlySet<ServerId> = new Set();
const NONE: Candidates = { tiers: [] };

const cached = new WeakMap<Candidates, WeakMap<Candidates, Candidates>>();

/** The same object when nothing is removed. Cached as long as the two objects live. */
function without(candidates: Candidates, reserved: Candidates): Candidates {
  if (candidates === reserved || candidates.tiers.length === 0) return NONE;
  let known = cached.get(reserved);
  if (known === undefined) cached.set(reserved, (known = new WeakMap()));
  let left = known.get(candidates);
  if (left === undefined) known.set(candidates, (left = subtracted(candidates, new Set(reserved.tiers.flat()))));
  return left;
}

function subtracted(candidates: Candidates, reserved: ReadonlySet<ServerId>): Candidates {
  const tiers = candidates.tiers.map((tier) => tier.filter((id) => !reserved.has(id)));
  if (tiers.every(({ length }) => length === 0)) return NONE;
  return tiers.every(({ length }, index) => length === candidates.tiers[index]?.length) ? candidates : { tiers };
}
